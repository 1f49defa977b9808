"""Chunks of steps as CUDA graphs, on a device that plays them back: the same numbers as step by step."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.counting_device import CountingDevice, counting_device
from tests.engine import CLASSES, config, labels, orders, pixels, stack
from trainables.config import ModelConfig, TrainingConfig
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS
from trainables.stack.model import StackedModel
from trainables.training import chunks, graphs
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.learning import Learning
from trainables.training.loop import Training
from trainables.trial import TrialContext, run_trial

pytestmark = pytest.mark.slow

CUDA = torch.device("cuda")


def training(model: StackedModel, **recipe: Any) -> Training:
    seen, k = pixels(model.networks), model.networks
    inputs = Inputs(seen.images.to(CUDA), seen.source.to(CUDA), seen.mean.to(CUDA))
    if not hasattr(model, "layers"):
        inputs = Inputs(inputs.images.reshape(1, 100, 1, 4, 5), inputs.source, inputs.mean)
    defaults = {"epochs": 8, "batch_size": 15, "stop_at_train_loss": None}
    recipe = TrainingConfig(**{**defaults, **recipe})
    return Training(model.to(CUDA), Examples(inputs, labels(k).to(CUDA), CLASSES), recipe, orders)  # type: ignore[arg-type]


def network(name: str, **fields: Any) -> StackedModel:
    config = ModelConfig.model_validate({"name": name, "width": 6, **fields})
    model = MODELS.get(name)()
    return model.build(config, model.widths(config), (1, 4, 5), 10, [generator(1, k) for k in range(3)])


def trained(task: Training) -> dict[str, torch.Tensor]:
    while not task.is_finished:
        finish(task.run_epoch())
    return {name: tensor.cpu() for name, tensor in task.write_back().tensors().items()}


def without_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_self: Any, steps: graphs.Steps, _shape: Any, gather: graphs.Gather, rates: torch.Tensor) -> Any:
        return steps(*gather(), rates)

    monkeypatch.setattr(graphs.StepGraphs, "run", run)


RECIPES: dict[str, dict[str, Any]] = {
    "plain": {},
    "rates change": {"schedule": "cosine", "warmup_epochs": 2.0},
    "adam": {"optimizer": "adam", "lr": 0.01, "clip_norm": 0.7, "l1": 1e-4},
    "smoothed": {"label_smoothing": 0.2, "nesterov": True, "weight_decay": 0.01},
    "bf16": {"precision": "bf16"},
    "networks freeze": {"stop_at_train_loss": 2.0, "epochs": 20},
}


@pytest.mark.parametrize("name", RECIPES)
def test_graphs_train_bit_for_bit_what_steps_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with counting_device() as device:
        monkeypatch.setattr(chunks, "_MOST_BATCHES", 3)
        by_graph = training(stack(), **RECIPES[name])
        found = trained(by_graph)
        replays = device.counts.total - device.counts.launches
        without_graphs(monkeypatch)
        step_by_step = training(stack(), **RECIPES[name])
        expected = trained(step_by_step)
    assert replays > 0, "graphs were used"
    if name == "networks freeze":
        assert len(set(by_graph.epochs)) > 1
    assert by_graph.epochs == step_by_step.epochs
    assert by_graph.running_losses == step_by_step.running_losses
    assert all(torch.equal(found[n], expected[n]) for n in expected)


def test_what_is_learned_is_noted_from_replayed_graphs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def noted() -> dict[str, torch.Tensor]:
        task = training(stack(), lr=0.3)
        task.learning = Learning(3, 100, CUDA)
        trained(task)
        return {name: tensor.cpu() for name, tensor in task.learning.state().items()}

    with counting_device():
        monkeypatch.setattr(chunks, "_MOST_BATCHES", 3)
        found = noted()
        without_graphs(monkeypatch)
        expected = noted()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert (found["learned"] > 1).any()
    assert found["forgotten"].any()


@pytest.mark.parametrize("name", ["mlp", "conv2", "wide_resnet"])
def test_dropout_and_batch_norm_go_on_from_step_to_step(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fields: dict[str, Any] = {"dropout": 0.3}
    with counting_device():
        found = trained(training(network(name, **fields), epochs=4))
        without_graphs(monkeypatch)
        expected = trained(training(network(name, **fields), epochs=4))
    assert all(torch.equal(found[n], expected[n]) for n in expected)


def test_a_restored_training_does_not_go_on_with_old_graphs() -> None:
    with counting_device():
        task = training(stack(), optimizer="adam")
        for _ in range(3):
            finish(task.run_epoch())
        state = task.state()
        left = {n: t.clone() for n, t in state["tensors"].items()}
        optimizer = {n: [t.clone() for t in ts] for n, ts in state["optimizer"].items()}
        straight = trained(task)
        task.restore(state | {"tensors": left, "optimizer": optimizer})
        again = trained(task)
    assert all(torch.equal(again[n], straight[n]) for n in straight)


def test_an_epoch_waits_once_and_a_step_keeps_no_books() -> None:
    with counting_device() as device:
        task = training(stack(), batch_size=5, epochs=9)
        for _ in range(3):
            finish(task.run_epoch())
        with device.counting() as epoch:
            finish(task.run_epoch())
        alone = one_step(device)
    assert epoch.waits == 1
    assert epoch.total - 20 * alone <= 2 * 20
    assert epoch.launches < 25


def one_step(device: CountingDevice) -> int:
    """Kernels of a step itself."""
    task = training(stack())
    x, y = torch.randn(3, 10, 1, 1, 20).to(CUDA), labels(examples=10).to(CUDA)
    with device.counting() as found:
        task._steps.updates.step(task.model.train(), x, y, task.examples.loss(), torch.tensor(0.1).to(CUDA))
    return found.total


def test_levels_are_not_waited_for() -> None:
    """A level of ten networks: what is said of them comes to the host together, not number by number."""
    trial = config(replicates=5, data__split=(60, 30, 30), training__epochs=3, compression__depth=2)
    found = {}
    with counting_device() as device:
        last = device.counts.copy()
        for record in run_trial(trial, TrialContext(0, Path("unused"), "cuda")):
            if record is not None:
                found[record.stage, record.step] = device.counts.since(last)
                last = device.counts.copy()
    assert found["level", 2].waits <= 3
    assert found["level", 2].total <= 170
    assert found["dense", 2].waits <= 3, "of the epoch, the quick look, its record"


def test_a_mask_is_drawn_for_many_steps_at_once() -> None:
    """Dropout takes two kernels a layer and step, to and fro, and what is drawn once a chunk."""
    kernels = {}
    with counting_device() as device:
        for rate in (0.0, 0.3):
            for batches in (10, 20):
                task = training(network("mlp", dropout=rate), batch_size=100 // batches)
                for _ in range(3):
                    finish(task.run_epoch())
                with device.counting() as epoch:
                    finish(task.run_epoch())
                kernels[rate, batches] = epoch.total
    layers = 2
    for batches in (10, 20):
        assert kernels[0.3, batches] - kernels[0.0, batches] <= layers * (2 * batches + 60)


METHODS = {
    **{"prune, weights": 4, "prune, weights overall": 4, "prune, units overall": 5, "merge": 5},
    **{"share": 3, "quantize": 3, "hashed": 2, "sketch": 2, "sensing": 2, "low_rank": 4, "dct": 6},
}
OF_PRUNING = {
    "weights": {"granularity": "weight"},
    "weights overall": {"granularity": "weight", "scope": "global"},
    "units overall": {"scope": "global"},
}


@pytest.mark.parametrize("name", METHODS)
def test_nor_are_those_of_other_methods(name: str) -> None:
    method, _, how = name.partition(", ")
    fields = {f"compression__{field}": value for field, value in OF_PRUNING.get(how, {}).items()}
    fields["compression__method"] = method
    trial = config(replicates=5, data__split=(40, 20, 20), training__epochs=1, compression__depth=2, **fields)
    with counting_device() as device:
        last = device.counts.copy()
        for record in run_trial(trial, TrialContext(0, Path("unused"), "cuda")):
            if record is not None and record.stage == "level":
                if record.step == 2:
                    assert device.counts.since(last).waits <= METHODS[name]
                last = device.counts.copy()
