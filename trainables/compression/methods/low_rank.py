"""Truncated singular value decomposition of every layer but the classifier (Denton et al. 2014, arXiv:1404.0736).

W ≈ U_r S_r V_rᵀ: a matrix W [m, n] is stored as two factors of m · r + r · n numbers; the closest matrix of rank r in
the Frobenius norm (Eckart & Young 1936). A convolution is the matrix [outputs, inputs · kernel²]: a convolution into r
channels and a 1 × 1 one. Where the factors would be no smaller than the matrix it stays whole; biases, batch norm
(recalibrated) and the classifier stay as they are.

`of=update` truncates the update from initialisation instead: W ≈ Z + P_r(W − Z), P_r the projection on the r largest
singular directions (Nagarajan & Kolter 2019, arXiv:1902.04742: few directions suffice for true labels, more for random
ones). Z is drawn again from its seed and costs 64 bits.

Cost: one decomposition a layer and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class LowRank(Rewriting):
    """Level l keeps the largest share of every layer's full rank at which the ratio reaches target_ratio^(l/depth).

    Ranks are rounded down, but never below 1. Networks are kept multiplied out: they have the shape of the dense ones,
    and parameters and multiply-adds are those of the factors (of an update multiply-adds are the dense ones).
    """

    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    of: Literal["weights", "update"] = Field("weights", description="what is truncated: W, or W − Z from its initial Z")

    @property
    def needs_trained_weights(self) -> bool:
        """An update is from the initial weights."""
        return self.of == "update"

    def least_parameters(self, stack: StackedModel) -> int:
        """All of rank 1."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.low_rank import rank_price, ranks_for

        return parameters_with(stack, ranks_for(stack, 0), rank_price(stack))

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks with smaller ranks."""
        from trainables.compression.low_rank import by_rank

        yield
        return by_rank(workspace, number, made, of_update=self.of == "update")


ENTRY = LowRank
