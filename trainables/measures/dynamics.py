"""The film of a training: weight vectors, spectra, distances and scores of dense networks at every report.

References:
    Martin & Mahoney 2021, arXiv:1810.01075 (spectra over training); Brutzkus & Globerson 2019, arXiv:1810.03037.
Cost: at each report one decomposition of the first hidden layer's matrix, and a forward pass over the sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult, When
from trainables.looking.spectra import bulk, eigenvalues

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_NO_START = "the units come from no dense network, so that they have no initial weights"


class Dynamics(Measure):
    """What changes while networks train."""

    reports: ClassVar[Mapping[str, str]] = {
        "score": "training score on the sample of examples, labels as given",
        "relative_distance": "norm of what training added to all weights, over the norm of the initial ones",
        "largest_eigenvalue": "largest eigenvalue of WᵀW/N of the first hidden layer",
        "threshold": "what the largest eigenvalue of a Gaussian matrix with its bulk reaches in 95 %",
    }

    when: When = Field("training", description="of dense networks, at all levels, or at reports during training too")
    units: int = Field(24, ge=1, description="weight vectors that are kept, of the first units of the first layer")
    dimensions: int = Field(
        64, ge=2, description="of these vectors; longer ones are projected at random, which keeps their distances"
    )

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network; arrays: `vectors` [K, units, dimensions], `eigenvalues` [K, M] of the first layer."""
        layer, weights = next(iter(look.matrices().items()))
        values = eigenvalues(weights)
        yield
        vectors = look.stack.incoming_weights(look.stack.groups[0])[:, : self.units]
        networks = {
            "score": look.scores(look.stack),
            "largest_eigenvalue": values[:, -1],
            "threshold": bulk(values, max(weights.shape[1:])).threshold,
        }
        if start := look.matrices("initial"):
            now = look.matrices()
            moved = torch.stack([(w - start[name]).double().square().sum((1, 2)) for name, w in now.items()]).sum(0)
            before = torch.stack([z.double().square().sum((1, 2)) for z in start.values()]).sum(0)
            networks["relative_distance"] = (moved / before).sqrt()
        arrays = {"vectors": _shorten(vectors, look, self.dimensions), f"eigenvalues/{layer}": values}
        return MeasureResult(networks, arrays=arrays, undefined_reasons={"relative_distance": _NO_START})


def _shorten(vectors: Tensor, look: Look, dimensions: int) -> Tensor:
    """[K, units, ≤ dimensions], by one random orthonormal projection for all of a study's networks of that size."""
    if vectors.shape[2] <= dimensions:
        return vectors
    from trainables.seeding import generator

    draws = generator(0, "dynamics axes", vectors.shape[2], dimensions)
    axes: Tensor = torch.linalg.qr(torch.randn(vectors.shape[2], dimensions, generator=draws))[0]
    return vectors @ axes.to(vectors.device)


ENTRY = Dynamics
