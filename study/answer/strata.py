"""Strata: trials alike in condition and instrument, inside which alone two numbers of trials are associated."""

from collections import Counter
from collections.abc import Hashable, Sequence

import pandas as pd

from study.answer.selection import instruments, is_continuous, labels_are_a_rule, numbers, short, task_of, varying

COMPRESSIBILITY = "compressibility/auc"
INTERPOLATED = "train/interpolated"
CONTRAST = "contrast/auc"
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


def pairs_within(strata: Sequence[Hashable]) -> int:
    """How many pairs of trials share a stratum: all that an association can compare."""
    return sum(count * (count - 1) // 2 for count in Counter(strata).values())
