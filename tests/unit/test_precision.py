"""In which precision a GPU multiplies: bf16 and tf32 in training where asked for, IEEE fp32 everywhere else."""

import pytest
import torch

from tests.counting_device import counting_device
from tests.engine import CLASSES, labels, orders, pixels, stack
from trainables.config import TrainingConfig
from trainables.device import prepare
from trainables.pausing import finish
from trainables.precision import check
from trainables.stack.model import StackedModel
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.loop import Training

CUDA = torch.device("cuda")


def fitted(precision: str, model: StackedModel | None = None, epochs: int = 60) -> list[float]:
    """Running losses of the last epoch."""
    seen, recipe = pixels(), TrainingConfig(epochs=epochs, batch_size=20, precision=precision, stop_at_train_loss=None)  # type: ignore[arg-type]
    inputs = Inputs(seen.images.to(CUDA), seen.source.to(CUDA), seen.mean.to(CUDA))
    task = Training((model or stack()).to(CUDA), Examples(inputs, labels().to(CUDA), CLASSES), recipe, orders)  # type: ignore[arg-type]
    while not task.is_finished:
        finish(task.run_epoch())
    return task.running_losses


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_networks_fit_in_every_precision(precision: str) -> None:
    """Steps that share a chunk all have their own weights: with the first step's alone nothing is fitted."""
    with counting_device():
        exact, rounded = fitted("fp32"), fitted(precision)
    assert max(exact) < 0.3
    assert max(rounded) < 0.3
    assert rounded != exact


def test_after_training_convolutions_are_exact() -> None:
    with counting_device() as device:
        prepare(CUDA)
        assert torch.backends.cudnn.conv.fp32_precision == "ieee"  # type: ignore[attr-defined]
        fitted("tf32", epochs=1)
        assert torch.backends.cudnn.conv.fp32_precision == "ieee"  # type: ignore[attr-defined]
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"
        x, kernel = torch.randn(1, 2, 8, 8), torch.randn(3, 2, 3, 3)
        found = torch.nn.functional.conv2d(x.to(CUDA), kernel.to(CUDA)).cpu()
        assert torch.equal(found, torch.nn.functional.conv2d(x, kernel))
        assert device.counts.kernels["convolution"] == 1


def test_a_setting_that_is_not_kept_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgets:
        fp32_precision = property(lambda _self: "tf32", lambda _self, _value: None)

    with counting_device():
        monkeypatch.setattr(torch.backends.cudnn, "conv", Forgets())
        with pytest.raises(RuntimeError, match="PyTorch has"):
            prepare(CUDA)


def test_an_old_gpu_has_no_bf16() -> None:
    with counting_device(capability=(7, 5)), pytest.raises(ValueError, match=r"compute capability 8\.0 .* has 7\.5"):
        check("bf16", CUDA)


def test_of_the_gpu_that_counts_products_are_rounded_where_allowed() -> None:
    with counting_device():
        one, other = torch.randn(4, 4), torch.randn(4, 4)
        torch.backends.cuda.matmul.fp32_precision = "tf32"
        rounded = (one.to(CUDA) @ other.to(CUDA)).cpu()
    assert not torch.equal(rounded, one @ other)
    assert torch.allclose(rounded, one @ other, atol=1e-2)
