"""Sharpness of the minimum: how much noise its weights stand, and how curved the loss is there.

References:
    Jiang et al. 2020, arXiv:1912.02178 (magnitude-aware PAC-Bayes σ); Keskar et al. 2017, arXiv:1609.04836.
Cost: 50 forward passes over the sample, and 20 products with the Hessian over its first examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.curvature import NamedTensors, largest_eigenvalues, traces
from trainables.looking.measure import Measure, MeasureResult
from trainables.looking.places import weight_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_LARGEST = 2.0


class Sharpness(Measure):
    """Noise that costs a tenth of the accuracy; largest eigenvalue and trace of the Hessian of the training loss."""

    reports: ClassVar[Mapping[str, str]] = {
        "noise": "largest noise, in deviations of each tensor, that costs at most .1 of the training score; up to 2",
        "hessian_largest": "largest eigenvalue of the Hessian of the mean training loss",
        "hessian_trace": "trace of that Hessian",
    }

    loss: float = Field(0.1, gt=0, lt=1, description="how much of the score noise may cost")
    draws: int = Field(5, ge=1, le=100, description="draws of the noise that scores are averaged over")
    halvings: int = Field(10, ge=1, le=40, description="steps of the search for the noise")
    examples: int = Field(128, ge=8, description="of the sample, over which the Hessian is taken")
    products: int = Field(14, ge=2, le=500, description="with the Hessian, for its largest eigenvalue")
    signs: int = Field(6, ge=1, le=1000, description="products for its trace")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures how much noise on the weights each network bears, and the curvature of its loss."""
        count = look.stack.networks

        def product(vectors: NamedTensors) -> NamedTensors:
            return look.hessian_product(vectors, self.examples)

        starts = [_vector(look, "start", k) for k in range(count)]
        signs = [
            [{n: t.sign() for n, t in _vector(look, f"signs {draw}", k).items()} for k in range(count)]
            for draw in range(self.signs)
        ]
        noise = yield from self._noise(look)
        largest = yield from largest_eigenvalues(product, starts, self.products)
        trace = yield from traces(product, signs)
        return MeasureResult({"noise": noise, "hessian_largest": largest, "hessian_trace": trace})

    def _noise(self, look: Look) -> Pausing[Tensor]:
        # A single number has no deviation, and stays as it is.
        tensors = look.stack.tensors()
        names = [name for name in weight_names(look.stack) if tensors[name][0].numel() > 1]
        deviations = {name: tensors[name].flatten(1).std(1) for name in names}
        noises = [
            {
                name: _normal(look, f"noise {draw} {name}", tensors[name]) * _broadcast(deviations[name], tensors[name])
                for name in names
            }
            for draw in range(self.draws)
        ]
        least = look.scores(look.stack) - self.loss
        low = torch.zeros_like(least)
        high = torch.full_like(least, _LARGEST)
        for _ in range(self.halvings):
            middle = (low + high) / 2
            factor = middle.float()
            scores = torch.zeros_like(least)
            for noise in noises:
                moved = {name: tensors[name] + _broadcast(factor, tensors[name]) * noise[name] for name in names}
                scores += look.scores(look.stack.with_tensors(tensors | moved))
                yield
            stands = scores / self.draws >= least
            low, high = torch.where(stands, middle, low), torch.where(stands, high, middle)
        return torch.where(least.isfinite(), low, torch.nan)


def _broadcast(values: Tensor, like: Tensor) -> Tensor:
    return values.view(-1, *[1] * (like.ndim - 1))


def _normal(look: Look, name: str, like: Tensor) -> Tensor:
    return torch.stack([torch.randn(like.shape[1:], generator=look.draws(name, k)) for k in range(len(like))]).to(
        like.device
    )


def _vector(look: Look, name: str, network: int) -> NamedTensors:
    draws = look.draws(name, network)
    return {n: torch.randn((1, *p.shape[1:]), generator=draws).to(p.device) for n, p in look.stack.named_parameters()}


ENTRY = Sharpness
