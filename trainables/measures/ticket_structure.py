"""Are the weights of a ticket spread evenly over units, or do they keep together?

Of a layer's N weights m are kept. If they were drawn at random, the number kept of a unit's n incoming weights would be
hypergeometric, with variance n·p(1 − p)(N − n)/(N − 1), p = m/N.

References:
    Frankle & Carbin 2019, arXiv:1803.03635 (tickets).
Cost: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult, When

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look

_WHOLE = "no single weights were removed; compression.granularity=weight does that"


class TicketStructure(Measure):
    """Kept weights per unit, held against the hypergeometric law."""

    reports: ClassVar[Mapping[str, str]] = {
        "dispersion": "mean over layers of the variance over units of kept incoming weights, over that of random masks",
        "together": "given one weight of a unit is kept, how many times likelier another one is than at random",
        "empty": "share of units that kept no incoming weight",
        "random_empty": "the share expected of random masks",
    }

    when: When = Field("levels", description="of dense networks, at all levels, or at reports during training too")

    def measure(self, look: Look) -> MeasureResult:
        """Measures each network and each masked layer in which some weights are left and some are not."""
        from trainables.looking.look import as_matrix

        layers: dict[str, dict[str, Tensor]] = {name: {} for name in self.reports}
        for name, mask in (look.masks or {}).items():
            if not mask.all():
                for number, values in structure(as_matrix(mask)).items():
                    layers[number][name.rpartition(".")[0]] = values
        networks = {name: torch.stack([*by.values()]).nanmean(0) for name, by in layers.items() if by}
        return MeasureResult(
            networks, {n: by for n, by in layers.items() if by}, undefined_reasons=dict.fromkeys(self.reports, _WHOLE)
        )


def structure(kept: Tensor) -> dict[str, Tensor]:
    """Name → [K] float64 of masks [K, units, incoming weights] bool; nan where none or all weights are kept."""
    _, units, each = kept.shape
    every = units * each
    counts = kept.sum(2).double()
    m = counts.sum(1)
    some = (m > 1) & (m < every)
    share = m / every
    expected = each * share * (1 - share) * (every - each) / max(1, every - 1)
    observed = (counts - (m / units)[:, None]).square().mean(1)
    pairs = (counts * (counts - 1)).sum(1) / (m * max(1, each - 1)).clamp(min=1)
    random = (m - 1) / max(1, every - 1)
    # log of (N − n choose m)/(N choose m): the chance that a unit keeps nothing.
    left = torch.tensor(float(every - each), dtype=torch.float64, device=kept.device)
    whole = left + each
    log_chance = _log_choose(left, m) - _log_choose(whole, m)
    found = {
        # One unit always has what is kept, and one weight never is another one.
        "dispersion": torch.where(expected > 0, observed / expected.clamp(min=1e-300), torch.nan),
        "together": torch.where((random > 0) & (each > 1), pairs / random.clamp(min=1e-300), torch.nan),
        "empty": (counts == 0).double().mean(1),
        "random_empty": torch.where(m <= left, log_chance.exp(), 0.0),
    }
    return {name: torch.where(some, values, torch.nan) for name, values in found.items()}


def _log_choose(n: Tensor, k: Tensor) -> Tensor:
    within = torch.minimum(k, n)
    return torch.lgamma(n + 1) - torch.lgamma(within + 1) - torch.lgamma(n - within + 1)


ENTRY = TicketStructure
