"""What runs next: how long it is waited for, and what comes before what."""

import io
import pickle
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from study.clock import WallClock
from study.execution import backlog as module
from study.execution.asking import ProposerInPlace, serve
from study.execution.backlog import PATIENCE_S, Backlog
from study.execution.leftovers import sweep
from study.ledger import Ledger, Proposal, TrialRow
from study.settings.resume_request import ResumeRequest, grant
from study.stop_flag import StopFlag
from tests.studies_for_tests import TUNED, a_ledger
from trainables.config import TrialConfig

POINT = {"model.width": 99, "training.lr": 0.1, "training.batch_size": 25}


class Late:
    """A source that has nothing yet when it is asked, and one proposal more at each later look.

    Attributes:
        silent: Whether it has nothing at all.
        waited: Seconds spent waiting for it.
        meanwhile: Called at each look.
    """

    def __init__(self, *, silent: bool = False, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.silent, self.waited, self._meanwhile = silent, 0.0, meanwhile
        self._asked: list[int] = []
        self._fresh = False

    def ask(self, numbers: Sequence[int], history: Sequence[TrialRow], added: int) -> None:
        self._asked, self._fresh = list(numbers), True

    def take(self, *, wait_s: float) -> list[Proposal]:
        self.waited += wait_s
        self._meanwhile()
        fresh, self._fresh = self._fresh, False
        if self.silent or (fresh and not wait_s):
            return []
        return [Proposal(POINT, role="explore", seen="", number=self._asked.pop(0))]

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("slots", [1, 2, 4])
def test_what_was_added_does_not_wait_until_an_adaptive_sampler_rests(
    slots: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.0)
    study = a_ledger(tmp_path, trials=40, sampler="random", span=TUNED)
    adaptive = study.config.model_copy(update={"sampler": "tpe"})
    backlog = Backlog(study, adaptive, Late(), slots, StopFlag())
    begun: list[int] = []
    running: list[int] = []
    while True:
        while len(running) < slots and (assignment := backlog.next(wait=not running)):
            study.start_attempt(assignment.number)
            backlog.on_start(assignment.number, 1)
            begun.append(assignment.number)
            running.append(assignment.number)
        if not running:
            break
        study.finish(running[0], 1, "COMPLETE")
        backlog.on_end(study.trial(running.pop(0)))
        if len(begun) == 8:
            study.add([POINT])
    added = [row.number for row in study.trials() if row.added]
    assert begun.index(added[0]) < 8 + 2 * slots
    assert sorted(begun) == list(range(40 + len(added)))


def test_a_slot_waits_once_and_then_leaves_the_driver_alone(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, trials=40, sampler="tpe", span=TUNED)
    source = Late(silent=True)

    class Waited(WallClock):
        """On which time passes only while the source is waited for."""

        def monotonic(self) -> float:
            return source.waited

    backlog = Backlog(study, study.config, source, 2, StopFlag(), clock=Waited())
    for _ in range(10):
        assert backlog.next(wait=False) is None
    assert source.waited == pytest.approx(PATIENCE_S)
    source.silent = False
    assert backlog.next(wait=False)
    source.silent = True
    assert backlog.next(wait=False) is None
    assert source.waited == pytest.approx(2 * PATIENCE_S), "the next idle time has a patience of its own"


@pytest.mark.parametrize("stop", [StopFlag.raise_for, StopFlag.drain_for])
def test_nothing_keeps_a_study_waiting_that_is_to_stop(stop: Callable[[StopFlag, str], None], tmp_path: Path) -> None:
    study, flag = a_ledger(tmp_path, trials=40, sampler="tpe", span=TUNED), StopFlag()
    source = Late(silent=True, meanwhile=lambda: stop(flag, "stop requested") if source.waited > 0.2 else None)
    assert Backlog(study, study.config, source, 2, flag).next(wait=True) is None


def test_a_slow_sampler_hands_over_each_proposal_when_it_has_it(tmp_path: Path) -> None:
    config = a_ledger(tmp_path, sampler="tpe", span=TUNED).config
    requests, answers = io.BytesIO(), io.BytesIO()
    pickle.dump(config.model_dump_json(), requests)
    pickle.dump(([0, 1, 2], [], 0), requests)
    requests.seek(0)
    serve(requests, answers)
    answers.seek(0)
    assert [pickle.load(answers).number for _ in range(3)] == [0, 1, 2]


def test_what_is_added_to_a_study_that_was_shrunk_runs_and_no_trial_too_many(tmp_path: Path) -> None:
    study = a_ledger(tmp_path, trials=24, sampler="random")
    assert run(study, 10) == list(range(10))
    sweep(study)
    grant(study, ResumeRequest(trials=12), lambda _: None)
    study.add([{"model.width": 99}])
    grant(study, ResumeRequest(), lambda _: None)
    assert run(study) == [24, 10, 11]
    assert study.counts()["COMPLETE"] == study.config.trials == 13
    grant(study, ResumeRequest(trials="+14"), lambda _: None)
    assert run(study) == [*range(12, 24), 25, 26], "what had been proposed, then new ones"
    assert study.counts()["COMPLETE"] == study.config.trials == 27


def test_a_configuration_is_validated_once_on_its_way_to_the_worker_and_is_the_proposed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = a_ledger(tmp_path, trials=3, sampler="random")
    study.add([{"model.width": 99}])
    validated: list[dict[str, Any]] = []
    validate = TrialConfig.model_validate
    monkeypatch.setattr(TrialConfig, "model_validate", lambda values: validated.append(values) or validate(values))
    backlog = Backlog(study, study.config, ProposerInPlace(study.config), 1, StopFlag())
    sent: dict[int, str] = {}
    while assignment := backlog.next(wait=True):
        sent[assignment.number] = assignment.config
        study.start_attempt(assignment.number)
        backlog.on_start(assignment.number, 1)
    assert len(validated) == len(sent) == 4
    prints = {number: TrialConfig.model_validate_json(text).fingerprint() for number, text in sent.items()}
    assert prints == {row.number: row.fingerprint for row in study.trials()}


def run(study: Ledger, most: int = 100) -> list[int]:
    """Ends at most so many trials, one after the other; their numbers."""
    backlog = Backlog(study, study.config, ProposerInPlace(study.config), 1, StopFlag())
    ended: list[int] = []
    while len(ended) < most and (assignment := backlog.next(wait=True)):
        attempt = study.start_attempt(assignment.number)
        backlog.on_start(assignment.number, attempt)
        study.finish(assignment.number, attempt, "COMPLETE")
        backlog.on_end(study.trial(assignment.number))
        ended.append(assignment.number)
    return ended
