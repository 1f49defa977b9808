"""Unit rankings against torch-pruning's, for the criteria that both have."""

import warnings
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.engine import scoring, stack
from trainables.compression.interfaces import CRITERIA
from trainables.looking.scoring import Scoring
from trainables.seeding import generator
from trainables.stack.model import StackedModel
from trainables.stack.network import StackedNetwork
from trainables.stack.step import CLASSES
from trainables.stack.steps import BatchNorm, Conv, Linear, MaxPool, ReLU

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch_pruning

FIRST = {"group_reduction": "first", "normalizer": None}
OTHERS = {
    "magnitude_l1": torch_pruning.importance.GroupMagnitudeImportance(p=1, **FIRST),
    "magnitude_l2": torch_pruning.importance.GroupMagnitudeImportance(p=2, **FIRST),
    "lamp": torch_pruning.importance.GroupMagnitudeImportance(p=2, group_reduction="first", normalizer="lamp"),
    "snip": torch_pruning.importance.GroupTaylorImportance(multivariable=False, **FIRST),
    "taylor": torch_pruning.importance.GroupTaylorImportance(multivariable=True, **FIRST),
    "fpgm": torch_pruning.importance.FPGMImportance(p=1, **FIRST),
    "fisher": torch_pruning.importance.GroupHessianImportance(**FIRST),
    "batch_norm_scale": torch_pruning.importance.BNScaleImportance(group_reduction="first", normalizer=None),
}
EXAMPLES = 12
FIELDS = {"snip": {"at": "trained"}, "fisher": {"examples": EXAMPLES}}


def models() -> Iterator[tuple[StackedModel, tuple[int, ...]]]:
    yield stack(2), (1, 1, 20)
    plan = (Conv("a"), BatchNorm(), ReLU(), MaxPool(), Conv("b"), BatchNorm(), ReLU(), Linear(CLASSES))
    draws = [generator(3, "init", k) for k in range(2)]
    made = StackedNetwork(plan, (9, 7), (2, 6, 6), 10, init_scale=1.0, draws=draws)
    for tensor in made.tensors().values():
        if tensor.ndim == 2:
            tensor.add_(torch.rand(tensor.shape, generator=draws[0]))
    yield made, (2, 6, 6)


def theirs(name: str, seen: Scoring, k: int) -> list[Tensor]:
    """Their score of each unit of each layer but the last."""
    network = seen.stack.unstack(k)
    inputs, labels = seen.sample.inputs[k], seen.sample.labels[k]
    functional.cross_entropy(network(inputs), labels).backward()
    if name == "fisher":
        put_squared_gradients(network, inputs[:EXAMPLES], labels[:EXAMPLES])
    graph = torch_pruning.DependencyGraph().build_dependency(network, example_inputs=inputs[:2])
    scores = []
    *layers, _ = [module for module in network.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    for layer in layers:
        if isinstance(layer, nn.Linear):
            remove, units = torch_pruning.prune_linear_out_channels, layer.out_features
        else:
            remove, units = torch_pruning.prune_conv_out_channels, layer.out_channels
        scores.append(OTHERS[name](graph.get_pruning_group(layer, remove, idxs=list(range(units)))))
    return scores


def put_squared_gradients(network: nn.Module, inputs: Tensor, labels: Tensor) -> None:
    """The mean square of single gradients where theirs looks for it; its own `accumulate_grad` keeps the last alone."""
    parameters = list(network.parameters())
    for p in parameters:
        p.grad = torch.zeros_like(p)
    for x, y in zip(inputs, labels, strict=True):
        gradients = torch.autograd.grad(functional.cross_entropy(network(x[None]), y[None]), parameters)
        for p, gradient in zip(parameters, gradients, strict=True):
            assert p.grad is not None
            p.grad += gradient.square() / len(inputs)


def comparable(name: str, model: StackedModel) -> StackedModel:
    """The model, so changed that both formulas are the same."""
    tensors = model.tensors()
    if name == "fpgm":
        # Theirs takes distances of |w|, which are ours where no weight is negative.
        return model.with_tensors({n: t.abs() if t.ndim > 2 else t for n, t in tensors.items()})
    if name == "taylor":
        # Theirs leaves biases out.
        return model.with_tensors({n: t * (not n.endswith(".bias")) for n, t in tensors.items()})
    return model


@pytest.mark.parametrize("name", OTHERS)
def test_units_are_ranked_as_torch_pruning_ranks_them(name: str) -> None:
    compared = 0
    for model, shape in models():
        if name == "batch_norm_scale" and len(shape) == 3 and shape[0] == 1:
            continue
        seen = scoring(comparable(name, model), input_shape=shape)
        criterion = CRITERIA.get(name)(**FIELDS.get(name, {}))
        for k in range(model.networks):
            for group, their in zip(model.groups, theirs(name, seen, k), strict=True):
                ours = criterion.scores(seen, group)[k]
                assert ours.argsort().tolist() == their.argsort().tolist(), group.name
                compared += 1
    assert compared >= 4
