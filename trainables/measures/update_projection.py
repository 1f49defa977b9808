"""In how few directions lies what training added?

Scores with W = Z + P_k(W − Z) in all layers, Z the initial weights, P_k the projection on the first k singular
directions of W − Z on the side of the inputs; beside it k random directions. The curve need not rise with k.

References:
    Nagarajan & Kolter 2019, arXiv:1902.04742, figure 4.
Cost: one singular value decomposition of each matrix, and two forward passes a count over the sample of examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult
from trainables.looking.projections import curve, decompose, first_count, powers_up_to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel

_NO_START = "the units come from no dense network, so that they have no initial weights"
_CHANCE = "no network does better than chance"


class UpdateProjection(Measure):
    """Scores with what training added projected on its first directions, and on as many random ones."""

    reports: ClassVar[Mapping[str, str]] = {
        "directions": "directions of W − Z in each layer with which 95 % of the score above chance are there",
        "random_directions": "the same with random directions",
        "score": "training score with the first 16 directions (unless told otherwise)",
        "random_score": "with as many random directions",
        "residual": "mean over layers of the largest singular value of what those directions leave out",
    }

    top: int = Field(16, ge=1, description="directions of `score`, `random_score` and `residual`")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network, and the residual of each layer."""
        now, start = look.matrices(), look.matrices("initial")
        if not start:
            return MeasureResult(undefined_reasons={"*": _NO_START})
        added = {layer: (w - start[layer]).double() for layer, w in now.items()}
        found = yield from decompose(added)
        own = {layer: parts[2].mT for layer, parts in found.items()}
        others = {}
        for layer, change in added.items():
            others[layer] = yield from _random(look, layer, change)
        counts = powers_up_to(max(change.shape[2] for change in added.values()))

        def within_axes(axes: Mapping[str, Tensor], count: int) -> StackedModel:
            return look.with_matrices(
                {layer: start[layer] + _project(change, axes[layer][:, :, :count]) for layer, change in added.items()}
            )

        scores = yield from curve(look, counts, lambda count: within_axes(own, count))
        random = yield from curve(look, counts, lambda count: within_axes(others, count))
        whole, chance = look.scores(look.stack), look.chance
        left = {
            layer: parts[1][:, self.top] if parts[1].shape[1] > self.top else torch.zeros_like(parts[1][:, 0])
            for layer, parts in found.items()
        }
        networks = {
            "directions": first_count(scores, counts, whole, chance),
            "random_directions": first_count(random, counts, whole, chance),
            "score": look.scores(within_axes(own, self.top)),
            "random_score": look.scores(within_axes(others, self.top)),
            "residual": torch.stack([*left.values()]).mean(0),
        }
        axes = {"directions": torch.tensor(counts)}
        undefined = {"directions": _CHANCE, "random_directions": _CHANCE}
        return MeasureResult(
            networks,
            {"residual": left},
            arrays={"scores": scores, "random_scores": random},
            axes=axes,
            undefined_reasons=undefined,
        )


def _random(look: Look, layer: str, like: Tensor) -> Pausing[Tensor]:
    """[K, inputs, inputs], random orthonormal axes of each network."""
    size, axes = like.shape[2], []
    for k in range(len(like)):
        drawn = torch.randn(size, size, generator=look.draws(f"axes {layer}", k)).double()
        axes.append(torch.linalg.qr(drawn.to(like.device))[0])
        yield
    return torch.stack(axes)


def _project(change: Tensor, axes: Tensor) -> Tensor:
    return (change @ axes) @ axes.mT


ENTRY = UpdateProjection
