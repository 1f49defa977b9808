"""Which trials count, and the groups that are compared: conditions, instruments, strata."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.config.scores import task_in
from trainables.compression.interfaces import RECOVERIES
from trainables.config import is_clean
from trainables.data.conditions import INPUT_KINDS, NOISES, is_placebo
from trainables.data.task import Task

CONDITIONS = ("data.label_noise", "data.noise_kind", "data.inputs")
_MOST_LEVELS = 12  # more distinct noise values than this are a continuous range, shown in bins
_BINS = 5


@dataclass(frozen=True)
class TrialGroup:
    """Trials under one condition.

    Attributes:
        label: In words, e.g. `noise 0.5, wrong labels`.
        kind: Of these what is not the amount of noise, e.g. `wrong labels`; "" for the usual noise and true inputs.
        noise: Mean label noise.
        placebo: Whether the condition leaves a rule to learn, and so nothing to memorise.
        trials: The rows.
    """

    label: str
    kind: str
    noise: float
    placebo: bool
    trials: pd.DataFrame


def column(frame: pd.DataFrame, name: str, default: Any = math.nan) -> pd.Series:
    """A column, or `default` for every row where no trial recorded it."""
    if name in frame.columns:
        return frame[name]
    return pd.Series([default] * len(frame), index=frame.index)


def numbers(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column as floats; what is absent or no number is NaN."""
    return pd.to_numeric(column(frame, name), errors="coerce").astype(float)


def task_of(*frames: pd.DataFrame) -> Task:
    """What the networks of some trials were asked for, by the score in the frames' columns."""
    return task_in(name for frame in frames for name in frame.columns)


def counted_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """The COMPLETE trials of role `design`."""
    mine = trials[(column(trials, "state", "") == "COMPLETE") & (column(trials, "role", "design") == "design")]
    return mine if "number" in mine.columns else mine.assign(number=0)  # there are none, of a study without trials


def conditions(trials: pd.DataFrame) -> list[TrialGroup]:
    """The conditions in order of noise, clean data left out, placebos last."""
    noise = numbers(trials, "data.label_noise").fillna(0.0)
    kind = column(trials, "data.noise_kind", "uniform").fillna("uniform").astype(str)
    inputs = column(trials, "data.inputs", "true").fillna("true").astype(str)
    level, words = _levels(noise)
    groups = []
    for (index, kind_name, inputs_name), rows in trials.groupby([level, kind, inputs], sort=True):
        mean, condition = float(noise.loc[rows.index].mean()), (str(kind_name), str(inputs_name))
        known = condition[1] in INPUT_KINDS.names()
        if known and is_clean(mean, condition[1]):
            continue
        placebo = known and condition[0] in NOISES.names() and is_placebo(mean, *condition)
        extra = ", ".join(_condition_words(*condition, mean))
        label = ", ".join([f"noise {words[index]}", *([extra] if extra else [])]) + (" (placebo)" if placebo else "")
        groups.append(TrialGroup(label, extra, mean, placebo, rows))
    return sorted(groups, key=lambda group: (group.placebo, group.noise, group.label))


def is_continuous(noise: pd.Series) -> bool:
    """Whether noise is spanned as a range: more distinct values than a plan of levels has."""
    return int(noise.nunique()) > _MOST_LEVELS


def labels_are_a_rule(trials: pd.DataFrame) -> pd.Series:
    """For each trial whether its noise left labels that are a rule of the inputs, though not the true one."""
    kinds = column(trials, "data.noise_kind", "uniform").fillna("uniform").astype(str)
    rules = {name for name in kinds.unique() if name in NOISES.names() and NOISES.get(name).leaves_rule}
    return kinds.isin(rules) & (numbers(trials, "data.label_noise") > 0)


def _levels(noise: pd.Series) -> tuple[pd.Series, dict[Hashable, str]]:
    """For each row the index of its noise level; and the levels in words."""
    if not is_continuous(noise):
        values = sorted(noise.unique())
        return noise.map({value: i for i, value in enumerate(values)}), {
            i: f"{value:g}" for i, value in enumerate(values)
        }
    low, high = float(noise.min()), float(noise.max())
    width = (high - low) / _BINS
    index = ((noise - low) / width).astype(int).clip(upper=_BINS - 1)
    return index, {i: f"{low + i * width:.2f}–{low + (i + 1) * width:.2f}" for i in range(_BINS)}


def _condition_words(kind: str, inputs: str, noise: float) -> list[str]:
    """What the entries say of themselves; the name of one that is not installed here."""
    words = []
    if noise > 0:
        words.append(NOISES.get(kind).label if kind in NOISES.names() else kind.replace("_", " "))
    if inputs in INPUT_KINDS.names():
        words.append("" if INPUT_KINDS.get(inputs).keeps_inputs else INPUT_KINDS.get(inputs).label)
    else:
        words.append(f"inputs {inputs.replace('_', ' ')}")
    return [word for word in words if word]


def varying(trials: pd.DataFrame, prefix: str) -> list[str]:
    """Dotted parameters below `prefix` that take more than one value."""
    names = [str(name) for name in trials.columns if str(name).startswith(prefix)]
    return [name for name in names if trials[name].astype(str).nunique() > 1]


def instruments(trials: pd.DataFrame) -> list[str]:
    """The spanned fields of how networks are compressed.

    Depth is no instrument of its own where networks are pruned without recovery: every depth samples the same curve
    (6 levels or 24 give the same area to 0.002). With recovery or distillation more levels mean another treatment.
    """
    fields = varying(trials, "compression.")
    plain = ~recovers(trials) & (column(trials, "compression.method", "prune") == "prune")
    return [name for name in fields if not (name == "compression.depth" and bool(plain.all()))]


def recovers(trials: pd.DataFrame) -> pd.Series:
    """For each trial whether its networks were trained after compression steps."""
    kinds = column(trials, "compression.recovery", "none").fillna("none").astype(str)
    quiet = {name for name in kinds.unique() if name in RECOVERIES.names() and not RECOVERIES.get(name).trains}
    return ~kinds.isin(quiet)


def short(name: str) -> str:
    """`compression.criterion` → `criterion`, `data.label_noise` → `noise`."""
    if name == "data.label_noise":
        return "noise"
    return name.split(".", 1)[-1].replace("_", " ")
