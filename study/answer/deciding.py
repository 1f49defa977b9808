"""The engine: from a study's claims and frames to what is known of each. Pure, and the same however often it is asked.

Every verdict is read off the evidence as it was after each trial in the order of numbers, so that a decided one stays
decided, and a study that was stopped, killed or extended says what one says that was not.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from search_spaces.claims import Claim, Comparison, Exactly
from search_spaces.quantities import Order, Setting
from search_spaces.space import SearchSpace
from study.answer.associating import tau_b
from study.answer.claim_samples import (
    FEWEST_UNITS,
    Drawn,
    Frames,
    condition_label,
    draw,
    planned_units,
    resolution_of,
    settings_by,
    unit_of,
)
from study.answer.claim_values import matching, meant, reads_networks
from study.answer.comparing import matters, tests_of
from study.answer.evidence import ALPHA, Array
from study.answer.holm import Decision, holm, on_looks
from study.answer.samples import Mean, Sample, Slopes
from study.answer.selection import counted
from study.answer.standing import Standing
from study.answer.verdict import POOLED, Finding, Verdicts, Word, ends, sentence

_NEVER = -math.inf
_FURTHEST = 100_000


@dataclass(frozen=True)
class _Case:
    """A claim under one condition."""

    claim: Claim
    condition: str
    drawn: Drawn
    planned: int
    unit: str


def verdicts(
    space: SearchSpace,
    trials: pd.DataFrame,
    networks: pd.DataFrame,
    *,
    plan: pd.DataFrame,
    standing: Standing,
    exploratory: Sequence[Claim] = (),
) -> Verdicts:
    """What is known of each claim of a study.

    Args:
        space: Of the study, with its claims.
        trials: One row per trial: number, state, role, cell, dotted parameters, metrics.
        networks: One row per trial, arm, network and level; may be empty where no claim needs it.
        plan: The trials as first planned: number, cell, dotted parameters.
        standing: How far the study has come, compared with its plan.
        exploratory: Claims stated once there were data.
    """
    frames = Frames(counted(trials).copy(), networks)  # in one piece: columns are added to parts of it
    stated = [case for claim in space.claims for case in _cases(claim, space, frames, plan)]
    later = [case for claim in exploratory for case in _cases(claim, space, frames, plan)]
    findings: list[Finding] = []
    for role in ("claim", "placebo", "description"):
        findings += _family([case for case in stated if case.claim.role == role], frames, standing)
    return Verdicts(
        findings=tuple(findings),
        exploratory=tuple(_family(later, frames, standing)),
        guarantee="planned" if standing.as_planned else "any time",
        assurance=standing.assurance,
        family=sum(case.claim.role == "claim" for case in stated),
    )


def needs_networks(claims: Sequence[Claim], space: SearchSpace, plan: pd.DataFrame) -> bool:
    """Whether some claim can't be decided from the metrics of trials alone."""
    return reads_networks(claims) or any(_by_network(claim, _parts(claim, space, meant(claim, plan))[1])
                                         for claim in claims)  # fmt: skip


def _cases(claim: Claim, space: SearchSpace, frames: Frames, plan: pd.DataFrame) -> list[_Case]:
    mine = meant(claim, frames.trials)
    settings, parts = _parts(claim, space, meant(claim, plan))
    counts = [planned_units(claim, part) for part in parts]
    by_network = _by_network(claim, parts)
    found = []
    for setting, part, count in zip(settings, parts, counts, strict=True):
        rows = mine if setting is None else mine[matching(mine, setting)]
        drawn = draw(claim, rows, frames, by_network=by_network, resolution=resolution_of(frames.trials))
        networks = int(part["replicates"].iloc[0]) if by_network and "replicates" in part and len(part) else 1
        label = (POOLED if len(settings) > 1 else "") if setting is None else condition_label(setting)
        found.append(_Case(claim, label, drawn, count * networks, unit_of(rows, by_network=by_network)))
    return found


