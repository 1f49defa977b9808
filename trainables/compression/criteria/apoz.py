"""1 − APoZ: the share of a unit's activations that are not zero (Hu et al. 2016, arXiv:1607.03250).

Over training examples and pixels; the authors remove units with a high average percentage of zeros.
Cost: one pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Criterion

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.looking.scoring import Scoring
    from trainables.stack.model import UnitGroup


class Apoz(Criterion):
    """Units that are zero most often score low."""

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """[K, units] in [0, 1]."""
        return scoring.activations(group).values.flatten(2).ne(0).double().mean(dim=2)


ENTRY = Apoz
