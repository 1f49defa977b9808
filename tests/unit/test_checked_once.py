"""What a launch does no more often than it has to: trials are checked twice, data sets looked for once."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from study.execution.driver import run
from study.settings import creation
from study.storing.restoring import restore_lost
from tests.in_process import in_process
from tests.studies_for_tests import TUNED, a_study
from trainables.config import TrialConfig
from trainables.data import loading

pytestmark = pytest.mark.slow

QUICK = "tests.integration.trials_for_tests:quick"


class Counting:
    """Pydantic's validator of a model, which counts its calls."""

    def __init__(self, validator: Any) -> None:
        self._validator, self.calls = validator, 0

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._validator, name)
        if not name.startswith("validate_"):
            return method

        def counted(*arguments: Any, **options: Any) -> Any:
            self.calls += 1
            return method(*arguments, **options)

        return counted


@contextmanager
def counting() -> Iterator[Counting]:
    before = TrialConfig.__pydantic_validator__
    TrialConfig.__pydantic_validator__ = counting = Counting(before)  # type: ignore[assignment]
    try:
        yield counting
    finally:
        TrialConfig.__pydantic_validator__ = before


def checks(home: Path, trials: int, **fields: Any) -> int:
    """How often trials were checked in a launch of so many, the study's own checks included."""
    config = a_study(home, trials=trials, **fields)
    with counting() as counted:
        assert run(config, trial=QUICK, doors=in_process(slots=1)).exit_code == 0
    return counted.calls


@pytest.mark.parametrize("fields", [{}, {"sampler": "tpe", "span": TUNED}], ids=["design", "tpe"])
def test_a_trial_is_checked_where_it_enters_and_where_a_worker_receives_it(
    fields: dict[str, Any], tmp_path: Path
) -> None:
    checks(tmp_path / "warm", 2, **fields)  # what is imported and remembered once
    few, many = checks(tmp_path / "few", 4, **fields), checks(tmp_path / "many", 10, **fields)
    assert many - few == 2 * 6


def test_what_goes_on_is_checked_as_often(tmp_path: Path) -> None:
    run(a_study(tmp_path, run={"time_budget": 3.5}), trial=QUICK, doors=in_process())
    waiting = a_study(tmp_path)
    with counting() as counted:
        assert run(waiting, trial=QUICK, doors=in_process()).exit_code == 0
    whole = counted.calls
    with counting() as counted:
        assert run(waiting, trial=QUICK, doors=in_process()).exit_code == 0, "nothing is left"
    nothing = counted.calls
    assert whole - nothing <= 2 * 6 + len(waiting.space.span) * 3, "and one of each corner that reads files"


def test_data_sets_are_looked_for_and_ledgers_restored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    def counted(name: str, function: Any) -> Any:
        def call(*arguments: Any) -> Any:
            calls.append(name)
            return function(*arguments)

        return call

    monkeypatch.setattr(loading, "prepare", counted("prepare", loading.prepare))
    monkeypatch.setattr(creation, "restore_lost", counted("restore", restore_lost))
    run(a_study(tmp_path, trials=2), trial=QUICK, doors=in_process())
    assert sorted(calls) == ["prepare", "restore"]
