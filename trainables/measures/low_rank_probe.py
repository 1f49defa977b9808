"""How few ranks do the weights need?

Scores with every layer's matrix replaced by its best approximation of rank k (Eckart & Young); nothing is trained.

References:
    Heitmann's redundancy project; Denton et al. 2014, arXiv:1404.0736.
Cost: one singular value decomposition of each matrix, and one forward pass a rank over the sample of examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field

from trainables.looking.measure import Measure, MeasureResult
from trainables.looking.projections import curve, decompose, first_count, powers_up_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel


class LowRankProbe(Measure):
    """Scores against the rank of all layers."""

    reports: ClassVar[Mapping[str, str]] = {
        "rank": "rank of each layer with which 95 % of the score above chance are there",
        "score": "training score with all layers at rank 8 (unless told otherwise)",
    }

    rank: int = Field(8, ge=1, description="that of `score`")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network with its matrices cut to lower and lower ranks."""
        weights = look.matrices()
        found = yield from decompose(weights)
        ranks = powers_up_to(max(min(w.shape[1:]) for w in weights.values()))

        def with_rank(rank: int) -> StackedModel:
            return look.with_matrices(
                {layer: (u[:, :, :rank] * s[:, None, :rank]) @ v[:, :rank] for layer, (u, s, v) in found.items()}
            )

        scores = yield from curve(look, ranks, with_rank)
        networks = {
            "rank": first_count(scores, ranks, look.scores(look.stack), look.chance),
            "score": look.scores(with_rank(self.rank)),
        }
        return MeasureResult(
            networks,
            arrays={"scores": scores},
            axes={"ranks": torch.tensor(ranks)},
            undefined_reasons={"rank": "no network does better than chance"},
        )


ENTRY = LowRankProbe
