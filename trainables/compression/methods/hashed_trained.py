"""Hashed weights that are trained: each layer has few values, and a hash says which weight has which (HashedNets).

w_ij = ξ(i, j) · v_h(i,j), as in `hashed`, but the values v are trained on the labels from fresh ones at every level
(Chen et al. 2015, arXiv:1504.04788), as are biases, batch norm and the classifier. This is no compression of a
trained network but of networks: the curve says how few values learn the same labels.

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trainables.compression.trained_numbers import TrainedNumbers

if TYPE_CHECKING:
    from trainables.compression.interfaces import CompressionResult, Level
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class HashedTrained(TrainedNumbers):
    """Level l has, in every layer, the largest share of weights as numbers at which the ratio reaches its target."""

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Networks of the dense shape made of few numbers."""
        from trainables.compression.description import SEED_BITS
        from trainables.compression.generating import trained_numbers
        from trainables.compression.spreading import hashed_for

        make = partial(hashed_for, workspace)
        return trained_numbers(
            workspace, level, "hashed_trained", make, epochs=self.epochs, lr=self.lr, seed_bits=SEED_BITS
        )


ENTRY = HashedTrained
