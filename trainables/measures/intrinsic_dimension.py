"""On how many dimensions do inputs lie, and what layers answer to them?

Two nearest neighbours: with μ the ratio of a point's second to its first nearest distance, μ is Pareto with the
intrinsic dimension as exponent. By maximum likelihood with the largest tenth of the ratios left out (censored there).

References:
    Facco et al. 2017, arXiv:1803.06992; Ansuini et al. 2019, arXiv:1905.12784.
Cost: distances between all pairs of the sample of examples, in each layer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_LEAST = 20
_NEAR = 4


class IntrinsicDimension(Measure):
    """Dimension of the inputs, of each hidden layer's activations, and of the logits."""

    reports: ClassVar[Mapping[str, str]] = {
        "inputs": "intrinsic dimension of the inputs",
        "largest": "largest intrinsic dimension among hidden layers",
        "last": "intrinsic dimension of the last hidden layer's activations",
    }

    left_out: float = Field(0.1, ge=0, lt=1, description="share of the largest ratios that is left out")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network and layer, on training examples."""
        found = {}
        for layer, values in look.features().items():
            found[layer] = two_nearest(values, self.left_out)
            yield
        hidden = [values for layer, values in found.items() if layer not in ("inputs", "outputs")]
        # nan where no layer has one.
        largest = torch.stack([values.nan_to_num(-torch.inf) for values in hidden]).amax(0)
        networks = {
            "inputs": found["inputs"],
            "largest": torch.where(largest.isfinite(), largest, torch.nan),
            "last": hidden[-1],
        }
        few = f"fewer than {_LEAST} points with two neighbours apart"
        return MeasureResult(networks, {"dimension": found}, undefined_reasons=dict.fromkeys(self.reports, few))


def two_nearest(points: Tensor, left_out: float) -> Tensor:
    """[K] float64, the dimension of [K, n, d] points; nan where too few are apart.

    Of equal points one stays.
    """
    return torch.stack([_dimension(own.double(), left_out) for own in points])


def _dimension(points: Tensor, left_out: float) -> Tensor:
    points = torch.unique(points, dim=0)
    if len(points) < _LEAST:
        return points.new_full((), torch.nan)
    distances = torch.cdist(points, points, compute_mode="use_mm_for_euclid_dist").fill_diagonal_(torch.inf)
    # Products of matrices are fast and round away what is close: of a few candidates the distances themselves.
    candidates = points[distances.topk(_NEAR, largest=False).indices]
    nearest = (candidates - points[:, None]).norm(dim=2).topk(2, largest=False).values
    logs = (nearest[:, 1] / nearest[:, 0]).log().sort().values
    kept = max(1, int(len(logs) * (1 - left_out)))
    spread = logs[:kept].sum() + (len(logs) - kept) * logs[kept - 1]
    return torch.where(spread > 0, kept / spread, torch.nan)


ENTRY = IntrinsicDimension
