"""A study that is interrupted, killed and resumed ends like one that ran undisturbed."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from study.errors import LeaseHeld, StudyMismatch
from study.execution.driver import run
from tests.in_process import in_process_and_told
from tests.integration import trials_for_tests
from tests.integration.driving import (
    Lines,
    config,
    drive,
    family,
    lasting,
    on_ray_too,
    optuna_trials,
    read_until,
    rows,
    runs,
    store,
    survivors,
)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
NAME, TRIALS = "study", 8


def _agent(process: psutil.Process) -> bool:
    """Whether it is one of Ray's agents, which on a busy machine may not have given themselves that name yet."""
    try:
        return "agent" in " ".join([process.name(), *process.cmdline()]).lower()
    except psutil.NoSuchProcess:
        return True


@on_ray_too
def test_interrupted_and_killed_the_result_is_the_same(
    ray: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Ray it is killed in any case."""
    disturbed, calm = tmp_path / "disturbed", tmp_path / "calm"

    let_end(disturbed, 0)  # all others wait where they are to be caught
    first = drive(disturbed, NAME, "gated_levels", TRIALS, ray=ray)
    read_until(first, "end", times=1)
    with pytest.raises(LeaseHeld, match=f"process {first.pid}"):
        run(config(disturbed, NAME, TRIALS), trial=trials_for_tests.gated_levels)
    with pytest.raises(StudyMismatch, match="seed"):
        run(config(disturbed, NAME, TRIALS).model_copy(update={"seed": 1}))
    children = family(first)
    assert len(children) > (3 if ray else 0), "Ray and the publisher"
    begun = time.monotonic()
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does it: to the driver and to all its children
    said, _ = first.communicate(timeout=60)
    assert first.returncode == 130, said
    assert time.monotonic() - begun < 25
    assert "finished 130 interrupted by SIGINT" in said
    assert survivors(children, within_s=1) == []
    assert {row.state for row in rows(disturbed, NAME)} <= {"QUEUED", "COMPLETE"}
    assert sum(row.charged for row in rows(disturbed, NAME)) == 0

    let_end(disturbed, 1, 2)
    second = drive(disturbed, NAME, "gated_levels", TRIALS)
    said_second = read_until(second, "end", times=2)
    said_second += read_until(second, "start")  # so that one certainly runs: between two trials a slot is idle
    children = family(second)
    os.kill(second.pid, signal.SIGKILL)
    second.communicate()
    assert any(line.startswith("message resuming study") for line in said_second)
    # Ray's two agents try to reach its dead head for a minute before they give up; they touch nothing of the study.
    assert [p for p in survivors(children, within_s=20) if not _agent(p)] == []
    assert "RUNNING" in {row.state for row in rows(disturbed, NAME)}

    let_end(disturbed, *range(TRIALS))
    lines = Lines()
    doors = in_process_and_told()
    monkeypatch.setattr(trials_for_tests, "LEVEL_S", 0)
    outcome = run(config(disturbed, NAME, TRIALS), trial=trials_for_tests.gated_levels, listener=lines, doors=doors)
    assert outcome.exit_code == 0
    assert any("interrupted trials go on" in line for line in lines.lines)
    undisturbed = run(config(calm, NAME, TRIALS), trial=trials_for_tests.quick, doors=in_process_and_told())
    assert undisturbed.exit_code == 0

    found, expected = rows(disturbed, NAME), rows(calm, NAME)
    assert [row.state for row in found] == ["COMPLETE"] * TRIALS
    assert [(row.number, row.params) for row in found] == [(row.number, row.params) for row in expected]
    assert [lasting(row) for row in found] == [lasting(row) for row in expected]
    assert max(row.attempts for row in found) > 1
    assert len(runs(store(disturbed), NAME)) == TRIALS
    assert [lasting_run(r) for r in runs(store(disturbed), NAME)] == [lasting_run(r) for r in runs(store(calm), NAME)]
    assert [trial.params for trial in optuna_trials(disturbed, NAME)] == [
        trial.params for trial in optuna_trials(calm, NAME)
    ]
    repeated = Counter(step for row in found for step in work_done_twice(disturbed, row.number))
    assert sum(repeated.values()) <= 4, "at most the level in progress of two trials, at each of two interruptions"


def let_end(home: Path, *numbers: int) -> None:
    """Opens the gates of these trials."""
    (home / "data").mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (home / "data" / f"open-{number}").touch()


def lasting_run(found: object) -> dict[str, float]:
    """Metrics of an MLflow run that have to be the same in every run."""
    metrics = found.data.metrics  # type: ignore[attr-defined]
    return {name: value for name, value in metrics.items() if not name.startswith("cost/")}


def work_done_twice(home: Path, number: int) -> list[int]:
    """Steps that a trial computed more than once."""
    text = (home / NAME / "trials" / f"{number:04d}" / "work.txt").read_text()
    counts = Counter(json.loads(line)[0] for line in text.splitlines())
    return [step for step, times in counts.items() if times > 1]
