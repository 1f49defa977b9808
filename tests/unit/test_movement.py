"""Movement: −Σ w·g over training as autograd has it, kept over pauses and frozen networks, at no cost to others."""

import itertools
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from tests.engine import CLASSES, config, labels, orders, pixels, records, run, stack
from trainables.checkpoints import CheckpointStore
from trainables.compression.evidence import scoring
from trainables.compression.interfaces import CRITERIA
from trainables.config import TrainingConfig
from trainables.pausing import finish
from trainables.training.examples import Examples
from trainables.training.loop import Training
from trainables.trial import TrialContext, run_to_level

RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "decay and l1": {"weight_decay": 0.01, "l1": 0.001},
    "clipped": {"clip_norm": 0.5},
    "adam": {"optimizer": "adam", "lr": 0.01},
}


def tracing(*, traces: bool = True, **recipe: Any) -> Training:
    given = TrainingConfig(**{"epochs": 3, "batch_size": 30, "stop_at_train_loss": None, **recipe})
    return Training(stack(), Examples(pixels(), labels(), CLASSES), given, orders, traces=traces)


@pytest.mark.parametrize("recipe", RECIPES)
def test_it_is_what_autograd_adds_up_over_the_weights_of_each_step(recipe: str) -> None:
    """The gradient is that of the loss alone, before decay, penalties and clipping."""
    training, follower = tracing(**RECIPES[recipe]), tracing(traces=False, **RECIPES[recipe])
    expected = {name: torch.zeros_like(p) for name, p in training.model.named_parameters()}
    step = follower._steps.updates.step

    def watched(model: Any, x: Any, y: Any, loss: Any, lr: Any) -> Any:
        names, parameters = zip(*model.named_parameters(), strict=True)
        summed = functional.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="sum") / y.shape[1]
        for name, p, g in zip(names, parameters, torch.autograd.grad(summed, parameters), strict=True):
            expected[name] -= p.detach() * g
        return step(model, x, y, loss, lr)

    follower._steps.updates.step = watched  # type: ignore[method-assign]
    for _ in range(3):
        finish(training.run_epoch())
        finish(follower.run_epoch())
    assert follower.movement == {}
    for name, tensor in training.model.tensors().items():
        assert torch.equal(tensor, follower.model.tensors()[name]), "tracing changes nothing"
    for name, moved in training.movement.items():
        assert torch.allclose(moved, expected[name], atol=1e-5), name
        assert moved.abs().max() > 0


def test_frozen_networks_keep_theirs_and_a_pause_changes_nothing() -> None:
    whole = tracing(epochs=6)
    for _ in range(2):
        finish(whole.run_epoch())
    rule = sorted(whole.running_losses)[0] + 1e-6
    straight, paused = tracing(epochs=6, stop_at_train_loss=rule), tracing(epochs=6, stop_at_train_loss=rule)
    while not straight.is_finished:
        finish(straight.run_epoch())
    for _ in range(3):
        finish(paused.run_epoch())
    resumed = tracing(epochs=6, stop_at_train_loss=rule)
    resumed.restore(paused.state())
    while not resumed.is_finished:
        finish(resumed.run_epoch())
    assert len(set(straight.epochs)) > 1, "some stop earlier"
    early = min(range(3), key=lambda k: straight.epochs[k])
    short = tracing(epochs=straight.epochs[early])
    while not short.is_finished:
        finish(short.run_epoch())
    for name, moved in straight.movement.items():
        assert torch.equal(moved, resumed.movement[name])
        assert torch.allclose(moved[early], short.movement[name][early], atol=1e-5)


def test_trials_trace_where_the_criterion_asks_and_score_the_same_units_at_every_level() -> None:
    where = TrialContext(0, Path("unused"))
    trial = config(compression__criterion="movement", compression__granularity="weight", training__weight_decay=0.01)
    workspaces = [finish(run_to_level(trial, where, level)) for level in (0, 2)]
    dense, later = workspaces
    assert {*dense.movement} == {name for name, _ in dense.template().named_parameters()}
    assert all(torch.equal(dense.movement[name], moved) for name, moved in later.movement.items())
    everything = [torch.arange(width).repeat(later.networks, 1) for width in later.template().widths]
    seen = scoring(later, later.networks_here(), everything, masks=later.progress.kept_values["masks"])
    score = CRITERIA.get("movement")()
    for name, mask in later.progress.kept_values["masks"].items():
        assert torch.equal(score.weight_scores(seen, name), dense.movement[name] * mask)
    assert finish(run_to_level(config(), where, 0)).movement == {}
    unread = config(compression__criterion="movement", compression__method="low_rank")
    assert finish(run_to_level(unread, where, 0)).movement == {}


def test_in_studies_of_earlier_versions_it_stays_what_it_was() -> None:
    trial = config(compression__criterion="movement")
    workspace = finish(run_to_level(trial, TrialContext(0, Path("unused"), rates_by_epoch=True), 0))
    assert workspace.movement == {}
    everything = [torch.arange(width).repeat(workspace.networks, 1) for width in workspace.level_widths[0]]
    seen = scoring(workspace, workspace.networks_here(), everything)
    name = "layers.0.weight"
    now, then = workspace.networks_here().tensors()[name], workspace.initial().tensors()[name]
    assert torch.equal(CRITERIA.get("movement")().weight_scores(seen, name), now.square() - then.square())


def test_a_resumed_trial_goes_on_with_it(tmp_path: Path) -> None:
    trial = config(compression__criterion="movement", training__stop_at_train_loss=None)
    running = run(trial, CheckpointStore(tmp_path, 1, interval_s=0))
    assert sum(record is not None for record in itertools.islice(running, 9)) < len(records(trial)), "interrupted"
    resumed = [record for record in run(trial, CheckpointStore(tmp_path, 2)) if record is not None]
    assert resumed[-1].networks == records(trial)[-1].networks
