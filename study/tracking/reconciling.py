"""MLflow's runs compared with the ledger: what it lost it is told again, what it has twice is removed."""

from collections.abc import Mapping

from study.ledger import ENDED, Ledger
from study.tracking.mlflow_sink import MlflowSink, RunThere


class Reconciler:
    """Compares, when the publisher has (again) reached MLflow and before the study ends.

    A server may come back with an empty or an older store, and one that hangs may carry out, much later, a request that
    was given up and repeated. Runs that someone deleted in MLflow are left alone.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._retold: set[str] = set()  # what MLflow refuses even then is not told a third time

    def compare(self, sink: MlflowSink, there: Mapping[str, Mapping[str, RunThere]]) -> int:
        """How many trials MLflow has to be told of again; their messages are in the outbox now.

        Args:
            there: What `sink.trial_runs()` found.
        """
        waiting, states = self._ledger.outbox_numbers(), self._ledger.states()
        ended = {row.number: row for row in self._ledger.trials(states=ENDED)}
        aside = {number: {value.name for value in values} for number, values in self._ledger.refused_values().items()}
        again = 0
        for number, run_id in self._ledger.mlflow_runs().items():
            runs = there.get(f"{self._ledger.name}/{self._ledger.uid}/{number}", {})
            if run_id in runs:
                for other in runs:
                    if other != run_id and runs[other].status != "deleted":
                        sink.remove(other)
                run, row = runs[run_id], ended.get(number)
                lacking = set() if row is None else (set(row.metrics) - run.metrics) | (set(row.params) - run.params)
                lacking -= aside.get(number, set())
                partial = run.status == "RUNNING" or run.state != states[number] or bool(lacking)
                partial &= run.status != "deleted"
                if not (states[number] in ENDED and number not in waiting and partial) or run_id in self._retold:
                    continue
            self._ledger.tell_again(number)
            self._retold.add(run_id)
            again += 1
        return again
