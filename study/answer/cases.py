"""Claims under their conditions, with the samples that decide them."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from search_spaces.claims import Claim, Exactly
from search_spaces.quantities import Order, Setting
from search_spaces.space import SearchSpace
from study.answer.claim_samples import (
    FEWEST_UNITS,
    ClaimSamples,
    Frames,
    condition_label,
    draw,
    planned_units,
    resolution_of,
    settings_by,
    unit_of,
)
from study.answer.claim_values import matching, reads_networks, trials_of_claim
from study.answer.samples import Sample
from study.answer.verdict import POOLED, Finding


@dataclass(frozen=True)
class Case:
    """A claim under one condition."""

    claim: Claim
    condition: str
    claim_samples: ClaimSamples
    planned_units: int
    unit: str

    @property
    def why_undefined(self) -> str:
        """Why nothing can be said; "" where something can."""
        if self.claim_samples.reason:
            return self.claim_samples.reason
        fewest = min(sample.n for sample in self.claim_samples.samples)
        if fewest >= 2 or (fewest and isinstance(self.claim.comparison, Exactly)):
            return ""
        missing = sum(self.claim_samples.excluded.values())
        left_out = f"; {missing} left out ({', '.join(self.claim_samples.excluded)})" if missing else ""
        return f"{fewest or 'no'} {self.unit}{'' if fewest == 1 else 's'} with it, 2 are needed{left_out}"

    @property
    def shown_sample(self) -> Sample:
        """The sample that is shown; where a claim orders several settings, that of its smallest step."""
        if isinstance(self.claim.quantity, Order):
            return min(self.claim_samples.samples, key=lambda sample: sample.estimate)
        return self.claim_samples.samples[0]

    @property
    def open(self) -> Finding:
        """What is said of it while nothing is known."""
        claim = self.claim
        return Finding(claim.name, claim.says, claim.role, self.condition, "open", n=self.shown_sample.n,
                       planned=self.planned_units, unit=self.unit, excluded=self.claim_samples.excluded,
                       otherwise=claim.otherwise)  # fmt: skip


def cases(claim: Claim, space: SearchSpace, frames: Frames, plan: pd.DataFrame) -> list[Case]:
    """A claim under each of its conditions, pooled last.

    Args:
        plan: The trials as first planned.
    """
    own_trials = trials_of_claim(claim, frames.trials)
    settings, parts = _parts(claim, space, trials_of_claim(claim, plan))
    counts = [planned_units(claim, part) for part in parts]
    by_network = _by_network(claim, parts)
    all_cases = []
    for setting, part, count in zip(settings, parts, counts, strict=True):
        rows = own_trials if setting is None else own_trials[matching(own_trials, setting)]
        samples = draw(claim, rows, frames, by_network=by_network, resolution=resolution_of(frames.trials))
        networks = int(part["replicates"].iloc[0]) if by_network and "replicates" in part and len(part) else 1
        label = (POOLED if len(settings) > 1 else "") if setting is None else condition_label(setting)
        all_cases.append(Case(claim, label, samples, count * networks, unit_of(rows, by_network=by_network)))
    return all_cases


def _parts(claim: Claim, space: SearchSpace, planned: pd.DataFrame) -> tuple[list[Setting | None], list[pd.DataFrame]]:
    """The conditions of a claim, pooled (None) last, and what is planned of each; a description is not pooled."""
    settings: list[Setting | None] = [*settings_by(claim, space)]
    if claim.role != "description" or len(settings) < 2:
        settings = [*settings, None] if len(settings) > 1 else [None]
    return settings, [planned if setting is None else planned[matching(planned, setting)] for setting in settings]


def _by_network(claim: Claim, parts: list[pd.DataFrame]) -> bool:
    """Whether too few dense trainings are planned under some condition, so that networks stand for them.

    Never for how two numbers of units go together: networks of one training are no units of that.
    """
    if claim.quantity.kind in ("association", "slope") or not all(len(part) for part in parts):
        return False
    return min(planned_units(claim, part) for part in parts) < FEWEST_UNITS


def needs_networks(claims: Sequence[Claim], space: SearchSpace, plan: pd.DataFrame) -> bool:
    """Whether some claim can't be decided from the metrics of trials alone."""
    return reads_networks(claims) or any(_by_network(claim, _parts(claim, space, trials_of_claim(claim, plan))[1])
                                         for claim in claims)  # fmt: skip
