"""Truncated singular value decomposition of every layer but the classifier (Denton et al. 2014, arXiv:1404.0736).

A matrix W [m, n] is stored as two factors of m · r + r · n weights; the closest matrix of rank r in the Frobenius norm
(Eckart & Young 1936). A convolution is the matrix [outputs, inputs · kernel²]: a convolution into r channels and a
1 × 1 one. Where the factors would be no smaller than the matrix it stays whole.

Cost: one decomposition a layer and level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import Compressed, Level, Method

if TYPE_CHECKING:
    from trainables.bench import Bench
    from trainables.pausing import Pausing


class LowRank(Method):
    """Level l keeps the largest share of every layer's full rank at which the ratio reaches target_ratio^(l/depth).

    Ranks are rounded down, but never below 1. Networks are kept multiplied out: they have the shape of the dense ones,
    and parameters and multiply-adds are those of the factors. Truncating again what was truncated less changes nothing,
    so that each level is the best approximation of the dense networks.
    """

    def compress(self, bench: Bench, level: Level) -> Pausing[Compressed]:
        """The networks of the level before with smaller ranks."""
        from trainables.compression.low_rank import ranks_for, sizes_of, truncated
        from trainables.compression.sizing import target_at

        stack = level.previous
        allowed = bench.dense_parameters / target_at(bench.config.compression, level.number)
        ranks = ranks_for(stack, allowed)
        tensors = {name: tensor.clone() for name, tensor in stack.tensors().items()}
        for name, rank in ranks.items():
            tensors[name] = truncated(tensors[name], rank)
            yield
        sizes = sizes_of(stack, ranks, bench.input_shape)
        return Compressed(stack.replaced(tensors), None, level.epochs, sizes=sizes)


ENTRY = LowRank
