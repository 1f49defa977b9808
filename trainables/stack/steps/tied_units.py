"""Units that are tied to examples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.stack.step import Plan, Signal, Start, Step, UnitCut
from trainables.stack.steps.dropout import Dropout
from trainables.stack.steps.residual import Residual

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class TiedUnits(Step):
    """A share `tied` of the units is there for a share `examples` of the training examples each, and for no others."""

    tied: float
    examples: float

    def cuts(self, before: Signal, after: Signal) -> Iterator[UnitCut]:
        """The numbers of the units [K, C]."""
        yield UnitCut(after.units, "tie", 1)

    def module(self, before: Signal, after: Signal, start: Start) -> nn.Module:
        """With numbers for the units of each network."""
        from trainables.stack.tied import StackedTiedUnits

        return StackedTiedUnits(after.channels, (self.tied, self.examples), start.draws)


def with_ties(plan: Plan, step: TiedUnits, rate: float) -> Plan:
    """The plan with `step` wherever it has dropout; that stays beside it at this rate, 0 for none."""
    found: Plan = ()
    for one in plan:
        if isinstance(one, Residual):
            found += (replace(one, body=with_ties(one.body, step, rate), shortcut=with_ties(one.shortcut, step, rate)),)
        elif isinstance(one, Dropout):
            found += (step, Dropout(rate)) if rate else (step,)
        else:
            found += (one,)
    return found
