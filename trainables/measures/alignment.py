"""Do the weight vectors of units line up?

Incoming weights of each hidden unit at length 1: their frame potential over N², Σᵢⱼ⟨ŵᵢ, ŵⱼ⟩²/N² (isotropic vectors in
R^d: 1/N + (N − 1)/(N·d); never below max(1/N, 1/d)), and their angles to the nearest centre of k-means. Initial vectors
are the null. Units whose incoming weights are all 0, as masks make them, do not count.

References:
    Benedetto & Fickus 2003 (frame potential); Brutzkus & Globerson 2019, arXiv:1810.03037 (clusters of filters).
Cost: none but the clustering.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.clustering import cluster
from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_NO_START = "the units come from no dense network, so that they have no initial weights"
_EMPTY = "no unit has incoming weights"


class Alignment(Measure):
    """Frame potential, and angles to the centres of clusters, beside those of the initial weights."""

    reports: ClassVar[Mapping[str, str]] = {
        "frame_potential": "mean over groups of units of Σ⟨ŵᵢ, ŵⱼ⟩²/N² of their incoming weights at length 1",
        "initial_frame_potential": "the same of the initial weights of these units",
        "angle": "mean angle, in degrees, between a unit's weights and the nearest of 4 cluster centres",
        "initial_angle": "the same of the initial weights of these units",
    }

    clusters: int = Field(4, ge=1, le=1000, description="centres of k-means (as many as units where there are fewer)")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each group of units, and for each network the means over groups."""
        layers: dict[str, dict[str, Tensor]] = {}
        for prefix, stack in {"": look.stack, "initial_": look.state("initial")}.items():
            for group in stack.groups if stack is not None else ():
                assert stack is not None
                vectors = _unit(stack.incoming_weights(group).double())
                draws = [look.draws(f"{prefix}clusters {group.name}", k) for k in range(len(vectors))]
                layers.setdefault(f"{prefix}frame_potential", {})[group.name] = frame_potential(vectors)
                angles = yield from self._angles(vectors, draws)
                layers.setdefault(f"{prefix}angle", {})[group.name] = angles
        networks = {name: torch.stack([*by_group.values()]).nanmean(0) for name, by_group in layers.items()}
        undefined = {name: _EMPTY if name in networks else _NO_START for name in self.reports}
        return MeasureResult(networks, layers, undefined_reasons=undefined)

    def _angles(self, vectors: Tensor, draws: list[torch.Generator]) -> Pausing[Tensor]:
        """[K], the mean angle; network by network where some have units that do not count."""
        there = vectors.any(2)
        if there.all():
            yield
            return centre_angles(vectors, min(self.clusters, vectors.shape[1]), draws).mean(1)
        found = []
        for own, some, draw in zip(vectors, there, draws, strict=True):
            left = own[some][None]
            few = min(self.clusters, left.shape[1])
            found.append(centre_angles(left, few, [draw]).mean() if few else left.new_full((), torch.nan))
            yield
        return torch.stack(found)


def frame_potential(vectors: Tensor) -> Tensor:
    """[K], Σᵢⱼ⟨vᵢ, vⱼ⟩²/N² over the N of [K, …, d] vectors that have length 1; those of length 0 are left out."""
    count = vectors.any(2).sum(1)
    return (vectors.mT @ vectors).square().sum((1, 2)) / count.square()  # 0/0 without any


def centre_angles(vectors: Tensor, clusters: int, draws: list[torch.Generator]) -> Tensor:
    """[K, N], degrees between each vector of length 1 and its nearest centre of k-means."""
    centres, nearest = cluster(vectors, clusters, draws)
    own = torch.take_along_dim(_unit(centres), nearest[..., None], dim=1)
    return torch.atan2((vectors - own).norm(dim=2), (vectors + own).norm(dim=2)) * 2 * 180 / math.pi


def _unit(vectors: Tensor) -> Tensor:
    lengths: Tensor = vectors.norm(dim=2, keepdim=True)
    return vectors / lengths.clamp(min=1e-300)


ENTRY = Alignment
