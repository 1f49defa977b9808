"""Hashed weights that are trained: each layer has few values, and a hash says which weight has which (HashedNets).

w_ij = ξ(i, j) · v_h(i,j), as in `hashed`, but the values v are trained on the labels from fresh ones at every level
(Chen et al. 2015, arXiv:1504.04788), as are biases, batch norm and the classifier. This is no compression of a
trained network but of networks: the curve says how few values learn the same labels.

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.trained_numbers import TrainedNumbers

if TYPE_CHECKING:
    from trainables.compression.writing import DrawSource, Maker
    from trainables.stack.model import StackedModel


class HashedTrained(TrainedNumbers):
    """Level l has, in every layer, the largest share of weights as numbers at which the ratio reaches its target."""

    seeds: ClassVar[int] = 1

    def maker(self, source: DrawSource, shape: StackedModel, allowed: float) -> Maker:
        """See `HashedWeights`."""
        from trainables.compression.spreading import hashed_for

        return hashed_for(source, shape, allowed)


ENTRY = HashedTrained
