"""Repeated units are folded into one, and their output weights summed (Casper et al. 2019, arXiv:1912.04783).

The pair of units of a layer whose activations correlate most goes first: w_i' = w_i + w_j for the output weights of the
unit that stays (the one with the larger activations), whose own input weights are left as they are. `fitted=true` adds
slope · w_j with the least-squares slope of activation j on activation i, which also suits pairs of different size.
Units of convolutions are channels, their activations at all pixels. Units that are never active go first.

Correlations are those of a bounded sample of training examples; layer after layer. Biases stay, batch norm is
recalibrated. `merged_correlation` is the mean over the pairs folded at a level that have a correlation: how repeated
they were; `merged_constant` the share of those without, one of which says the same to all examples (most often 0).

Cost: a pass over the sample a layer, units² · examples, and units² a pair.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Level, Method

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Merge(Method):
    """Exactly the level's widths stay, as with `prune`; the other units live on in those."""

    reports: ClassVar[tuple[str, ...]] = ("merged_correlation", "merged_constant")
    undefined_reasons: ClassVar[Mapping[str, str]] = {
        "merged_correlation": "in all pairs that were folded a unit says the same of all examples"
    }

    fitted: bool = Field(False, description="scale added output weights by the least-squares slope between activations")

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """The networks of the level before with fewer units."""
        from trainables.compression.merging import merge_to

        return merge_to(workspace, level, fitted=self.fitted)


ENTRY = Merge
