"""A small network generates the weights of a large one, and is trained in its place (Ha et al. 2017, arXiv:1609.09106).

The weights of all layers but the classifier are cut into blocks. Each block j has an embedding z_j, and a network that
all blocks share makes its weights: w_j = s · (tanh(z_j A + a) G + g), s the layer's initial deviation. Embeddings,
A, a, G, g, biases, batch norm and the classifier are trained on the labels from fresh numbers at every level; what is
stored is these. Differs from the paper: blocks are cut from all layers alike, and the hidden layer has a tanh.

This is no compression of the trained network but of networks: the curve says how small a generator learns the same
labels, and beside it the scratch arm trains ordinary narrow networks of as many parameters with the same budget.

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from trainables.compression.trained_numbers import TrainedNumbers

if TYPE_CHECKING:
    from trainables.compression.writing import DrawSource, Maker
    from trainables.stack.model import StackedModel


class Hypernet(TrainedNumbers):
    """Level l has the longest embeddings at which the parameter ratio reaches target_ratio^(l/depth)."""

    block: int | None = Field(None, ge=1, description="weights an embedding; none: the root of their number")

    def least_parameters(self, stack: StackedModel) -> int:
        """Embeddings of one number."""
        from trainables.compression.generating import generated_parameters, generator_for

        return generated_parameters(stack, generator_for(stack, 0, self.block, 1.0))

    def maker(self, source: DrawSource, shape: StackedModel, allowed: float) -> Maker:
        """See `Generator`."""
        from trainables.compression.generating import generator_for

        return generator_for(shape, allowed, self.block, source.init_scale)


ENTRY = Hypernet
