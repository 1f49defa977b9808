"""Norms of weights, how far training moved them, and what each hidden unit contributes.

W is a layer's weights [outputs, inputs], Z what they were before training; biases do not count.

References:
    Bartlett et al. 2017, arXiv:1706.08498 ((2,1) norm); Neyshabur et al. 2019, arXiv:1805.12076 (units).
Cost: one decomposition of each matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_NO_START = "the units come from no dense network, so that they have no initial weights"


class Norms(Measure):
    """Frobenius, spectral, (2,1) and path norms, distances from initialisation, unit capacity and impact."""

    reports: ClassVar[Mapping[str, str]] = {
        "frobenius": "norm of all weights together",
        "spectral_product": "product over layers of the largest singular value",
        "path": "√ of what the network with squared weights and no biases answers to ones, summed over outputs",
        "two_one": "sum over layers and units of the length of what training added to a unit's incoming weights",
        "distance": "norm of what training added to all weights",
        "relative_distance": "that over the norm of the initial weights",
        "unit_capacity": "mean over hidden units of the length of what training added to their incoming weights",
        "unit_impact": "mean over hidden units of the length of their outgoing weights",
    }

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Those of units are means over a group of units, the others of a layer's matrix."""
        from trainables.looking.weights import outgoing_lengths, path_norms, spectral_norms

        weights, start = look.matrices(), look.matrices("initial")
        squares = {name: w.double().square().sum((1, 2)) for name, w in weights.items()}
        spectral = {}
        for name, w in weights.items():
            spectral[name] = spectral_norms(w)
            yield
        impact = outgoing_lengths(look.stack)
        networks = {
            "frobenius": _sum(squares).sqrt(),
            "spectral_product": _product(spectral),
            "path": path_norms(look.stack, look.input_shape),
            "unit_impact": _mean(impact),
        }
        layers: dict[str, dict[str, Tensor]] = {
            "frobenius": {name: square.sqrt() for name, square in squares.items()},
            "spectral": spectral,
            "unit_impact": {name: lengths.mean(1) for name, lengths in impact.items()},
        }
        if not start:
            why = dict.fromkeys(("two_one", "distance", "relative_distance", "unit_capacity"), _NO_START)
            return MeasureResult(networks, layers, undefined_reasons=why)
        added = {name: (w - start[name]).double() for name, w in weights.items()}
        lengths = {name: change.square().sum(2).sqrt() for name, change in added.items()}
        moved = {name: change.square().sum((1, 2)) for name, change in added.items()}
        before = {name: z.double().square().sum((1, 2)) for name, z in start.items()}
        capacity = _capacity(look)
        networks |= {
            "two_one": _sum({name: unit.sum(1) for name, unit in lengths.items()}),
            "distance": _sum(moved).sqrt(),
            "relative_distance": (_sum(moved) / _sum(before)).sqrt(),
            "unit_capacity": _mean(capacity),
        }
        layers |= {
            "two_one": {name: unit.sum(1) for name, unit in lengths.items()},
            "distance": {name: square.sqrt() for name, square in moved.items()},
            "relative_distance": {name: (square / before[name]).sqrt() for name, square in moved.items()},
            "unit_capacity": {name: units.mean(1) for name, units in capacity.items()},
        }
        return MeasureResult(networks, layers)


def _capacity(look: Look) -> dict[str, Tensor]:
    """Group → [K, units], how far each unit's incoming weights are from their start."""
    start = look.initial
    return {
        group.name: (look.stack.incoming_weights(group) - start.incoming_weights(group)).double().square().sum(2).sqrt()
        for group in look.stack.groups
    }


def _sum(layers: Mapping[str, Tensor]) -> Tensor:
    first, *others = layers.values()
    for other in others:
        first = first + other
    return first


def _product(layers: Mapping[str, Tensor]) -> Tensor:
    first, *others = layers.values()
    for other in others:
        first = first * other
    return first


def _mean(groups: Mapping[str, Tensor]) -> Tensor:
    """[K], over the units of all groups."""
    return _sum({name: units.sum(1) for name, units in groups.items()}) / sum(u.shape[1] for u in groups.values())


ENTRY = Norms
