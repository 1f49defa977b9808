"""A trial that is stopped anywhere goes on from its checkpoint, bit for bit as if nothing had happened."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.engine import config, records, run
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.record import Record

TRIALS: dict[str, dict[str, Any]] = {
    "prune": {"compression__criterion": "random", "training__stop_at_train_loss": 2.0},
    "finetune": {"compression__recovery": "finetune", "compression__recovery_epochs": 5},
    "rewind": {"compression__recovery": "rewind", "compression__recovery_epochs": 3, "training__optimizer": "adam"},
    "distill": {
        "compression__method": "distill",
        "compression__distill": {"epochs": 2},
        "compression__transfer": "gaussian",
    },
    "subset": {
        "data__subset": 0.6,
        "data__noise_draw": "study",
        "compression__recovery": "finetune",
        "compression__recovery_epochs": 2,
    },
    "regression": {
        "data__name": "teacher",
        "data.teacher.task": "regression",
        "data__noise_kind": "permuted",
        "training__lr": 0.01,
        "training__stop_at_train_loss": 0.5,
        "compression__recovery": "rewind",
        "compression__recovery_epochs": 2,
    },
}


def trial(name: str) -> TrialConfig:
    fields = dict(TRIALS[name])
    options = fields.pop("compression__distill", {})
    return config(replicates=2, **{f"compression.distill.{key}": value for key, value in options.items()}, **fields)


def comparable(found: list[Record]) -> list[dict[str, Any]]:
    """Everything but what a run costs, arrays as bytes."""
    return [
        asdict(record)
        | {"metrics": {k: v for k, v in record.metrics.items() if not k.startswith("cost/")}}
        | {part: {k: v.tobytes() for k, v in getattr(record, part).items()} for part in ("arrays", "examples")}
        for record in found
    ]


def stopped_after(config: TrialConfig, store: CheckpointStore, steps: int) -> list[Record]:
    """Records seen until the generator was dropped."""
    seen = []
    for step, record in enumerate(run(config, store), start=1):
        if record is not None:
            seen.append(record)
        if step == steps:
            break
    return seen


# Those that go on from a checkpoint in ways of their own; the others among the ends.
FIRST = ("prune", "finetune", "distill")


@pytest.mark.parametrize(
    "name", [*FIRST, *(pytest.param(name, marks=pytest.mark.ends) for name in TRIALS if name not in FIRST)]
)
def test_stopped_at_any_step(name: str, tmp_path: Path) -> None:
    whole = list(run(trial(name)))
    expected, steps = comparable([record for record in whole if record is not None]), len(whole)
    for stop in range(1, steps, max(1, steps // 12)):
        store = CheckpointStore(tmp_path / str(stop), 1, interval_s=0)
        seen = comparable(stopped_after(trial(name), store, stop))
        assert seen == expected[: len(seen)]
        again = CheckpointStore(tmp_path / str(stop), 2, interval_s=0)
        assert comparable([r for r in run(trial(name), again) if r is not None]) == expected, f"stopped at {stop}"


def test_stopped_over_and_over(tmp_path: Path) -> None:
    """Each attempt gets a little further than its checkpoint; in the end the records are those of a straight run."""
    expected = comparable(records(trial("finetune")))
    for attempt in range(1, 200):
        store = CheckpointStore(tmp_path, attempt, interval_s=0)
        before = store.latest()
        reported = len(before["records"]) if before else 0
        seen = comparable(stopped_after(trial("finetune"), store, reported + 20))
        assert seen == expected[: len(seen)]
        if len(seen) == len(expected):
            break
    assert len(seen) == len(expected)
    assert attempt > 5


def test_checkpoint_of_another_trial_is_refused(tmp_path: Path) -> None:
    stopped_after(trial("prune"), CheckpointStore(tmp_path, 1, interval_s=0), 8)
    with pytest.raises(ValueError, match="belongs to trial"):
        next(run(config(replicates=3), CheckpointStore(tmp_path, 2)))
