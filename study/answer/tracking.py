"""Whether compressibility tracks the generalization gap, within condition and instrument."""

import math

import pandas as pd

from study.answer.model import Tracking
from study.answer.selection import instruments, is_continuous, labels_are_a_rule, numbers, short, task_of, varying
from study.answer.units import averaged
from study.answer.words import plural
from trainables.statistics import kendall_within_strata

COMPRESSIBILITY = "compressibility/auc"
INTERPOLATED = "train/interpolated"
LEAST_PAIRS = 20


def gap_metric(trials: pd.DataFrame) -> str:
    """The generalization gap in the score of the trials."""
    return f"gap/{task_of(trials).score}"


def strata_fields(trials: pd.DataFrame) -> list[str]:
    """The spanned fields that make a stratum: condition, data set, and instrument.

    Noise drives both sides, an instrument can't move the gap of a dense network; so only training hyperparameters
    (width, learning rate, training set size …) vary inside a stratum.
    """
    others = varying(trials, "data.")
    fields: list[str] = [name for name in ("data.noise_kind", "data.inputs", "data.name") if name in others]
    if trials["data.label_noise"].nunique() > 1 and not is_continuous(numbers(trials, "data.label_noise")):
        fields = ["data.label_noise", *fields]
    return fields + instruments(trials)


def strata_labels(trials: pd.DataFrame) -> list[str]:
    """For each trial the stratum it belongs to, as words."""
    fields = strata_fields(trials)
    rows = trials[fields].astype(str).to_dict("records")
    return [", ".join(f"{short(name)} {row[name]}" for name in fields) or "all trials" for row in rows]


def has_comparable_gap(trials: pd.DataFrame) -> pd.Series:
    """For each trial whether its gap compares with others': all its networks interpolated, and learned no other rule.

    Gaps compare at equal fit only: a network that fits less has the smaller gap for that alone. Held against the true
    test labels, a network that learned other names of the classes has the smaller gap the worse it generalizes.
    """
    return ~(numbers(trials, INTERPOLATED) < 1) & ~labels_are_a_rule(trials)


def track(trials: pd.DataFrame) -> Tracking:
    """Kendall's τ between compressibility and gap over trials, pooled within strata; unstated below 20 pairs.

    Trials whose gaps do not compare (`has_comparable_gap`) are left out and counted. Dense networks that met several
    instruments are one trial, with the mean of their compressibilities.
    """
    if "data.label_noise" not in trials.columns:
        return Tracking(None, 0, None, 0, (), "no design trial is complete")
    trials = averaged(trials, gap_metric(trials), COMPRESSIBILITY)
    both = numbers(trials, gap_metric(trials)).notna() & numbers(trials, COMPRESSIBILITY).notna()
    comparable = has_comparable_gap(trials)
    mine, excluded = trials[both & comparable], int((both & ~comparable).sum())
    fields = tuple(short(name) for name in strata_fields(mine)) if len(mine) else ()
    if len(mine) < 2:
        return Tracking(
            None,
            0,
            None,
            len(mine),
            fields,
            f"{plural(len(mine), 'trial')} with both a comparable gap and a compressibility, "
            f"{LEAST_PAIRS} pairs are needed",
            excluded,
        )
    noise = numbers(mine, "data.label_noise")
    result = kendall_within_strata(
        numbers(mine, COMPRESSIBILITY).tolist(),
        numbers(mine, gap_metric(trials)).tolist(),
        strata_labels(mine),
        conditions=noise.tolist() if is_continuous(noise) else None,
    )
    tau, p = _finite(result.tau), _finite(result.p)
    reason = ""
    if result.pairs < LEAST_PAIRS:
        reason = f"{result.pairs} comparable pairs of trials, {LEAST_PAIRS} are needed"
        tau = p = None
    elif tau is None:
        reason = "the gap or the compressibility is the same in all trials"
    return Tracking(tau, int(result.pairs), p, len(mine), fields, reason, excluded)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
