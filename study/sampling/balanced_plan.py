"""A plan of lists and ranges in which all values meet each other equally often, as far as it has come."""

import math

from search_spaces.space import CONDITIONS, Choices, Scalar, SearchSpace
from study.sampling.draws import derive
from study.sampling.factorial import BalancedFactorial
from study.sampling.points import Sobol, values

LARGEST_FACTORIAL = 100_000


class BalancedPlan:
    """Lists as a balanced factorial, conditions first; ranges as a scrambled Sobol sequence beside it.

    A factorial of more than 100,000 cells, of which no study will see a balanced part, is a Sobol sequence as a whole.
    What means something in some trials only is laid out in all, and left out where it does not: so the choice that it
    depends on stays balanced, it is balanced within that choice, and the trials of the other choices are repeated, with
    fresh seeds.
    """

    def __init__(self, space: SearchSpace, seed: int) -> None:
        self._span = space.span
        lists = {name: spanned.values for name, spanned in space.span.items() if isinstance(spanned, Choices)}
        if math.prod(map(len, lists.values())) > LARGEST_FACTORIAL:
            lists = {}
        self._lists = {name: lists[name] for name in sorted(lists, key=lambda name: name not in CONDITIONS)}
        self._rest = {name: spanned for name, spanned in space.span.items() if name not in lists}
        self._factorial = BalancedFactorial([len(choices) for choices in self._lists.values()], seed)
        self._sobol = Sobol(len(self._rest), derive(seed, "design")) if self._rest else None

    def point(self, index: int) -> dict[str, Scalar]:
        """Spanned name → value."""
        levels = self._factorial.point(index)
        listed = {name: lists[level] for (name, lists), level in zip(self._lists.items(), levels, strict=True)}
        ranged = values(self._rest, self._sobol.point(index)) if self._sobol else {}
        return {name: (listed | ranged)[name] for name in self._span}
