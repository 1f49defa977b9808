"""Do the weight vectors of units line up?

Incoming weights of each hidden unit at length 1: their frame potential over N², Σᵢⱼ⟨ŵᵢ, ŵⱼ⟩²/N² (isotropic vectors in
R^d: 1/N + (N − 1)/(N·d); never below max(1/N, 1/d)), and their angles to the nearest centre of k-means. Initial vectors
are the null.

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
from trainables.looking.measure import Measure, Measured

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look

_NO_START = "the units come from no dense network, so that they have no initial weights"


class Alignment(Measure):
    """Frame potential, and angles to the centres of clusters, beside those of the initial weights."""

    reports: ClassVar[Mapping[str, str]] = {
        "frame_potential": "mean over groups of units of Σ⟨ŵᵢ, ŵⱼ⟩²/N² of their incoming weights at length 1",
        "initial_frame_potential": "the same of the initial weights of these units",
        "angle": "mean angle, in degrees, between a unit's weights and the nearest of 4 cluster centres",
        "initial_angle": "the same of the initial weights of these units",
    }

    clusters: int = Field(4, ge=1, le=1000, description="centres of k-means (as many as units where there are fewer)")

    def measure(self, look: Look) -> Measured:
        """Of each group of units; of each network the means over groups."""
        layers: dict[str, dict[str, Tensor]] = {}
        for prefix, stack in {"": look.stack, "initial_": look.state("initial")}.items():
            for group in stack.groups if stack is not None else ():
                assert stack is not None
                vectors = _unit(stack.incoming_weights(group).double())
                draws = [look.draws(f"{prefix}clusters {group.name}", k) for k in range(len(vectors))]
                layers.setdefault(f"{prefix}frame_potential", {})[group.name] = frame_potential(vectors)
                angles = centre_angles(vectors, min(self.clusters, vectors.shape[1]), draws)
                layers.setdefault(f"{prefix}angle", {})[group.name] = angles.mean(1)
        networks = {name: torch.stack([*by_group.values()]).mean(0) for name, by_group in layers.items()}
        return Measured(networks, layers, undefined={name: _NO_START for name in self.reports if name not in networks})


def frame_potential(vectors: Tensor) -> Tensor:
    """[K], Σᵢⱼ⟨vᵢ, vⱼ⟩²/N² of [K, N, d] vectors of length 1."""
    return (vectors.mT @ vectors).square().sum((1, 2)) / vectors.shape[1] ** 2


def centre_angles(vectors: Tensor, clusters: int, draws: list[torch.Generator]) -> Tensor:
    """[K, N], degrees between each vector of length 1 and its nearest centre of k-means."""
    centres, nearest = cluster(vectors, clusters, draws)
    own = torch.take_along_dim(_unit(centres), nearest[..., None], dim=1)
    return torch.atan2((vectors - own).norm(dim=2), (vectors + own).norm(dim=2)) * 2 * 180 / math.pi


def _unit(vectors: Tensor) -> Tensor:
    lengths: Tensor = vectors.norm(dim=2, keepdim=True)
    return vectors / lengths.clamp(min=1e-300)


ENTRY = Alignment
