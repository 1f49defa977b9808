"""Losses and their gradients against PyTorch's own."""

import pytest
import torch
import torch.nn.functional as F

from tests.counting_device import counting_device
from trainables.training.losses import cross_entropy, soft_cross_entropy, squared_error


def logits(networks: int = 3, examples: int = 8, classes: int = 10) -> torch.Tensor:
    draws = torch.Generator().manual_seed(0)
    return (5 * torch.randn(networks, examples, classes, generator=draws)).requires_grad_()


@pytest.mark.parametrize("transposed", [False, True])
def test_cross_entropy_is_that_of_torch(transposed: bool) -> None:
    z = logits()
    labels = torch.randint(10, (3, 8), generator=torch.Generator().manual_seed(1))
    expected = torch.stack([F.cross_entropy(z[k], labels[k], reduction="none") for k in range(3)])
    (gradient,) = torch.autograd.grad(expected.mean(dim=1).sum(), z)
    given = z.detach().mT.contiguous().mT if transposed else z
    found, found_gradient = cross_entropy(given, labels)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(found_gradient, gradient, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_on_a_gpu_cross_entropy_takes_five_kernels_and_says_the_same(smoothing: float) -> None:
    z, labels = logits().detach(), torch.randint(10, (3, 8), generator=torch.Generator().manual_seed(1))
    expected = cross_entropy(z, labels, smoothing)
    with counting_device() as device:
        there, wanted = z.to("cuda"), labels.to("cuda")
        with device.counting() as counted:
            found = cross_entropy(there, wanted, smoothing)
        losses, gradient = (tensor.cpu() for tensor in found)
    assert counted.total == (5 if not smoothing else 6)
    assert counted.waits == 0
    assert torch.allclose(losses, expected[0], atol=1e-6)
    assert torch.allclose(gradient, expected[1], atol=1e-7)
    assert gradient.is_contiguous(), "what it is multiplied with next wants no copy"


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_soft_cross_entropy_is_that_of_torch(temperature: float) -> None:
    z = logits()
    targets = torch.softmax(logits(examples=8).detach().flip(0), dim=2)
    expected = temperature**2 * torch.stack(
        [F.cross_entropy(z[k] / temperature, targets[k], reduction="none") for k in range(3)]
    )
    (gradient,) = torch.autograd.grad(expected.mean(dim=1).sum(), z)
    found, found_gradient = soft_cross_entropy(z, targets, temperature)
    assert torch.allclose(found, expected, atol=1e-4)
    assert torch.allclose(found_gradient, gradient, atol=1e-5)


def test_losses_leave_logits_and_targets_alone() -> None:
    z = logits().detach()
    targets = torch.softmax(z, dim=2)
    before = z.clone(), targets.clone()
    cross_entropy(z, torch.zeros(3, 8, dtype=torch.int64))
    soft_cross_entropy(z, targets, 2.0)
    squared_error(z, targets)
    assert torch.equal(z, before[0])
    assert torch.equal(targets, before[1])


def test_smoothed_gradients_are_those_of_torch_and_losses_stay_plain() -> None:
    z = logits()
    labels = torch.randint(10, (3, 8), generator=torch.Generator().manual_seed(1))
    smoothed = sum(F.cross_entropy(z[k], labels[k], label_smoothing=0.2) for k in range(3))
    (gradient,) = torch.autograd.grad(smoothed, z)
    found, found_gradient = cross_entropy(z, labels, smoothing=0.2)
    assert torch.equal(found, cross_entropy(z, labels)[0])
    assert torch.allclose(found_gradient, gradient, atol=1e-6)


@pytest.mark.parametrize("outputs", [1, 4])
def test_squared_error_is_that_of_torch(outputs: int) -> None:
    said = logits(classes=outputs)
    targets = torch.randn(3, 8, outputs, generator=torch.Generator().manual_seed(1))
    expected = torch.stack([F.mse_loss(said[k], targets[k], reduction="none").mean(dim=1) for k in range(3)])
    (gradient,) = torch.autograd.grad(expected.mean(dim=1).sum(), said)
    found, found_gradient = squared_error(said, targets)
    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(found_gradient, gradient, atol=1e-6)
