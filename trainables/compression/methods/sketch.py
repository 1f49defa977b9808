"""Random projection: of every layer but the classifier only what lies along r random input directions is left.

W ≈ Q QᵀW with Q [inputs, r] orthonormal and drawn from a seed, the same at every level but for its number of columns;
QᵀW, r numbers an output, is stored. The control for `low_rank`, whose directions are chosen by the weights: random
directions should not do (Nagarajan & Kolter 2019, arXiv:1902.04742). Of a random Q this is the least-squares fit; the
unbiased sketch (n/r)·QQᵀW (Arora et al. 2018, arXiv:1802.05296, algorithm 1 projects on random matrices) is further
away. Biases, batch norm (recalibrated) and the classifier stay as they are; `of=update` sketches W − Z.

Cost: one QR decomposition of a random square matrix a layer, network and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class Sketch(Rewriting):
    """Level l keeps the largest share of every layer's input directions at which the ratio reaches its target."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "form"
    of: Literal["weights", "update"] = Field("weights", description="what is projected: W, or W − Z from its initial Z")

    @property
    def needs_trained_weights(self) -> bool:
        """An update is from the initial weights."""
        return self.of == "update"

    def least_parameters(self, stack: StackedModel) -> int:
        """One direction a layer."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.low_rank import row_price, rows_for

        return parameters_with(stack, rows_for(stack, 0), row_price(stack))

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The projected networks."""
        from trainables.compression.low_rank import by_directions

        yield
        return by_directions(workspace, number, made, of_update=self.of == "update")


ENTRY = Sketch
