"""Training in a random subspace: all parameters of a network move along few random directions (Li et al. 2018).

w = z + P θ: z fresh initial values, P a fixed matrix of normal numbers drawn from a seed, the same for all networks, θ
the few numbers that are trained on the labels, from 0 at every level. P has the variance 1/d, so that a step goes as
far as in dense training on average. The smallest number of dimensions that still learns is the intrinsic dimension of
what is asked (arXiv:1804.08838, which takes 90 % of the dense accuracy); biases and the classifier are in the subspace
too.

This is no compression of a trained network but of networks: what is stored is θ and the seed of z and P.

Cost: `epochs` of training a level, and in each step a product of P (parameters × dimensions) with θ, and its gradient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.trained_numbers import TrainedNumbers

if TYPE_CHECKING:
    from trainables.compression.writing import DrawSource, Maker
    from trainables.stack.model import StackedModel


class Subspace(TrainedNumbers):
    """Level l has as many dimensions as parameters are allowed: all of them over target_ratio^(l/depth)."""

    seeds: ClassVar[int] = 2

    def least_parameters(self, stack: StackedModel) -> int:
        """One dimension."""
        return 1

    def maker(self, source: DrawSource, shape: StackedModel, allowed: float) -> Maker:
        """See `SubspaceWeights`."""
        from trainables.compression.spreading import subspace_for

        return subspace_for(source, shape, allowed)


ENTRY = Subspace
