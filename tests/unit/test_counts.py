"""What training and levels ask of a GPU doesn't grow: kernels and waits, counted on the device that counts."""

import pytest

from tests.gpu.counts import measure

pytestmark = pytest.mark.slow

# Kernels a step, launches an epoch of 20 steps, kernels and waits of a level: at most so many.
LIMITS = {"digits x 10": (23, 20, 170, 3), "lenet x 10": (23, 20, 170, 3), "conv2 x 4": (35, 20, 240, 3)}


@pytest.mark.parametrize("name", LIMITS)
def test_a_gpu_is_not_asked_for_more_than_it_was(name: str) -> None:
    step, launches, level, waits = LIMITS[name]
    found = measure(name)
    assert found[f"{name}: kernels a step"] <= step
    assert found[f"{name}: of them books"] <= 2
    assert found[f"{name}: launches an epoch"] <= launches
    assert found[f"{name}: waits an epoch"] == 1, "at its end"
    assert found[f"{name}: kernels a level"] <= level
    assert found[f"{name}: waits a level"] <= waits
