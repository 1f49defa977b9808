"""Parameter counts of known networks, as in the papers or the implementations that everybody compares with."""

import pytest

from trainables.config import ModelConfig
from trainables.stack.interfaces import MODELS

MNIST, CIFAR, IMAGENET = (1, 28, 28), (3, 32, 32), (3, 224, 224)


@pytest.mark.parametrize(
    ("name", "shape", "classes", "parameters"),
    [
        ("lenet_300_100", MNIST, 10, 266_610),
        ("lenet5", MNIST, 10, 61_706),
        ("lenet5", CIFAR, 10, 62_006),
        # Frankle & Carbin: 4.3 M, 2.4 M and, not to be met by the layers of their own figure 2, 1.7 M.
        ("conv2", CIFAR, 10, 4_301_642),
        ("conv4", CIFAR, 10, 2_425_930),
        ("conv6", CIFAR, 10, 2_262_602),
        # open_lth, cifar_resnet_20; with the parameter-free shortcuts of He et al. it would be 269,722.
        ("resnet20", CIFAR, 10, 272_474),
        # torchvision, and the form for small images that is usual since kuangliu/pytorch-cifar.
        ("resnet18", IMAGENET, 1000, 11_689_512),
        ("resnet18", CIFAR, 10, 11_173_962),
        # Zagoruyko & Komodakis: WRN-16-4, 2.75 M.
        ("wide_resnet", CIFAR, 10, 2_748_890),
    ],
)
def test_published_parameters(name: str, shape: tuple[int, ...], classes: int, parameters: int) -> None:
    model = MODELS.get(name)()
    assert model.parameter_count(model.widths(ModelConfig(name=name)), shape, classes) == parameters


@pytest.mark.parametrize(
    ("depth", "width", "classes", "parameters"),
    [(40, 32, 10, 2_243_546), (16, 128, 10, 10_961_370), (28, 160, 10, 36_479_194), (28, 160, 100, 36_536_884)],
)
def test_published_wide_resnets(depth: int, width: int, classes: int, parameters: int) -> None:
    """2.2 M, 11.0 M, 36.5 M in table 2 and 4 of the paper."""
    model = MODELS.get("wide_resnet").model_validate({"depth": depth})
    widths = model.widths(ModelConfig.model_validate({"name": "wide_resnet", "width": width}))
    assert model.parameter_count(widths, CIFAR, classes) == parameters


@pytest.mark.parametrize(
    ("name", "shape", "classes", "multiply_adds"),
    [
        ("resnet18", IMAGENET, 1000, 1_814_073_344),
        ("resnet18", CIFAR, 10, 555_422_720),
        # He et al. say 40.55 M for the form without projections.
        ("resnet20", CIFAR, 10, 40_813_184),
        ("conv2", CIFAR, 10, 43_780_608),
    ],
)
def test_published_multiply_adds(name: str, shape: tuple[int, ...], classes: int, multiply_adds: int) -> None:
    model = MODELS.get(name)()
    assert model.multiply_adds(model.widths(ModelConfig(name=name)), shape, classes) == multiply_adds


def test_width_multiplies() -> None:
    model = MODELS.get("resnet20")()
    assert model.widths(ModelConfig(name="resnet20", width=8))[:5] == (8, 8, 8, 8, 16)
    assert model.widths(ModelConfig(name="resnet20", width=20))[-1] == 80
