"""Recoveries as chains over levels: tickets, their controls, and where they rewind to."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import config, records, run
from trainables.checkpoints import CheckpointStore
from trainables.compression.combinations import check
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import METHODS, CompressionResult, Level, RecoveryResult
from trainables.compression.recovery import recover
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.workspace import Workspace

pytestmark = pytest.mark.slow

TICKET = {
    "compression__granularity": "weight",
    "compression__criterion": "magnitude_l1",
    "compression__depth": 3,
    "compression__recovery_epochs": 6,
    "data__label_noise": 0.0,
    "replicates": 2,
}
LATE = {"compression__recovery": "rewind", "compression__recovery_epochs": 4}


def workspace_of(recovery: str, **fields: Any) -> Workspace:
    trial = config(**{**TICKET, "compression__recovery": recovery, **fields})
    return new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))


def dense(workspace: Workspace) -> CompressionResult:
    stack = workspace.initial()
    training = workspace.training("dense", stack, workspace.train_examples, workspace.config.training)
    while not training.is_finished:
        finish(training.run_epoch())
    workspace.progress.level = 0
    workspace.progress.kept_values = {"rewind": training.snapshot}
    return CompressionResult(stack, [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths])


def chain(workspace: Workspace, levels: int = 3) -> list[RecoveryResult]:
    last, made = dense(workspace), []
    for number in range(1, levels + 1):
        level = Level(number, workspace.level_widths[number], last.stack, last.origin, masks=last.masks)
        workspace.progress.level = number - 1
        made.append(finish(recover(workspace, level, finish(METHODS.get("prune")().compress(workspace, level)))))
        workspace.progress.finish_level(number, [], workspace.progress.kept_values)
        last = made[-1].next_start
    return made


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_controls_are_of_the_very_tickets_that_rewinding_finds() -> None:
    tickets, fresh, moved = (chain(workspace_of(recovery)) for recovery in ("rewind", "reinit", "shuffled"))
    for level, (ticket, reinit, shuffled) in enumerate(zip(tickets, fresh, moved, strict=True), start=1):
        assert ticket.result is ticket.next_start
        assert ticket.result.masks is not None
        assert reinit.result.masks is not None
        assert shuffled.result.masks is not None
        assert same(ticket.result.masks, reinit.result.masks)
        assert not same(ticket.result.masks, shuffled.result.masks)
        for name, mask in ticket.result.masks.items():
            assert torch.equal(mask.flatten(1).sum(1), shuffled.result.masks[name].flatten(1).sum(1))
        for control in (reinit, shuffled):
            assert not same(control.result.stack.tensors(), ticket.result.stack.tensors())
            if level < 3:
                assert same(control.next_start.stack.tensors(), ticket.next_start.stack.tensors())
            else:
                assert control.next_start is control.result, "nobody needs the ticket after the last level"


def test_a_level_is_pruned_from_the_ticket_that_was_trained() -> None:
    first, second, _ = chain(workspace_of("rewind"))
    assert first.next_start.masks is not None
    assert second.next_start.masks is not None
    for name, before in first.next_start.masks.items():
        weights = first.next_start.stack.tensors()[name].abs()
        kept = second.next_start.masks[name]
        assert not (kept & ~before).any()
        for k in range(2):
            gone = before[k] & ~kept[k]
            assert weights[k][kept[k]].min() >= weights[k][gone].max()


@pytest.mark.parametrize(("epochs", "steps"), [(1, 4), (1.5, 6), (0.25, 1)])
def test_late_rewinding_goes_back_to_that_very_step(epochs: float, steps: int) -> None:
    """150 examples in batches of 40 are 4 steps an epoch."""
    workspace = workspace_of("rewind", compression__rewind_to=epochs, training__stop_at_train_loss=None)
    assert workspace.snapshot_at == steps
    dense(workspace)
    again = workspace_of("rewind")
    stack = again.initial()
    recipe = again.config.training.model_copy(update={"epochs": 2})
    training = again.training("dense", stack, again.train_examples, recipe)
    weights = []
    step = training._steps.updates.step

    def listening(*given: Any) -> Any:
        said = step(*given)
        weights.append({name: tensor.clone() for name, tensor in stack.tensors().items()})
        return said

    training._steps.updates.step = listening  # type: ignore[method-assign]
    while not training.is_finished:
        finish(training.run_epoch())
    assert same(weights[steps - 1], workspace.rewind_point().tensors())
    assert not same(weights[steps], workspace.rewind_point().tensors())


def test_without_rewind_to_the_start_is_drawn_again() -> None:
    workspace = workspace_of("rewind")
    dense(workspace)
    assert same(workspace.rewind_point().tensors(), workspace.initial().tensors())


@pytest.mark.parametrize("recovery", ["rewind", "shuffled"])
@pytest.mark.parametrize("stop", [3, 9, 12])
def test_a_resumed_ticket_ends_as_an_undisturbed_one(tmp_path: Path, recovery: str, stop: int) -> None:
    trial = config(
        **{
            **TICKET,
            "compression__recovery": recovery,
            "compression__rewind_to": 1.5,
            "training__stop_at_train_loss": None,
        }
    )
    expected = [record.metrics for record in records(trial)]
    going = (record for record in run(trial, CheckpointStore(tmp_path, 1, interval_s=0)) if record is not None)
    list(itertools.islice(going, stop))
    going.close()
    found = [record.metrics for record in run(trial, CheckpointStore(tmp_path, 2, interval_s=0)) if record is not None]
    assert [{n: v for n, v in m.items() if "cost/" not in n} for m in found] == [
        {n: v for n, v in m.items() if "cost/" not in n} for m in expected
    ]


def test_early_stopping_is_reported_of_tickets_and_of_their_scratch_arm() -> None:
    found = records(config(**{**TICKET, "compression__recovery": "rewind"}))
    for record in found:
        if record.stage == "level":
            assert 1 <= record.metrics["level/early_stop_epoch"] <= 5
            if record.step:
                assert 1 <= record.metrics["baseline/level/early_stop_epoch"] <= 2
    assert all(row["early_stop_epoch"] is not None for row in found[-1].networks)
    plain = records(config(replicates=1))
    assert "level/early_stop_epoch" not in plain[-2].metrics


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compression__rewind_to": 1.0}, "which recovery=none does not do"),
        (
            {**LATE, "compression__rewind_to": 5.0, "training__stop_at_train_loss": None},
            "no moment before the end of dense training",
        ),
        ({**LATE, "compression__rewind_to": 1.0}, "stop_at_train_loss=0.01 may stop some before"),
        (
            {"compression__method": "distill", "compression__recovery": "reinit", "compression__recovery_epochs": 4},
            "networks of distill have none",
        ),
    ],
)
def test_what_cannot_be_rewound_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(config(**fields))
