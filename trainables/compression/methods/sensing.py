"""Compressive sensing of weights: few random measurements of every layer, from which sparse weights are found again.

Of each output's incoming weights w ∈ Rⁿ only y = Qᵀw is stored, r < n numbers along orthonormal random directions that
a seed draws, as in `sketch`. Where that takes the least-squares answer Qy, the decoder here looks for the weights of
smallest Σ|c| among all that agree with y, c their cosine coefficients along the inputs (or the weights themselves):
weights that are sparse there are found exactly from few measurements (Candès, Romberg & Tao 2006; Donoho 2006).
Biases, batch norm (recalibrated) and the classifier stay as they are.

Cost: one QR decomposition of a random square matrix, and `iterations` products with it, a layer, network and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class Sensing(Rewriting):
    """Level l keeps the largest share of measurements of every layer at which the ratio reaches its target."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    basis: Literal["cosines", "weights"] = Field("cosines", description="in which weights are taken to be sparse")
    iterations: int = Field(200, ge=1, le=100_000, description="of the search for the sparsest, which ADMM makes")

    def least_parameters(self, stack: StackedModel) -> int:
        """One measurement an output."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.low_rank import row_price, rows_for

        return parameters_with(stack, rows_for(stack, 0), row_price(stack))

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks that are found again."""
        from trainables.compression.sensing import by_measurements

        yield
        return by_measurements(workspace, number, made, cosine=self.basis == "cosines", iterations=self.iterations)


ENTRY = Sensing
