"""Random orders of all that can happen to a ledger, against a model of dictionaries and lists."""

import json
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import create_engine, text

from study.errors import LeaseHeld, StaleAttempt
from study.ledger import ENDED, LeaseLost, Ledger, Proposal, State
from study.ledger.holder import this_process
from tests.studies_for_tests import a_study, dense

POINT = {"data.label_noise": 1, "model.width": 16}


@dataclass
class Modelled:
    """A trial; `reported`: the last value of each step, `newest`: those of the newest attempt that reported any."""

    role: str = "design"
    state: State = "QUEUED"
    attempts: int = 0
    charged: int = 0
    reported: dict[int, float] = field(default_factory=dict)
    newest: tuple[int, dict[int, float]] = (0, {})


class Life(RuleBasedStateMachine):
    """The ledger, its driver and its publisher."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        config = a_study(Path(self._folder.name))
        self.ledger = Ledger.create(config.ledger_url, config)
        self.ledger.acquire()
        self.model: list[Modelled] = []
        self.outbox: list[tuple[int, str]] = []
        self.added, self.budget = 0, config.trials

    @rule(count=st.integers(1, 2))
    def propose(self, count: int) -> None:
        there = len(self.model)
        assert self.ledger.propose([Proposal(POINT)] * count) == self.ledger.trials(range(there, there + count))
        self.model += [Modelled() for _ in range(count)]

    @rule(count=st.integers(1, 2))
    def add(self, count: int) -> None:
        Ledger.open(self.ledger.url, "tiny").add([POINT] * count)
        self.added += count

    @rule()
    def take_added(self) -> None:
        there = len(self.model)
        assert self.ledger.take_added() == self.ledger.trials(range(there, there + self.added))
        self.model += [Modelled("explore") for _ in range(self.added)]
        self.budget, self.added = self.budget + self.added, 0

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def start(self, data: st.DataObject) -> None:
        number, trial = self._any(data)
        if trial.state in ENDED:
            with pytest.raises(StaleAttempt):
                self.ledger.start_attempt(number)
            return
        trial.attempts, trial.state = trial.attempts + 1, "RUNNING"
        assert self.ledger.start_attempt(number) == trial.attempts
        self.outbox.append((number, "start"))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), step=st.integers(1, 3), value=st.sampled_from([0.5, 0.25]), age=st.sampled_from([0, 0, 0, 1]))
    def record(self, data: st.DataObject, step: int, value: float, age: int) -> None:
        number, trial = self._any(data)
        if trial.state != "RUNNING" or age:
            with pytest.raises(StaleAttempt):
                self.ledger.record(number, trial.attempts - age, [dense(step, loss=value)])
            return
        self.ledger.record(number, trial.attempts, [dense(step, loss=value)])
        if trial.reported.get(step) != value:
            self.outbox.append((number, "step"))
        trial.reported[step] = value
        before = trial.newest[1] if trial.newest[0] == trial.attempts else {}
        trial.newest = (trial.attempts, {**before, step: value})

    @precondition(lambda self: self.model)
    @rule(data=st.data(), state=st.sampled_from(ENDED))
    def finish(self, data: st.DataObject, state: State) -> None:
        number, trial = self._any(data)
        if trial.state == "QUEUED":
            with pytest.raises(StaleAttempt):
                self.ledger.finish(number, trial.attempts, state)
            return
        ended = self.ledger.finish(number, trial.attempts, state)
        assert ended == (self.ledger.trial(number) if trial.state == "RUNNING" else None)
        if trial.state == "RUNNING":
            trial.state = state
            self.outbox.append((number, "end"))

    @precondition(lambda self: self.model)
    @rule(data=st.data(), charged=st.booleans())
    def requeue(self, data: st.DataObject, charged: bool) -> None:
        number, trial = self._any(data)
        self.ledger.requeue(number, charged=charged)
        if trial.state == "RUNNING":
            trial.state, trial.charged = "QUEUED", trial.charged + charged

    @rule()
    def retry(self) -> None:
        failed = [number for number, trial in enumerate(self.model) if trial.state == "FAILED"]
        assert self.ledger.retry_failed() == failed
        for number in failed:
            self.model[number].state, self.model[number].charged = "QUEUED", 0
            self.outbox.append((number, "retry"))

    @rule(many=st.integers(1, 4))
    def deliver(self, many: int) -> None:
        publisher = Ledger.open(self.ledger.url, "tiny").with_fence(self.ledger.fence or 0)
        told = publisher.outbox(many)
        assert [(row.number, row.kind) for row in told] == self.outbox[:many]
        publisher.forget_delivered([row.id for row in told])
        del self.outbox[:many]

    @rule()
    def resign(self) -> None:
        self.ledger.release()
        self._succeed()

    @rule()
    def die(self) -> None:
        """As if the driver had been killed: another one sees that its process is gone."""
        with pytest.raises(LeaseHeld):
            Ledger.open(self.ledger.url, "tiny").acquire()
        gone = json.dumps(this_process().as_json() | {"started": "never"})
        engine = create_engine(self.ledger.url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE ockham_leases SET holder = :gone"), {"gone": gone})
        engine.dispose()
        self._succeed()

    @invariant()
    def the_ledger_says_what_happened(self) -> None:
        rows = self.ledger.trials()
        assert [row.number for row in rows] == list(range(len(self.model)))
        for row, trial in zip(rows, self.model, strict=True):
            assert (row.role, row.state, row.attempts, row.charged) == (
                *(trial.role, trial.state, trial.attempts, trial.charged),
            )
            steps = trial.newest[1]
            assert row.metrics == ({"train/loss": steps[max(steps)]} if steps else {})
        assert [(row.number, row.kind) for row in self.ledger.outbox()] == self.outbox
        assert self.ledger.added_waiting() == self.added
        assert Ledger.open(self.ledger.url, "tiny").config.trials == self.budget

    def teardown(self) -> None:
        self.ledger.close()
        self._folder.cleanup()

    def _succeed(self) -> None:
        """Another driver takes over; the old one, if it still lives, can write nothing."""
        old, self.ledger = self.ledger, Ledger.open(self.ledger.url, "tiny")
        self.ledger.acquire()
        for write in (lambda: old.propose([Proposal(POINT)]), old.take_added, old.retry_failed, old.heartbeat):
            with pytest.raises(LeaseLost):
                write()
        old.close()

    def _any(self, data: st.DataObject) -> tuple[int, Modelled]:
        number = data.draw(st.sampled_from(range(len(self.model))))
        return number, self.model[number]


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=20, stateful_step_count=30)
