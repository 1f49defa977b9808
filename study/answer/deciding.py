"""The engine: from a study's claims and frames to what is known of each. Pure, and the same however often it is asked.

Every verdict is read off the evidence as it was after each trial in the order of numbers, so that a decided one stays
decided, and a study that was stopped, killed or extended says what one says that was not.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from search_spaces.claims import Claim, Comparison, Exactly, Greater, Less
from search_spaces.space import SearchSpace
from study.answer.cases import Case, cases
from study.answer.circumstances import caveat, notes
from study.answer.claim_samples import NETWORK, Frames
from study.answer.comparing import matters, tests_of
from study.answer.course import course
from study.answer.evidence import ALPHA, Array
from study.answer.holm import Decision, holm, on_looks
from study.answer.ranking import behind_the_best
from study.answer.samples import MeanSample, Sample, SlopeSample, UnpairedSample
from study.answer.selection import counted_trials
from study.answer.sentences import sentence
from study.answer.standing import Standing
from study.answer.verdict import WHOLE, Finding, Verdicts, Word, ends

_NEVER = -math.inf
_FURTHEST = 100_000


def verdicts(
    space: SearchSpace,
    trials: pd.DataFrame,
    networks: pd.DataFrame,
    *,
    plan: pd.DataFrame,
    standing: Standing,
    exploratory: Sequence[Claim] = (),
    courses: bool = False,
    brief: bool = False,
) -> Verdicts:
    """What is known of each claim of a study.

    Args:
        space: Of the study, with its claims.
        trials: One row per trial: number, state, role, cell, dotted parameters, metrics.
        networks: One row per trial, arm, network and level; may be empty where no claim needs it.
        plan: The trials as first planned: number, cell, dotted parameters.
        standing: How far the study has come, compared with its plan.
        exploratory: Claims stated once there were data.
        courses: Whether to say how estimate and sequence came about, unit by unit.
        brief: Whether verdict, estimate and interval are all that is asked for, intervals of single conditions not
            even that; where many variants of a study are decided this is half of the time or less.
    """
    frames = Frames(counted_trials(trials).copy(), networks)  # in one piece: columns are added to parts of it
    main_cases = [case for claim in space.claims for case in cases(claim, space, frames, plan)]
    later = [case for claim in exploratory for case in cases(claim, space, frames, plan)]

    def judge(every: list[Case]) -> tuple[Finding, ...]:
        findings: list[Finding] = []
        for role in ("claim", "placebo", "description"):
            own = [case for case in every if case.claim.role == role]
            findings += _family(own, frames, standing, courses=courses, brief=brief)
        return tuple(findings)

    return Verdicts(
        findings=judge(main_cases),
        exploratory=judge(later),
        guarantee="planned" if standing.as_planned else "any time",
        assurance=standing.assurance,
        family=sum(case.claim.role == "claim" for case in main_cases),
        counted=len(frames.trials),
        notes=notes(trials, frames.trials),
        caveat=caveat(frames.trials, by_network=any(case.unit == NETWORK for case in (*main_cases, *later))),
    )


def _family(cases: list[Case], frames: Frames, standing: Standing, *, courses: bool, brief: bool) -> list[Finding]:
    """The findings of claims that share an error; of descriptions, which share none, each by itself."""
    if not cases:
        return []
    if cases[0].claim.role == "description":
        return _descriptions(cases)
    looks = sorted(frames.trials["number"].astype(int)) if len(frames.trials) else []
    paths = [_paths(case, looks) for case in cases]
    support, refute = (np.stack([path[side] for path in paths], axis=1) for side in (0, 1))
    at_any_time = holm(support, refute, ALPHA)
    p = [(1.0, 1.0) if brief and not standing.as_planned else _p(case) for case in cases]
    at_planned: list[Decision | None] = [None] * len(cases)
    if standing.as_planned:
        strengths = np.array([[-math.log(max(value, 1e-300)) for value in pair] for pair in p])
        at_planned = holm(strengths[None, :, 0], strengths[None, :, 1], ALPHA)
    if brief:
        return [
            _brief(case, _word(decision, at_end), family=len(cases))
            for case, decision, at_end in zip(cases, at_any_time, at_planned, strict=True)
        ]
    open_count = max(1, sum(decision is None for decision in at_any_time))
    return [
        _finding(case, pair, evidence, decisions, looks, family=len(cases), left=open_count, courses=courses)
        for case, pair, evidence, decisions in zip(
            cases,
            p,
            zip(support.T, refute.T, strict=True),
            zip(at_any_time, at_planned, strict=True),
            strict=True,
        )
    ]


def _descriptions(cases: list[Case]) -> list[Finding]:
    """Estimates with intervals of 95 % each, and against the best where conditions met the same networks."""
    behind: dict[str, list[tuple[float, float | None] | None]] = {}
    for name in dict.fromkeys(case.claim.name for case in cases):
        behind[name] = behind_the_best([case.claim_samples.by_unit for case in cases if case.claim.name == name])
    findings = []
    for case in cases:
        base, sample, less = case.open, case.shown_sample, behind[case.claim.name].pop(0)
        if reason := case.why_undefined:
            finding = replace(base, verdict="undefined", reason=reason)
        else:
            finding = replace(
                base,
                verdict="described",
                estimate=sample.estimate,
                planned_interval=ends(sample.t_interval(ALPHA)),
                spread=sample.spread,
                behind=less,
            )
        findings.append(replace(finding, sentence=sentence(finding, case.claim.quantity.kind)))
    return findings


def _paths(case: Case, looks: list[int]) -> tuple[Array, Array]:
    """log e for and against the claim at each look, the largest so far."""
    comparison = case.claim.comparison
    if case.why_undefined:
        return np.full(len(looks), _NEVER), np.full(len(looks), _NEVER)
    pairs = []
    for sample in case.claim_samples.samples:
        if isinstance(comparison, Exactly):
            pairs.append(_exactly(sample, comparison.count, case.planned_units))
        else:
            pairs.append(_of_sample(sample, comparison))
    on = [tuple(on_looks(path, sample.at, looks) for path in pair)
          for pair, sample in zip(pairs, case.claim_samples.samples, strict=True)]  # fmt: skip
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
    values = sample.values if isinstance(sample, MeanSample) else np.zeros(0)
    other = np.abs(values - count) > 1e-9
    support = np.full(len(values), _NEVER)
    if len(values) >= planned and not other.any():
        support[-1:] = math.inf
    return support, np.where(other, math.inf, _NEVER)


def _p(case: Case) -> tuple[float, float]:
    comparison = case.claim.comparison
    if case.why_undefined or isinstance(comparison, Exactly):
        return 1.0, 1.0
    pairs = []
    for sample in case.claim_samples.samples:
        for_it, against = tests_of(comparison)
        support = max(sample.p(null, up=up) for null, up in for_it)
        if not bool(matters(comparison, np.array(sample.estimate))):
            support = 1.0
        pairs.append((support, min(1.0, len(against) * min(sample.p(null, up=up) for null, up in against))))
    return max(pair[0] for pair in pairs), min(1.0, len(pairs) * min(pair[1] for pair in pairs))


def _finding(
    case: Case,
    p: tuple[float, float],
    evidence: tuple[Array, Array],
    decisions: tuple[Decision | None, Decision | None],
    looks: list[int],
    *,
    family: int,
    left: int,
    courses: bool,
) -> Finding:
    decision, at_end = decisions
    claim, sample, base = case.claim, case.shown_sample, case.open
    if reason := case.why_undefined:
        finding = replace(base, verdict="undefined", reason=reason)
        return replace(finding, sentence=sentence(finding, claim.quantity.kind))
    threshold = math.log(family / ALPHA)
    word, by = _word(decision, at_end)
    decided_with = sum(at <= looks[decision.look] for at in sample.at) if decision else None
    kendall = sample.kendall if isinstance(sample, SlopeSample) else None
    finding = replace(
        base,
        verdict=word,
        by=by,
        decided_with=decided_with,
        estimate=sample.estimate,
        tau=kendall.tau if kendall is not None else None,
        pairs=kendall.pairs if kendall is not None else None,
        ahead=_sign_count(sample, claim.comparison),
        interval=ends(sample.sequence(threshold)),
        alone={name: ends(interval) for name, interval in sample.alone(threshold).items()},
        planned_interval=ends(sample.t_interval(ALPHA / family)),
        e_for=_log10(evidence[0]),
        e_against=_log10(evidence[1]),
        p_for=p[0],
        p_against=p[1],
        spread=sample.spread,
        needs=_needs(sample, claim.comparison, left) if word == "open" else None,
        course=course(sample, threshold) if courses and case.condition in WHOLE else (),
    )
    finding = replace(finding, stepped=_still_holds(finding, claim.comparison))
    return replace(finding, sentence=sentence(finding, claim.quantity.kind))


def _still_holds(found: Finding, comparison: Comparison) -> bool:
    """Whether the interval of a decided claim still holds what its verdict excludes."""
    if not isinstance(comparison, Greater | Less) or found.verdict not in ("supported", "refuted"):
        return False
    up = isinstance(comparison, Greater)
    low, high = found.shown_interval
    if (found.verdict == "supported") == up:
        return low is None or low < comparison.than + (0.0 if up else -comparison.matters)
    return high is None or high > comparison.than + (comparison.matters if up else 0.0)


def _word(decision: Decision | None, planned: Decision | None) -> tuple[Word, str]:
    """The verdict, and what it rests on."""
    if (last := decision or planned) is None:
        return "open", ""
    return "supported" if last.is_supported else "refuted", "any time" if decision else "planned n"


def _brief(case: Case, decided: tuple[Word, str], *, family: int) -> Finding:
    """The verdict, and of all conditions together the estimate and the interval that goes with it."""
    if reason := case.why_undefined:
        return replace(case.open, verdict="undefined", reason=reason)
    word, by = decided
    finding = replace(case.open, verdict=word, by=by, estimate=case.shown_sample.estimate)
    if case.condition not in WHOLE:
        return finding
    if by == "planned n":
        return replace(finding, planned_interval=ends(case.shown_sample.t_interval(ALPHA / family)))
    return replace(finding, interval=ends(case.shown_sample.sequence(math.log(family / ALPHA))))


def _sign_count(sample: Sample, comparison: Comparison) -> tuple[int, float, bool] | None:
    """How many units lie on the claimed side of which number, and whether that is above it."""
    if not isinstance(sample, MeanSample) or isinstance(sample, UnpairedSample) or sample.scale.is_share:
        return None
    if not isinstance(comparison, Greater | Less):
        return None
    up = isinstance(comparison, Greater)
    beyond = sample.values > comparison.than if up else sample.values < comparison.than
    return int(beyond.sum()), comparison.than, up


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
    enough = np.flatnonzero(rate * n - 0.5 * np.log(n + 1) >= threshold)
    return int(n[enough[0]]) - sample.n if len(enough) else None


def _log10(path: Array) -> float | None:
    value = float(path[-1]) / math.log(10) if len(path) else _NEVER
    return value if math.isfinite(value) else None
