"""What every criterion keeps, whoever wrote it."""

import pytest
import torch

from tests.engine import stack
from trainables.compression.interfaces import CRITERIA, Criterion
from trainables.compression.keeping import units_to_keep
from trainables.seeding import generator


def draws(network: int) -> torch.Generator:
    return generator(7, "criterion", network)


@pytest.fixture(params=CRITERIA.names())
def criterion(request: pytest.FixtureRequest) -> Criterion:
    return CRITERIA.get(request.param)()


def test_one_finite_score_a_unit(criterion: Criterion) -> None:
    model = stack()
    for group, width in zip(model.groups, model.widths, strict=True):
        scores = criterion.scores(model, group, draws)
        assert scores.shape == (3, width)
        assert scores.isfinite().all()
        assert not scores.requires_grad


def test_same_generators_same_scores_and_nothing_else_is_touched(criterion: Criterion) -> None:
    model = stack()
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    random = torch.get_rng_state()
    first = criterion.scores(model, model.groups[1], draws)
    assert torch.equal(first, criterion.scores(model, model.groups[1], draws))
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.tensors().items())
    assert all(parameter.grad is None for parameter in model.parameters())
    assert model.training


def test_a_network_is_scored_alone(criterion: Criterion) -> None:
    few, many = stack(2), stack(5)
    assert torch.allclose(
        criterion.scores(few, few.groups[0], draws), criterion.scores(many, many.groups[0], draws)[:2], atol=1e-5
    )


def test_exact_count_on_ten_units_with_ties(criterion: Criterion) -> None:
    model = stack(sizes=(20, 10, 10, 10))
    tensors = model.tensors()
    # Units 0–4 of the first group are one unit five times over.
    tensors["layers.0.weight"][:, :, :5] = tensors["layers.0.weight"][:, :, :1]
    model = model.replaced(tensors)
    scores = criterion.scores(model, model.groups[0], draws)
    for kept in range(1, 11):
        index = units_to_keep(scores, kept, "lowest")
        assert all(len(set(row)) == kept for row in index.tolist())
