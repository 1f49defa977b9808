"""Which trials count, and the groups that are compared: conditions, instruments, strata."""

import math
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from study.config.scores import task_in
from trainables.task import Task

CONDITIONS = ("data.label_noise", "data.noise_kind", "data.inputs")
PLACEBO = "renamed"
_MOST_LEVELS = 12  # more distinct noise values than this are a continuous range, shown in bins
_BINS = 5


@dataclass(frozen=True)
class Group:
    """Trials under one condition.

    Attributes:
        label: In words, e.g. `noise 0.5, wrong labels`.
        noise: Mean label noise.
        placebo: Whether the classes were only renamed.
        trials: The rows.
    """

    label: str
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


def counted(trials: pd.DataFrame) -> pd.DataFrame:
    """The COMPLETE trials of role `design`."""
    mine = (column(trials, "state", "") == "COMPLETE") & (column(trials, "role", "design") == "design")
    return trials[mine]


def conditions(trials: pd.DataFrame) -> list[Group]:
    """The conditions in order of noise, clean data left out, placebos last."""
    noise = numbers(trials, "data.label_noise").fillna(0.0)
    kind = column(trials, "data.noise_kind", "uniform").fillna("uniform").astype(str)
    inputs = column(trials, "data.inputs", "true").fillna("true").astype(str)
    level, words = _levels(noise)
    groups = []
    for (index, kind_name, inputs_name), rows in trials.groupby([level, kind, inputs], sort=True):
        mean = float(noise.loc[rows.index].mean())
        if mean == 0 and inputs_name == "true":
            continue
        placebo = kind_name == PLACEBO and mean > 0
        extra = _condition_words(str(kind_name), str(inputs_name), mean)
        groups.append(Group(", ".join([f"noise {words[index]}", *extra]), mean, placebo, rows))
    return sorted(groups, key=lambda group: (group.placebo, group.noise, group.label))


def is_continuous(noise: pd.Series) -> bool:
    """Whether noise is spanned as a range: more distinct values than a plan of levels has."""
    return int(noise.nunique()) > _MOST_LEVELS


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
    kinds = {
        "wrong": "wrong labels",
        "permuted": "permuted labels",
        PLACEBO: "classes renamed (placebo)",
    }
    words = [kinds.get(kind, kind)] if kind != "uniform" and noise > 0 else []
    return words + ([f"inputs {inputs.replace('_', ' ')}"] if inputs != "true" else [])


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
    plain = (column(trials, "compression.recovery", "none") == "none") & (
        column(trials, "compression.method", "prune") == "prune"
    )
    return [name for name in fields if not (name == "compression.depth" and bool(plain.all()))]


def short(name: str) -> str:
    """`compression.criterion` → `criterion`, `data.label_noise` → `noise`."""
    if name == "data.label_noise":
        return "noise"
    return name.split(".", 1)[-1].replace("_", " ")
