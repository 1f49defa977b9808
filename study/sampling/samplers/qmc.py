"""A quasi-random sequence."""

from search_spaces.space import Scalar, SearchSpace
from study.sampling.draws import derive
from study.sampling.interfaces import LayoutSampler
from study.sampling.points import Sobol, values


class SobolPlan:
    """A scrambled Sobol sequence over lists and ranges alike."""

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span = space.span
        self._sobol = Sobol(len(space.span), derive(seed, "qmc")) if space.span else None

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        return values(self._span, self._sobol.point(index)) if self._sobol else {}


class Qmc(LayoutSampler):
    """A scrambled Sobol sequence: covers ranges evenly however long it is."""

    name = "qmc"

    def layout(self, space: SearchSpace, seed: int) -> SobolPlan:
        """Endless."""
        return SobolPlan(space, seed)


ENTRY = Qmc
