"""Cosine coefficients that are trained: each layer is the inverse transform of a few of low frequency.

Coefficients of lowest frequency of every layer but the classifier are trained on the labels from fresh ones at every
level, all others are 0; so are biases, batch norm and the classifier (Koutník et al. 2010 search such coefficients by
evolution; Chen et al. 2016, arXiv:1506.04449, hash them). How few of them learn the same labels?

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.trained_numbers import TrainedNumbers

if TYPE_CHECKING:
    from trainables.compression.writing import DrawSource, Maker
    from trainables.stack.model import StackedModel


class DctTrained(TrainedNumbers):
    """Level l has, in every layer, the largest share of weights as numbers at which the ratio reaches its target."""

    def maker(self, source: DrawSource, shape: StackedModel, allowed: float) -> Maker:
        """See `CosineWeights`."""
        from trainables.compression.spreading import cosines_for

        return cosines_for(source, shape, allowed)


ENTRY = DctTrained
