"""Small stacks, data and trials for the tests of the engine."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from trainables.checkpoints import CheckpointStore
from trainables.config import TrainingConfig, TrialConfig
from trainables.dotted import unflatten
from trainables.looking.look import Look
from trainables.looking.measure import Measure, MeasureResult, finish_measure
from trainables.looking.scoring import Sample, Scoring
from trainables.pausing import finish
from trainables.record import Record
from trainables.seeding import generator
from trainables.stack.mlp import StackedMLP
from trainables.stack.model import StackedModel
from trainables.tasks.classification import Classification
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.loop import Training
from trainables.trial import TrialContext, run_trial

CLASSES = Classification()


def config(**fields: Any) -> TrialConfig:
    """A trial of half a second: 150 digits, 12-12 units; `data__name` stands for `data.name`."""
    small = {
        "data.split": (150, 60, 60),
        "data.label_noise": 0.5,
        "model.width": 12,
        "training.epochs": 5,
        "training.batch_size": 40,
        "compression.depth": 2,
        "compression.target_ratio": 4.0,
        "replicates": 3,
    }
    given = {name.replace("__", "."): value for name, value in fields.items()}
    if "compression.rate" in given:
        del small["compression.target_ratio"]
    return TrialConfig.model_validate(unflatten({**small, **given}))


def stack(networks: int = 3, sizes: tuple[int, ...] = (20, 16, 12, 10), seed: int = 0) -> StackedMLP:
    """Network k depends on (seed, k) alone."""
    return StackedMLP(sizes, 1.0, [generator(seed, "init", network) for network in range(networks)])


def plain_network(tensors: Mapping[str, Tensor], network: int) -> nn.Sequential:
    """One network of a stack as an ordinary one with the same weights: affine maps, ReLU between them."""
    steps: list[nn.Module] = []
    for place in range(sum(name.endswith(".weight") for name in tensors)):
        weight = tensors[f"layers.{place}.weight"][network].T
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.weight.data = weight.clone()
        layer.bias.data = tensors[f"layers.{place}.bias"][network].flatten().clone()
        steps += [layer, nn.ReLU()]
    return nn.Sequential(*steps[:-1])


def pixels(networks: int = 3, examples: int = 100, features: int = 20) -> Inputs:
    """Uniform noise images that all networks share."""
    images = torch.randint(256, (1, examples, 1, 1, features), dtype=torch.uint8, generator=generator(1, "images"))
    return Inputs(images, torch.zeros(networks, dtype=torch.int64), torch.tensor([127.0]))


def labels(networks: int = 3, examples: int = 100, classes: int = 10) -> Tensor:
    """Random labels; those of network k do not depend on how many there are."""
    return torch.stack([torch.randint(classes, (examples,), generator=generator(2, k)) for k in range(networks)])


def orders(epoch: int, networks: list[int]) -> Tensor:
    """Batch orders of 100 examples."""
    return torch.stack([torch.randperm(100, generator=generator(3, epoch, k)) for k in networks])


def training(model: StackedMLP, **recipe: Any) -> Training:
    """Of `model` on `pixels` and `labels`."""
    defaults = {"epochs": 3, "batch_size": 30, "stop_at_train_loss": None}
    k = model.networks
    return Training(model, Examples(pixels(k), labels(k), CLASSES), TrainingConfig(**{**defaults, **recipe}), orders)


def run(config: TrialConfig, store: CheckpointStore | None = None, number: int = 0) -> Iterator[Record | None]:
    """The trial's own generator."""
    return run_trial(config, TrialContext(number, Path("unused"), checkpoints=store))


def records(config: TrialConfig, number: int = 0) -> list[Record]:
    """All records of the trial."""
    return [record for record in run(config, number=number) if record is not None]


def scoring(model: StackedModel, part: str = "", input_shape: tuple[int, ...] = (1, 1, 20)) -> Scoring:
    """What criteria may look at, for `stack` or a smaller one; initial weights are other random ones."""
    return Scoring(model, **_seen(model, f"criterion/{part}", input_shape))


def look(model: StackedModel, input_shape: tuple[int, ...] = (1, 1, 20), *, origin: bool = True, **more: Any) -> Look:
    """What measures may look at, for the same stacks, and the same examples with other true labels.

    Args:
        origin: Whether units come from dense networks.
        **more: As for `Look`.
    """
    k = model.networks
    seen = _seen(model, "measure", input_shape)
    images = torch.randn(1, 80, *input_shape, generator=generator(5, "validation")).expand(k, -1, -1, -1, -1)
    sample = seen["sample"]()
    truth = (sample.labels + (torch.arange(sample.count) % 3 == 0)) % 10
    index = torch.arange(sample.count).expand(k, -1)
    seen["sample"] = lambda: Sample(sample.inputs, sample.labels, CLASSES, truth, index)

    def none() -> StackedModel:
        raise ValueError("these units come from no dense network")

    if not origin:
        seen["initial"] = none
    given = {
        "dense": lambda: model if origin else None,
        "twin": seen["initial"] if origin else lambda: None,
        "validation": lambda: Sample(images, labels(k, 80), CLASSES, labels(k, 80)),
    }
    return Look(model, **{**seen, **given, **more})


def taken(measure: Measure, seen: Look) -> MeasureResult:
    """What the measure finds, without a pause."""
    return finish(finish_measure(measure.measure(seen)))


def _seen(model: StackedModel, who: str, input_shape: tuple[int, ...]) -> dict[str, Any]:
    images = torch.randn(1, 90, *input_shape, generator=generator(4, "images")).expand(model.networks, -1, -1, -1, -1)
    widths = model.widths

    def initial() -> StackedModel:
        kept = [torch.arange(width).repeat(model.networks, 1) for width in widths]
        noise = {
            name: torch.stack([torch.rand(t.shape[1:], generator=generator(6, name, k)) for k in range(len(t))]) - 0.4
            if t.ndim > 2
            else t
            for name, t in model.tensors().items()
        }
        return model.with_tensors(noise).keep_units(kept)

    return {
        "initial": initial,
        "sample": lambda: Sample(images, labels(model.networks, 90), CLASSES),
        "draws": lambda name, network: generator(7, who, name, network),
        "input_shape": input_shape,
    }
