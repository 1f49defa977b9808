"""Spectra of the layers: how far they are from random matrices, and how heavy their tails are.

Eigenvalues λ of WᵀW/N, W a layer as a matrix N × M, N ≥ M (a convolution: channels × incoming · places). WeightWatcher
from 0.7.7 on does not divide by N: α is the same, edges and α̂ rescale.

References:
    Martin & Mahoney 2021, arXiv:1810.01075; cut points between phases are ours.
Cost: one decomposition of each matrix, and one of the same entries in random order.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult
from trainables.looking.spectra import LEAST_FITTED, Bulk, Tail, bulk, eigenvalues, tails

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

# What `phase` counts.
PHASES = ("random-like", "bleeding-out", "bulk and spikes", "bulk decay", "heavy-tailed", "rank collapse")
_FITS, _COLLAPSED, _TINY, _HEAVY = 0.05, 0.05, 1e-6, 4.0


class Spectrum(Measure):
    """Power-law exponents, spikes above the Marchenko–Pastur bulk, ranks, entropy and phase of each layer."""

    reports: ClassVar[Mapping[str, str]] = {
        "alpha": "mean over layers of the exponent of the power law that fits the largest eigenvalues",
        "alpha_hat": "mean over layers of that times log₁₀ of the largest eigenvalue",
        "spikes": "eigenvalues above what the largest of a Gaussian matrix reaches in 95 %, summed over layers",
        "shuffled_spikes": "the same once the entries of each matrix stand in random order",
        "stable_rank": "mean over layers of the sum of eigenvalues over the largest",
        "soft_rank": "mean over layers of the upper Marchenko–Pastur edge over the largest eigenvalue",
        "entropy": "mean over layers of the entropy of the eigenvalues' shares, 1 where all are equal",
    }

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each layer, and for each network means or sums over the layers in which they are defined."""
        layers: dict[str, dict[str, Tensor]] = {}
        arrays: dict[str, Tensor] = {}
        for layer, weights in look.matrices().items():
            values = eigenvalues(weights)
            arrays[f"eigenvalues/{layer}"] = values
            for name, found in self._numbers(values, weights, look, layer).items():
                layers.setdefault(name, {})[layer] = found
            yield
        networks = {name: _mean([*layers[name].values()]) for name in self.reports if "spikes" not in name}
        networks |= {name: _sum([*layers[name].values()]) for name in ("spikes", "shuffled_spikes")}
        few = f"no layer has {LEAST_FITTED} eigenvalues and an exponent of at most 8"
        undefined = {**dict.fromkeys(self.reports, "all weights are 0"), "alpha": few, "alpha_hat": few}
        undefined["entropy"] = "no layer has two eigenvalues that are not all 0"
        return MeasureResult(networks, layers, arrays=arrays, undefined_reasons=undefined)

    def _numbers(self, values: Tensor, weights: Tensor, look: Look, layer: str) -> dict[str, Tensor]:
        longer, largest = max(weights.shape[1:]), values[:, -1]
        fit, tail = bulk(values, longer), tails(values)
        null = eigenvalues(_shuffle(weights, look, layer))
        shares = values / values.sum(1, keepdim=True)
        entropy = torch.special.entr(shares).sum(1) / (math.log(values.shape[1]) or math.nan)

        def spikes(found: Tensor) -> Tensor:
            """The number found, undefined for a matrix of zeros."""
            return torch.where(largest > 0, found.double(), torch.nan)

        return {
            "alpha": tail.alpha,
            "alpha_hat": tail.alpha * largest.log10(),
            "x_min": tail.least,
            "distance": tail.distance,
            "spikes": spikes(fit.spikes),
            "shuffled_spikes": spikes(bulk(null, longer).spikes),
            "stable_rank": values.sum(1) / largest,
            "soft_rank": fit.edge / largest,
            "entropy": entropy,
            "variance": fit.variance,
            "edge": fit.edge,
            "threshold": fit.threshold,
            "bulk_distance": fit.distance,
            "phase": _phases(values, fit, tail),
        }


def _shuffle(weights: Tensor, look: Look, layer: str) -> Tensor:
    """The entries of each matrix in random order."""
    flat = weights.flatten(1)
    orders = [torch.randperm(flat.shape[1], generator=look.draws(f"shuffled {layer}", k)) for k in range(len(flat))]
    return flat.gather(1, torch.stack(orders).to(flat.device)).view(weights.shape)


def _phases(values: Tensor, fit: Bulk, tail: Tail) -> Tensor:
    """[K], a number of `PHASES`; nan where the bulk does not fit and there is no exponent."""
    collapsed = (values < _TINY * values[:, -1:]).double().mean(1) > _COLLAPSED
    fits = fit.distance < _FITS
    bleeding = (fit.spikes <= 1) & (fit.beyond >= 2)
    random = (fit.spikes == 0) & ~bleeding
    inside = torch.where(random, 0.0, torch.where(bleeding, 1.0, 2.0))
    outside = torch.where(tail.alpha > _HEAVY, 3.0, 4.0).masked_fill(tail.alpha.isnan(), torch.nan)
    return torch.where(collapsed, 5.0, torch.where(fits, inside, outside)).double()


def _mean(layers: list[Tensor]) -> Tensor:
    """[K], over layers where it is defined."""
    return torch.stack(layers).nanmean(0)


def _sum(layers: list[Tensor]) -> Tensor:
    """[K], over layers where it is defined."""
    together = torch.stack(layers)
    return together.nansum(0).masked_fill(together.isnan().all(0), torch.nan)


ENTRY = Spectrum