def _parts(claim: Claim, space: SearchSpace, planned: pd.DataFrame) -> tuple[list[Setting | None], list[pd.DataFrame]]:
    """The conditions of a claim, pooled (None) last, and what is planned of each."""
    settings: list[Setting | None] = [*settings_by(claim, space)]
    settings = [*settings, None] if len(settings) > 1 else [None]
    return settings, [planned if setting is None else planned[matching(planned, setting)] for setting in settings]


def _by_network(claim: Claim, parts: list[pd.DataFrame]) -> bool:
    """Whether too few dense trainings are planned under some condition, so that networks stand for them.

    Never for how two numbers of units go together: networks of one training are no units of that.
    """
    if claim.quantity.kind in ("association", "slope") or not all(len(part) for part in parts):
        return False
    return min(planned_units(claim, part) for part in parts) < FEWEST_UNITS


def _family(cases: list[_Case], frames: Frames, standing: Standing) -> list[Finding]:
    if not cases:
        return []
    looks = sorted(frames.trials["number"].astype(int)) if len(frames.trials) else []
    paths = [_paths(case, looks) for case in cases]
    support, refute = (np.stack([path[side] for path in paths], axis=1) for side in (0, 1))
    at_any_time = holm(support, refute, ALPHA)
    p = [_p(case) for case in cases]
    at_planned: list[Decision | None] = [None] * len(cases)
    if standing.as_planned:
        strengths = np.array([[-math.log(max(value, 1e-300)) for value in pair] for pair in p])
        at_planned = holm(strengths[None, :, 0], strengths[None, :, 1], ALPHA)
    left = max(1, sum(decision is None for decision in at_any_time))
    return [
        _finding(case, pair, evidence, decisions, looks, family=len(cases), left=left)
        for case, pair, evidence, decisions in zip(
            cases,
            p,
            zip(support.T, refute.T, strict=True),
            zip(at_any_time, at_planned, strict=True),
            strict=True,
        )
    ]


def _paths(case: _Case, looks: list[int]) -> tuple[Array, Array]:
    """log e for and against the claim at each look, the largest so far."""
    comparison = case.claim.comparison
    if _undefined(case):
        return np.full(len(looks), _NEVER), np.full(len(looks), _NEVER)
    found = []
    for sample in case.drawn.samples:
        if isinstance(comparison, Exactly):
            found.append(_exactly(sample, comparison.count, case.planned))
        else:
            found.append(_of_sample(sample, comparison))
    on = [tuple(on_looks(path, sample.at, looks) for path in pair)
          for pair, sample in zip(found, case.drawn.samples, strict=True)]  # fmt: skip
    support = np.min([pair[0] for pair in on], axis=0)
    refute = np.max([pair[1] for pair in on], axis=0) - math.log(len(on))
    return support, refute


def _of_sample(sample: Sample, comparison: Comparison) -> tuple[Array, Array]:
    for_it, against = tests_of(comparison)
    support = np.min([sample.path(null, up=up) for null, up in for_it], axis=0)
    large = matters(comparison, sample.estimates)
    refute = np.logaddexp.reduce([sample.path(null, up=up) for null, up in against], axis=0) - math.log(len(against))
    return np.where(large, support, _NEVER), refute


def _exactly(sample: Sample, count: float, planned: int) -> tuple[Array, Array]:
    """One other number refutes it; nothing short of all planned units supports it."""
    values = sample.values if isinstance(sample, Mean) else np.zeros(0)
    other = np.abs(values - count) > 1e-9
    support = np.full(len(values), _NEVER)
    if len(values) >= planned and not other.any():
        support[-1:] = math.inf
    return support, np.where(other, math.inf, _NEVER)


