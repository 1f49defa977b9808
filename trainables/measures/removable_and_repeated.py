"""Units that a network can do without, and units that do what others do.

Removable: switched off alone it costs less than .001 of the training score (below 1,000 examples: not one of them).
Repeated: its activations correlate with |r| ≥ .5 with those of another unit of its group.

References:
    Casper et al. 2021, arXiv:1912.04783.
Cost: one forward pass over the sample of examples for each unit that is switched off (48 of each group), and 21 for the
curve of random sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult
from trainables.looking.similarity import components

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel, UnitGroup

_SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)


class RemovableAndRepeated(Measure):
    """Both shares, the share that is either, principal components, and scores without random sets of units."""

    reports: ClassVar[Mapping[str, str]] = {
        "removable": "share of units whose loss alone costs less than .001 of the training score",
        "repeated": "share of units whose activations correlate (|r| ≥ .5) with another's",
        "either": "share of units that are removable or repeated",
        "partners": "mean number of units that a unit correlates with",
        "components": "share of principal components of the activations that explain 95 % of their variance",
        "knocked_out": "training score without a random half of the units of every group",
    }

    cost: float = Field(0.001, gt=0, lt=1, description="of the score, that a removable unit stays below")
    correlation: float = Field(0.5, gt=0, le=1, description="from which on units repeat each other")
    units: int = Field(48, ge=1, description="of each group, drawn at random, that are switched off alone")
    sets: int = Field(3, ge=1, description="random sets of each size")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network, and each group of units but for the sets, which take from all groups."""
        features, whole = look.features(), look.scores(look.stack)
        layers: dict[str, dict[str, Tensor]] = {}
        counts = {}
        for group in look.stack.groups:
            partners = _partners(features[group.name].double(), self.correlation)
            chosen, spare = yield from self._spare(look, group, whole)
            repeats = partners > 0
            for name, share in {
                "removable": spare.double().mean(1),
                "repeated": repeats.double().mean(1),
                "either": (spare | repeats.gather(1, chosen)).double().mean(1),
                "partners": partners.double().mean(1),
                "components": components(features[group.name].double()),
            }.items():
                layers.setdefault(name, {})[group.name] = share
            counts[group.name] = partners.shape[1]
        networks = {name: _mean(by_group, counts) for name, by_group in layers.items()}
        curve = yield from self._curve(look)
        networks["knocked_out"] = curve[:, _SHARES.index(0.5)]
        axes = {"shares": torch.tensor(_SHARES, dtype=torch.float64)}
        unscored = whole.isnan()
        for name in ("removable", "either"):
            networks[name] = networks[name].masked_fill(unscored, torch.nan)
            layers[name] = {group: shares.masked_fill(unscored, torch.nan) for group, shares in layers[name].items()}
        return MeasureResult(networks, layers, arrays={"knock_out": curve}, axes=axes)

    def _spare(self, look: Look, group: UnitGroup, whole: Tensor) -> Pausing[tuple[Tensor, Tensor]]:
        """[K, s] which units were switched off, and [K, s] bool which of them are removable."""
        count = look.stack.networks
        units = dict(zip((g.name for g in look.stack.groups), look.stack.widths, strict=True))[group.name]
        orders = [torch.randperm(units, generator=look.draws(f"units {group.name}", k)) for k in range(count)]
        chosen = torch.stack(orders)[:, : self.units].to(whole.device)
        costs = []
        for place in range(chosen.shape[1]):
            off = torch.zeros(count, units, dtype=torch.bool, device=whole.device)
            costs.append(
                whole - look.scores(silence_units(look.stack, {group.name: off.scatter(1, chosen[:, [place]], True)}))
            )
            yield
        return chosen, torch.stack(costs, 1) < self.cost

    def _curve(self, look: Look) -> Pausing[Tensor]:
        """[K, shares], mean scores without random sets of these shares of the units of every group."""
        curve = []
        for share in _SHARES:
            scores = []
            for one in range(self.sets):
                scores.append(look.scores(self._without_set(look, share, one)))
                yield
            curve.append(torch.stack(scores).mean(0))
        return torch.stack(curve, 1)

    def _without_set(self, look: Look, share: float, one: int) -> StackedModel:
        """The stack without one of the random sets."""
        stack, off = look.stack, {}
        for group, units in zip(stack.groups, stack.widths, strict=True):
            name = f"set {share:g} {one} {group.name}"
            ranks = [torch.randperm(units, generator=look.draws(name, k)) for k in range(stack.networks)]
            off[group.name] = torch.stack(ranks).to(next(stack.parameters()).device) < round(share * units)
        return silence_units(stack, off)


def silence_units(stack: StackedModel, off: Mapping[str, Tensor]) -> StackedModel:
    """The stack with some units answering 0 to everything.

    Args:
        off: Group → [K, units] bool. Their incoming weights, biases and batch-norm parameters become 0.
    """
    tensors = stack.tensors()
    changed: dict[str, Tensor] = {}
    for group in stack.groups:
        if group.name not in off:
            continue
        inner = [cut for cut in group.others if tensors[cut.tensor].ndim < 3 or cut.tensor.endswith(".bias")]
        for cut in (*group.incoming, *inner):
            if cut.tensor.endswith(("running_mean", "running_var")):
                continue
            tensor = changed.get(cut.tensor, tensors[cut.tensor])
            mask = off[group.name].repeat_interleave(cut.repeat, 1)
            shape = [len(mask), *[1] * (tensor.ndim - 1)]
            shape[cut.axis] = mask.shape[1]
            changed[cut.tensor] = tensor.masked_fill(mask.view(shape), 0)
    return stack.with_tensors(tensors | changed)


def _partners(answers: Tensor, least: float) -> Tensor:
    """[K, units], with how many others each unit of [K, n, units] correlates; units that never change with none."""
    centred = answers - answers.mean(1, keepdim=True)
    lengths = centred.norm(dim=1, keepdim=True)
    unit = torch.where(lengths > 1e-9, centred / lengths.clamp(min=1e-9), 0.0)
    alike = (unit.mT @ unit).abs() >= least - 1e-9
    alike.diagonal(dim1=1, dim2=2).fill_(False)
    return alike.sum(2)


def _mean(by_group: Mapping[str, Tensor], counts: Mapping[str, int]) -> Tensor:
    """[K], over the units of all groups."""
    return torch.stack([values * counts[name] for name, values in by_group.items()]).sum(0) / sum(counts.values())


ENTRY = RemovableAndRepeated
