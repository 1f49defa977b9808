"""Stacks: together and apart they say the same, and what is cut away is really gone."""

import pytest
import torch
from torch import Tensor

from tests.engine import stack


def images(examples: int = 7, features: int = 20) -> Tensor:
    return torch.randn(examples, 1, 1, features, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("classes", [2, 10, 15, 16, 100])
def test_unstacked_network_says_what_the_stack_says(classes: int) -> None:
    model, x = stack(sizes=(20, 16, 12, classes)), images()
    together = model(x.expand(3, *x.shape))
    for network in range(3):
        assert torch.allclose(model.unstack(network)(x), together[network], atol=1e-5)


def test_unstacked_network_is_a_copy() -> None:
    model = stack()
    alone = model.unstack(0)
    with torch.no_grad():
        next(alone.parameters()).zero_()
    assert model.tensors()["layers.0.weight"][0].abs().sum() > 0


def test_unstacking_draws_no_random_number() -> None:
    model, before = stack(), torch.get_rng_state()
    model.unstack(1)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("classes", [10, 40])
def test_gradients_are_those_of_ordinary_networks(classes: int) -> None:
    model, x = stack(sizes=(20, 16, 12, classes)), images()
    model(x.expand(3, *x.shape)).square().sum().backward()
    for network in range(3):
        alone = model.unstack(network)
        alone(x).square().sum().backward()
        expected = [p.grad if p.ndim == 1 else p.grad.t() for p in alone.parameters() if p.grad is not None]
        found = [p.grad[network].squeeze(0) for p in model.parameters() if p.grad is not None]
        assert len(expected) == len(found) == 6
        for one, other in zip(expected, found, strict=True):
            assert torch.allclose(one, other, rtol=1e-4, atol=1e-4)


def test_a_network_does_not_depend_on_how_many_there_are() -> None:
    few, many = stack(2).tensors(), stack(9).tensors()
    assert all(torch.equal(few[name], many[name][:2]) for name in few)


def test_initial_weights_are_he_normal_and_biases_zero() -> None:
    tensors = stack(40, (200, 100, 50, 10)).tensors()
    # Standard error of a deviation from n draws: σ/√(2n); 5 of them, so a false alarm about once in a million.
    weight = tensors["layers.0.weight"]
    expected = (2 / 200) ** 0.5
    assert abs(weight.std() - expected) < 5 * expected / (2 * weight.numel()) ** 0.5
    assert abs(weight.mean()) < 5 * expected / weight.numel() ** 0.5
    assert not tensors["layers.0.bias"].any()


def test_shrunken_stack_says_what_the_masked_one_says() -> None:
    model, x = stack(), images()
    keep = [
        torch.tensor([[0, 3, 9], [1, 2, 15], [4, 5, 6]]),
        torch.tensor([[11, 0], [3, 4], [7, 8]]),
    ]
    small = model.keep_units(keep)
    masked = stack().tensors()
    for layer, index in enumerate(keep):
        mask = torch.zeros(3, model.widths[layer]).scatter_(1, index, 1.0)
        masked[f"layers.{layer}.weight"] *= mask[:, None, :]
        masked[f"layers.{layer}.bias"] *= mask[:, None, :]
    x = x.expand(3, *x.shape)
    assert torch.allclose(small(x), model.with_tensors(masked)(x), atol=1e-5)
    assert small.widths == (3, 2)
    assert small.parameters_per_network == 20 * 3 + 3 + 3 * 2 + 2 + 2 * 10 + 10
    assert model.widths == (16, 12)


def test_kept_units_must_fit_the_groups() -> None:
    one = torch.zeros(3, 1, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"hidden_1, hidden_2.*need 2"):
        stack().keep_units([one])
    with pytest.raises(ValueError, match=r"hidden_2.*\[3, kept"):
        stack().keep_units([one, one[:2]])


def test_outputs_are_in_no_group() -> None:
    model = stack()
    cut = {(c.tensor, c.axis) for group in model.groups for c in group.cuts}
    assert ("layers.2.weight", 2) not in cut
    assert ("layers.2.bias", 2) not in cut
    assert ("layers.0.weight", 1) not in cut


def test_select_copies_and_write_puts_back() -> None:
    model = stack()
    chosen = model.select([2, 0])
    assert torch.equal(chosen.tensors()["layers.1.weight"], model.tensors()["layers.1.weight"][[2, 0]])
    with torch.no_grad():
        for parameter in chosen.parameters():
            parameter.add_(1)
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    model.write([2, 0], chosen)
    for name, tensor in model.tensors().items():
        assert torch.equal(tensor[1], before[name][1])
        assert torch.equal(tensor[[2, 0]], before[name][[2, 0]] + 1)


def test_incoming_weights_of_a_unit_are_its_column() -> None:
    model = stack()
    weights = model.incoming_weights(model.groups[1])
    assert weights.shape == (3, 12, 16)
    assert torch.equal(weights[1, 5], model.tensors()["layers.1.weight"][1, :, 5])
