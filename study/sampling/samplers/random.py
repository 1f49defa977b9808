"""Independent uniform draws."""

import numpy as np

from search_spaces.space import Scalar, SearchSpace
from study.sampling.draws import derive
from study.sampling.interfaces import LayoutSampler
from study.sampling.points import values


class Draws:
    """Independent uniform draws; each point has its own generator."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span, self._seed = space.span, seed

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        draws = np.random.default_rng(derive(self._seed, "random", index))
        return values(self._span, [float(u) for u in draws.random(len(self._span))])


class Random(LayoutSampler):
    """Uniform draws: the baseline of every search."""

    name = "random"

    def layout(self, space: SearchSpace, seed: int) -> Draws:
        """Endless."""
        return Draws(space, seed)


ENTRY = Random