def _p(case: _Case) -> tuple[float, float]:
    comparison = case.claim.comparison
    if _undefined(case) or isinstance(comparison, Exactly):
        return 1.0, 1.0
    pairs = []
    for sample in case.drawn.samples:
        for_it, against = tests_of(comparison)
        support = max(sample.p(null, up=up) for null, up in for_it)
        if not bool(matters(comparison, np.array(sample.estimate))):
            support = 1.0
        pairs.append((support, min(1.0, len(against) * min(sample.p(null, up=up) for null, up in against))))
    return max(pair[0] for pair in pairs), min(1.0, len(pairs) * min(pair[1] for pair in pairs))


def _undefined(case: _Case) -> str:
    """Why nothing can be said."""
    if case.drawn.reason:
        return case.drawn.reason
    fewest = min(sample.n for sample in case.drawn.samples)
    if fewest >= 2 or (fewest and isinstance(case.claim.comparison, Exactly)):
        return ""
    missing = sum(case.drawn.excluded.values())
    left_out = f"; {missing} left out ({', '.join(case.drawn.excluded)})" if missing else ""
    return f"{fewest or 'no'} {case.unit}{'' if fewest == 1 else 's'} with it, 2 are needed{left_out}"


def _finding(
    case: _Case,
    p: tuple[float, float],
    evidence: tuple[Array, Array],
    decisions: tuple[Decision | None, Decision | None],
    looks: list[int],
    *,
    family: int,
    left: int,
) -> Finding:
    decision, planned = decisions
    claim, samples = case.claim, case.drawn.samples
    shown = min(samples, key=lambda sample: sample.estimate) if isinstance(claim.quantity, Order) else samples[0]
    base = Finding(claim.name, claim.says, claim.role, case.condition, "open", n=shown.n, planned=case.planned,
                   unit=case.unit, excluded=case.drawn.excluded)  # fmt: skip
    if reason := _undefined(case):
        found = replace(base, verdict="undefined", reason=reason)
        return replace(found, sentence=sentence(found, claim.quantity.kind))
    threshold = math.log(family / ALPHA)
    word: Word = "described" if claim.role == "description" else "open"
    by, decided_with = "", None
    if claim.role != "description" and (last := decision or planned) is not None:
        word = "supported" if last.supported else "refuted"
        by = "any time" if decision else "planned n"
        decided_with = sum(at <= looks[decision.look] for at in shown.at) if decision else None
    ranked = isinstance(shown, Slopes) and shown.ranks == (True, True)
    found = replace(
        base,
        verdict=word,
        by=by,
        decided_with=decided_with,
        estimate=shown.estimate,
        tau=tau_b(shown.x, shown.y, shown.strata) if isinstance(shown, Slopes) and ranked else None,
        interval=ends(shown.sequence(threshold)),
        alone={name: ends(interval) for name, interval in shown.alone(threshold).items()},
        planned_interval=ends(shown.t_interval(ALPHA / family)),
        e_for=_log10(evidence[0]),
        e_against=_log10(evidence[1]),
        p_for=p[0],
        p_against=p[1],
        spread=shown.spread,
        needs=_needs(shown, claim.comparison, left) if word == "open" else None,
    )
    return replace(found, sentence=sentence(found, claim.quantity.kind))


def _needs(sample: Sample, comparison: Comparison, left: int) -> int | None:
    """About how many more units, if they go on as they did; None where they point nowhere."""
    for_it, against = tests_of(comparison)
    if not for_it:
        return None
    rate = max(sample.growth(null, up=up) for null, up in against)
    if bool(matters(comparison, np.array(sample.estimate))):
        rate = max(rate, min(sample.growth(null, up=up) for null, up in for_it))
    threshold = math.log(left / ALPHA) + math.log(2)
    if rate <= 0:
        return None
    n = np.arange(max(sample.n + 1, 8), _FURTHEST)
    reached = np.flatnonzero(rate * n - 0.5 * np.log(n + 1) >= threshold)
    return int(n[reached[0]]) - sample.n if len(reached) else None


def _log10(path: Array) -> float | None:
    value = float(path[-1]) / math.log(10) if len(path) else _NEVER
    return value if math.isfinite(value) else None
