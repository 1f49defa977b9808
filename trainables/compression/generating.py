"""A small network that generates the weights of a large one."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor

from trainables.compression.budgets import allowed_parameters, hidden_layers, with_encoding
from trainables.compression.description import SEED_BITS
from trainables.compression.interfaces import METHODS, CompressionResult, Level, Method
from trainables.compression.sizing import shrunk_widths
from trainables.compression.writing import DrawSource, Encoding, Expand, Expansion, Maker, Part, output_axis
from trainables.looking.places import weight_names
from trainables.moving import to_device
from trainables.pausing import Pausing
from trainables.stack.generated import GeneratedStack
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace

# Variance of tanh of a standard normal.
_TANH_VARIANCE = 0.394


@dataclass(frozen=True)
class Generator:
    """Weights of all layers but the classifier, block by block: scale · (tanh(z A + a) G + g).

    Args:
        shapes: Layer → shape of its tensor, without the axis of networks.
        scales: Layer → deviation that its weights start with.
        block: Weights a block.
        size: Of the embeddings z, and of the hidden layer.
    """

    shapes: dict[str, tuple[int, ...]]
    scales: dict[str, float]
    block: int
    size: int

    @property
    def fixed_numbers(self) -> dict[str, Tensor]:
        """None."""
        return {}

    @property
    def blocks(self) -> int:
        """Blocks of all layers together; the last of each layer may be cut off."""
        return sum(math.ceil(math.prod(shape) / self.block) for shape in self.shapes.values())

    @property
    def count(self) -> int:
        """Numbers of one generator, embeddings included."""
        return self.size * (self.blocks + self.size + 1 + self.block) + self.block

    def start(self, draws: list[torch.Generator]) -> dict[str, Tensor]:
        """Numbers with which weights start as independent as they can, of the layers' deviations."""

        def normal(*shape: int, variance: float) -> Tensor:
            return torch.stack([torch.randn(shape, generator=draw) for draw in draws]) * math.sqrt(variance)

        return {
            "embeddings": normal(self.blocks, self.size, variance=1.0),
            "hidden": normal(self.size, self.size, variance=1 / self.size),
            "hidden_bias": torch.zeros(len(draws), 1, self.size),
            "outputs": normal(self.size, self.block, variance=1 / (_TANH_VARIANCE * self.size)),
            "outputs_bias": torch.zeros(len(draws), 1, self.block),
        }

    def weights(self, numbers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Layer → [K, …]."""
        hidden = torch.tanh(numbers["embeddings"] @ numbers["hidden"] + numbers["hidden_bias"])
        blocks = hidden @ numbers["outputs"] + numbers["outputs_bias"]
        made, place = {}, 0
        for name, shape in self.shapes.items():
            size = math.prod(shape)
            taken = math.ceil(size / self.block)
            flat = blocks[:, place : place + taken].flatten(1)[:, :size]
            made[name] = flat.reshape(len(flat), *shape) * self.scales[name]
            place += taken
        return made


class Generated(Expansion):
    """Weights are what a method makes of trained numbers.

    Attributes:
        method: Its name; `options` are its fields.
        level: Whose networks these are.
        allowed: Parameters that networks may have.
        kept: Layers that are stored as they are.
    """

    kind: Literal["generated"] = "generated"
    method: str
    options: dict[str, Any]
    level: int
    allowed: float
    kept: tuple[str, ...]

    def expander(self, source: DrawSource, shape: StackedModel, start: Mapping[str, Tensor]) -> Expand:
        """Makes the method's maker again."""
        method = METHODS.get(self.method).model_validate(self.options)
        fresh = source.fresh(shape.widths, self.method, self.level)
        return self.by(method.maker(source, fresh, self.allowed))

    def by(self, maker: Maker) -> Expand:
        """The function, of a maker that is there."""
        return lambda values: {
            **maker.weights({**values, **maker.fixed_numbers}),
            **{name: values[name] for name in self.kept},
        }


def trained_numbers(
    workspace: Workspace, level: Level, method: Method, *, epochs: int, lr: float | None, seeds: int
) -> Pausing[CompressionResult]:
    """Networks of the dense shape whose weights are made of fewer numbers, which are trained on the labels."""
    name = type(method).__module__.rpartition(".")[2]
    shape = workspace.fresh(level.widths, name, level.number)
    allowed = allowed_parameters(workspace, level.number, CompressionResult(shape, None))
    generator = method.maker(workspace, shape, allowed)
    draws = [
        workspace.draws(f"{name} numbers", level.number, k % workspace.replicates) for k in range(workspace.networks)
    ]
    device = next(shape.parameters()).device
    numbers = {name: to_device(tensor, device) for name, tensor in generator.start(draws).items()}
    stack = GeneratedStack(shape, numbers, generator.weights, generator.fixed_numbers)
    recipe = workspace.fixed_recipe(epochs, lr)
    yield from workspace.fit(name, stack, workspace.train_examples, recipe)
    trained = stack.ordinary()
    parts = {name: Part(tensor.detach().clone()) for name, tensor in stack.numbers.items()}
    kept = tuple(name for name in weight_names(trained)[-1:] if name not in generator.shapes)
    parts |= {name: Part(trained.tensors()[name], channels=2) for name in kept}
    options = method.model_dump(mode="json")
    expansion = Generated(method=name, options=options, level=level.number, allowed=allowed, kept=kept)
    written = Encoding(parts, expansion.by(generator), expansion, SEED_BITS * seeds)
    widths = shrunk_widths(workspace.config, workspace.input_shape, workspace.data.num_classes)[level.number]
    result = with_encoding(workspace, CompressionResult(trained, None, epochs, recipe), written)
    return replace(result, scratch_widths=widths)


def generated_parameters(stack: StackedModel, generator: Generator) -> int:
    """Parameters of one network: those of the generator, and all that is not generated."""
    return generator.count + stack.parameters_per_network - sum(math.prod(shape) for shape in generator.shapes.values())


def generator_for(stack: StackedModel, allowed: float, block: int | None, init_scale: float) -> Generator:
    """The generator with the longest embeddings at which networks have at most `allowed` parameters, at least 1.

    Weights start with the deviation init_scale · √(2/inputs of a unit), as ordinary ones do.

    Args:
        block: None: the root of the number of weights, at which embeddings and outputs cost the same.
    """
    tensors, shapes = stack.tensors(), hidden_layers(stack)
    weights = sum(shape.numel() for shape in shapes.values())
    inputs = {name: shape.numel() // tensors[name].shape[output_axis(tensors[name])] for name, shape in shapes.items()}
    scales = {name: init_scale * math.sqrt(2 / count) for name, count in inputs.items()}
    found = {name: tuple(tensors[name].shape[1:]) for name in shapes}
    block, size = block or round(math.sqrt(weights)), 1
    while generated_parameters(stack, Generator(found, scales, block, size + 1)) <= allowed:
        size += 1
    return Generator(found, scales, block, size)
