"""Parameter counts and widths that must never change."""

import pytest

from search_spaces import catalog
from trainables.compression.sizing import level_widths
from trainables.models.mlp import MLP


@pytest.mark.parametrize(
    ("widths", "shape", "parameters", "multiply_adds"),
    [
        ((512, 512), (1, 28, 28), 669_706, 668_672),
        ((300, 100), (1, 28, 28), 266_610, 266_200),
        ((64, 64), (1, 8, 8), 8_970, 8_832),
        ((512, 512, 512), (3, 32, 32), 2_103_818, 2_102_272),
    ],
)
def test_mlp(widths: tuple[int, ...], shape: tuple[int, ...], parameters: int, multiply_adds: int) -> None:
    assert MLP().parameter_count(widths, shape, 10) == parameters
    assert MLP().multiply_adds(widths, shape, 10) == multiply_adds


def test_levels_of_the_redundancy_study() -> None:
    space = catalog.get("redundancy")
    point = {"data.label_noise": 1.0, "compression.criterion": "random", "model.width": 64}
    shallow, deep = (
        level_widths(space.config({**point, "compression.depth": depth}), (1, 8, 8), 10) for depth in (6, 12)
    )
    assert [widths[0] for widths in shallow] == [64, 46, 32, 22, 15, 10, 6]
    assert [widths[0] for widths in deep] == [64, 54, 46, 38, 32, 27, 22, 18, 15, 12, 10, 8, 6]
