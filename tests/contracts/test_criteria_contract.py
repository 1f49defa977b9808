"""What every criterion keeps, whoever wrote it, on affine layers and on convolutions with batch norm."""

import sys
from typing import Literal

import pytest
import torch
from torch import Tensor

from tests.engine import scoring, stack
from trainables.compression.interfaces import CRITERIA, Criterion
from trainables.compression.keeping import units_to_keep
from trainables.looking.places import weight_names
from trainables.seeding import generator
from trainables.stack.model import StackedModel
from trainables.stack.network import StackedNetwork
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import BatchNorm, Conv, Linear, MaxPool, ReLU, Residual

PLAN: Plan = (
    *(Conv("a", bias=False), BatchNorm(), ReLU(), MaxPool()),
    *(Residual((Conv("b", bias=False), BatchNorm(), ReLU(), Conv("a", bias=False), BatchNorm())), ReLU()),
    Linear(CLASSES),
)
IMAGE = (2, 6, 6)
Kind = Literal["affine", "convolutional"]


def build(kind: Kind, networks: int = 3) -> StackedModel:
    if kind == "affine":
        return stack(networks, sizes=(20, 10, 12, 10))
    draws = [generator(0, "init", network) for network in range(networks)]
    model = StackedNetwork(PLAN, (10, 8), IMAGE, 10, init_scale=1.0, draws=draws)
    for tensor in model.tensors().values():
        if tensor.ndim == 2:
            # Batch norm as if trained.
            tensor.add_(torch.stack([torch.rand(tensor.shape[1], generator=draw) for draw in draws]))
    return model


def shape(kind: Kind) -> tuple[int, ...]:
    return (1, 1, 20) if kind == "affine" else IMAGE


@pytest.fixture(params=["affine", "convolutional"])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture(params=CRITERIA.names())
def criterion(request: pytest.FixtureRequest, kind: Kind) -> Criterion:
    criterion = CRITERIA.get(request.param)()
    try:
        all_scores(criterion, build(kind), shape(kind))
    except ValueError as refused:  # for what this model lacks; no criterion is refused for both
        if kind != "affine":
            raise
        pytest.skip(str(refused))
    return criterion


def all_scores(criterion: Criterion, model: StackedModel, shape: tuple[int, ...]) -> list[Tensor]:
    seen = scoring(model, input_shape=shape)
    scores = [criterion.scores(seen, group) for group in model.groups]
    if criterion.scores_weights:
        scores += [criterion.weight_scores(seen, name) for name in weight_names(model)]
    return scores


def test_one_finite_score_each(criterion: Criterion, kind: Kind) -> None:
    model = build(kind)
    wanted: list[tuple[int, ...]] = [(3, width) for width in model.widths]
    if criterion.scores_weights:
        wanted += [tuple(model.tensors()[name].shape) for name in weight_names(model)]
    scores = all_scores(criterion, model, shape(kind))
    assert [tuple(score.shape) for score in scores] == wanted
    for score in scores:
        assert score.isfinite().all()
        assert not score.requires_grad
        assert score.unique().numel() > 1, "not all units are the same"


def test_same_generators_same_scores_and_nothing_else_is_touched(criterion: Criterion, kind: Kind) -> None:
    model = build(kind)
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    random, mode = torch.get_rng_state(), model.training
    first, again = (all_scores(criterion, model, shape(kind)) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.tensors().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert all(module.training == mode and not module._forward_hooks for module in model.modules())


def test_a_network_is_scored_alone(criterion: Criterion, kind: Kind) -> None:
    few, many = (all_scores(criterion, build(kind, networks), shape(kind)) for networks in (2, 5))
    for one, other in zip(few, many, strict=True):
        assert torch.allclose(one, other[:2], rtol=1e-4, atol=1e-6)


def test_how_many_examples_are_looked_at_does_not_depend_on_company_or_width() -> None:
    """Large images, whose activations fill the memory."""
    image, counts = (1, 40, 40), []
    for networks, widths in ((1, (10, 8)), (8, (10, 8)), (2, (60, 40))):
        draws = [generator(0, "init", network) for network in range(networks)]
        model = StackedNetwork(PLAN, widths, image, 10, init_scale=1.0, draws=draws)
        seen = scoring(model, input_shape=image)
        counts.append([seen.activations(group).values.shape[2] for group in model.groups])
    assert counts[0] == counts[1] == counts[2]
    # Places: 40 × 40 and once more 20 × 20 of the residual sum; 20 × 20.
    assert counts[0] == [min(90, 65536 // 2000), min(90, 65536 // 400)]


@pytest.mark.parametrize("direction", ["lowest", "highest"])
def test_exact_nested_counts_on_ten_units_with_ties(
    criterion: Criterion, kind: Kind, direction: Literal["lowest", "highest"]
) -> None:
    model = build(kind)
    group = model.groups[0]
    tensors = model.tensors()
    for cut in group.incoming:
        # Units 0–4 of the first group are one unit five times over.
        tensors[cut.tensor].narrow(cut.axis, 0, 5).copy_(tensors[cut.tensor].narrow(cut.axis, 0, 1).clone())
    scores = criterion.scores(scoring(model.with_tensors(tensors), input_shape=shape(kind)), group)
    larger = [set(range(10))] * 3
    for kept in range(10, 0, -1):
        rows = [set(row) for row in units_to_keep([scores], [kept], direction)[0].tolist()]
        assert all(len(row) == kept for row in rows)
        assert all(row <= before for row, before in zip(rows, larger, strict=True)), "nested over levels"
        larger = rows


def test_only_criteria_that_use_data_or_the_start_pay_for_them(criterion: Criterion, kind: Kind) -> None:
    model = build(kind)
    seen = scoring(model, input_shape=shape(kind))
    criterion.scores(seen, model.groups[0])
    said = sys.modules[type(criterion).__module__].__doc__ or ""
    _, states_its_cost, cost = said.partition("Cost:")
    assert not states_its_cost or ("sample" in vars(seen)) == ("example" in cost.partition("\n\n")[0])
    assert ("initial" in vars(seen)) == criterion.needs_initial


def test_batch_norm_scale_is_refused_without_batch_norm() -> None:
    model = build("affine")
    with pytest.raises(ValueError, match="hidden_1 of this model has none"):
        CRITERIA.get("batch_norm_scale")().scores(scoring(model), model.groups[0])


def test_units_have_no_weight_scores_where_only_units_can_be_scored() -> None:
    model = build("affine")
    with pytest.raises(ValueError, match="scores units, not single weights"):
        CRITERIA.get("apoz")().weight_scores(scoring(model), "layers.0.weight")
