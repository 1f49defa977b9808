"""Delivers what waits in a study's outbox to MLflow, whatever the server does."""

import contextlib
import sqlite3
from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import Any

from study.crash_points import crash_if_asked
from study.errors import LeaseLost, StudyNotFound
from study.ledger import Ledger, OutboxRow, TrialRow
from study.tracking.error_log import ErrorLog, line
from study.tracking.insisting import is_refusal
from study.tracking.mlflow_sink import MlflowSink
from study.tracking.reconciling import Reconciler
from study.tracking.trouble import explain_trouble, is_unknown_there

POLL_S = 0.5
LONGEST_BACKOFF_S, HURRIED_BACKOFF_S = 10.0, 1.0
TRIALS_A_COMMIT, FILE_TRIES = 50, 5


class Publisher:
    """Drains one study's outbox.

    Args:
        ledger: Under the driver's fence.
        say: Tells the driver something: event, text.
    """

    def __init__(self, ledger: Ledger, say: Callable[[str, str], None]) -> None:
        self._ledger, self._say = ledger, say
        self._sink: MlflowSink | None = None
        self._reconciler = Reconciler(ledger)
        self._runs: dict[int, str] = {}
        # Of a trial with a message up to this one, a run may be there that the ledger does not know: made by a
        # publisher that died before saying so, or by a request that was given up.
        self._doubtful = 0
        self._there: set[str] | None = None  # uids of all trials that have a run; None while that is not certain
        self._troubled = False
        self._backoff, self._longest_s = 0.0, LONGEST_BACKOFF_S
        self._fileless = 0  # tries at the end
        self._log = ErrorLog()

    def round(self) -> bool:
        """Delivers one batch. True if there may be more at once."""
        try:
            sink = self._connect()
            rows = self._ledger.outbox(1000)
            crash_if_asked("outbox read")
            ordered = sorted(rows, key=lambda row: (row.number, row.id))
            trials = [list(own) for _, own in groupby(ordered, lambda row: row.number)]
            for start in range(0, len(trials), TRIALS_A_COMMIT):
                self._deliver_some(sink, trials[start : start + TRIALS_A_COMMIT])
        except (LeaseLost, StudyNotFound):
            raise
        except Exception as error:
            self._wait_for_better_times(error)
            return False
        if self._troubled:
            self._troubled = False
            self._say("well", "MLflow answers again")
        self._backoff = 0.0
        return len(rows) == 1000

    def end(self, status: str, summary: dict[str, Any], artifacts: str | None) -> bool:
        """Drains, makes sure that MLflow still has everything, ends the parent run. False if that can't be done now."""
        if not self._drain_outbox():
            return False
        self._sink = None  # a look with fresh eyes: the server may have been replaced since the last message
        if not self._drain_outbox() or self._sink is None:
            return False
        if not self._has_files(self._sink, Path(artifacts) if artifacts else None):
            return False
        try:
            self._sink.end_study(status, summary)
        except Exception as error:
            self._wait_for_better_times(error)
            return False
        return True

    def _has_files(self, sink: MlflowSink, report: Path | None) -> bool:
        """Puts the study's files to its run. Who takes results and no files is not waited for; that is said."""
        try:
            sink.put_files(report)
        except Exception as error:
            self._log.note(error)
            self._fileless += 1
            if self._fileless == FILE_TRIES:
                kept = f"study.yaml and the report are in {self._ledger.config.directory}"
                self._say("aside", f"MLflow takes the results and no files ({line(error)}); {kept}")
            return self._fileless >= FILE_TRIES
        return True

    def hurry(self) -> None:
        """From now on somebody waits: a server that answers again is noticed within a second."""
        self._longest_s, self._backoff = HURRIED_BACKOFF_S, 0.0

    @property
    def pause_s(self) -> float:
        """How long to wait before the next round."""
        return max(POLL_S, self._backoff)

    def _drain_outbox(self) -> bool:
        while self.round():
            continue
        return not self._troubled and self._ledger.outbox_size() == 0

    def _connect(self) -> MlflowSink:
        if self._sink is None:
            sink = MlflowSink(self._ledger.config, self._ledger.uid)
            there = sink.trial_runs()
            if again := self._reconciler.compare(sink, there):
                self._say("again", f"MLflow has lost {again} trials; it is told of them again from the ledger")
            self._runs.clear()
            self._doubtful, self._there = self._ledger.outbox_end(), set(there)
            sink.begin_study(self._ledger.config)
            self._sink = sink
            with contextlib.suppress(Exception):  # tried again, and said, at the end
                sink.put_files(None)
        return self._sink

    def _deliver_some(self, sink: MlflowSink, trials: list[list[OutboxRow]]) -> None:
        """Each item has all the messages about one trial."""
        wanted = [own[0].number for own in trials if own[0].kind == "start" or own[0].number not in self._runs]
        whole = {row.number: row for row in self._ledger.trials(wanted)} if wanted else {}
        new = self._new_runs(sink, [(whole.get(own[0].number), own) for own in trials])
        for own in trials:
            if own[0].number not in new:
                self._deliver(sink, whole.get(own[0].number), own)
        self._ledger.forget_delivered([row.id for own in trials for row in own], runs=new)
        self._runs |= new

    def _new_runs(self, sink: MlflowSink, trials: list[tuple[TrialRow | None, list[OutboxRow]]]) -> dict[int, str]:
        new = [
            (row, own)
            for row, own in trials
            if row is not None and row.mlflow_run_id is None and row.number not in self._runs
            if own[0].id > self._doubtful or (self._there is not None and row.uid not in self._there)
        ]
        try:
            return sink.new_runs(new)
        except Exception as error:
            if not is_refusal(error):
                raise
            return {}  # one at a time, then, to see which of them it is

    def _deliver(self, sink: MlflowSink, whole: TrialRow | None, rows: list[OutboxRow]) -> None:
        number = rows[0].number
        if whole is not None and number not in self._runs:
            self._runs[number] = self._run(sink, whole, maybe_there=rows[0].id <= self._doubtful)
        try:
            sink.publish(self._runs[number], rows, whole)
        except Exception as error:
            if not is_refusal(error):
                raise
            # One odd value must not hold up all others for ever.
            aside = sink.publish_what_it_takes(self._runs[number], rows, whole)
            self._ledger.set_aside(number, aside)
            for value in aside:
                said = f"MLflow refuses {value.what} of trial {number:04d} for good ({value.why})"
                self._say("aside", f"{said}; the ledger keeps it: {self._ledger.config.command('doctor')}")

    def _run(self, sink: MlflowSink, row: TrialRow, *, maybe_there: bool) -> str:
        if row.mlflow_run_id is not None:
            return row.mlflow_run_id
        run_id = (sink.find(row.uid) if maybe_there else None) or sink.new_run(row)
        self._ledger.set_mlflow_run(row.number, run_id)
        return run_id

    def _wait_for_better_times(self, error: Exception) -> None:
        self._log.note(error)
        if is_unknown_there(error) or isinstance(error, sqlite3.OperationalError):  # the store's file may be gone
            self._sink = None
        self._doubtful, self._there = self._ledger.outbox_end(), None
        self._backoff = min(self._longest_s, max(POLL_S, 2 * self._backoff))
        if not self._troubled:
            self._troubled = True
            self._say("trouble", f"{explain_trouble(self._ledger.config, error)}; results wait in the ledger")
