"""Few coefficients of the discrete cosine transform of every layer but the classifier.

C = D_m W D_nᵀ with the orthonormal DCT-II matrices D; W ≈ D_mᵀ C' D_n with C' the kept coefficients. CompressionResult
network search (Koutník et al. 2010, "Evolving neural networks in compressed weight space") keeps the lowest
frequencies, whose places cost nothing; `keep=largest` keeps the largest coefficients, the closest weights that so many
can give, and stores a mask. A convolution is the matrix [outputs, inputs · kernel²]. Biases, batch norm (recalibrated)
and the classifier stay as they are.

Cost: two matrix products a layer and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class DCT(Rewriting):
    """Level l keeps the largest share of each layer's coefficients at which the ratio reaches its target."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    keep: Literal["largest", "lowest"] = Field("largest", description="coefficients: the largest, or of low frequency")

    @property
    def keeps_places(self) -> bool:
        """Whether the places of the largest are kept; the lowest are the first."""
        return self.keep == "largest"

    def least_parameters(self, stack: StackedModel) -> int:
        """One number a layer."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.few_numbers import numbers_for

        return parameters_with(stack, numbers_for(stack, 0), lambda _, count: count)

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks made of fewer coefficients."""
        from trainables.compression.few_numbers import by_coefficients

        yield
        return by_coefficients(workspace, number, made, largest=self.keep == "largest")


ENTRY = DCT
