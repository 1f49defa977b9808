"""What all that is said of a study is conditional on, and what would have been needed and was not there."""

import pandas as pd

from study.answer.selection import column, numbers, task_of
from study.answer.units import CELL, unit_word, units
from study.answer.words import plural


def notes(trials: pd.DataFrame, counted: pd.DataFrame) -> tuple[str, ...]:
    """What is missing, one sentence each.

    Args:
        trials: All of a study, whatever their state.
        counted: Those that its claims rest on.
    """
    found = []
    states, roles = column(trials, "state", ""), column(trials, "role", "design")
    failed = int((states == "FAILED").sum())
    if failed:
        found.append(f"{plural(failed, 'trial')} failed and {'is' if failed == 1 else 'are'} not counted.")
    explored = int(((states == "COMPLETE") & (roles != "design")).sum())
    if explored:
        what = "are a selection and do" if explored > 1 else "is a selection and does"
        found.append(
            f"{plural(explored, 'trial')} that somebody, a sampler or a scheduler chose {what} not count; "
            "ockham confirm runs them again, with fresh seeds, as trials that do."
        )
    pairs = numbers(counted, "contrast/pairs")
    if pairs.notna().any():
        first = ~units(counted).duplicated()
        lost = int((numbers(counted, "replicates") - pairs)[first].clip(lower=0).sum())
        if lost:
            found.append(
                f"{plural(lost, 'pair')} of twins left out because a network did not interpolate its labels or has no "
                "compressibility."
            )
    return tuple(found)


def caveat(counted: pd.DataFrame, *, by_network: bool = False) -> str:
    """What numbers, intervals and verdicts are conditional on.

    Args:
        by_network: Whether networks stand for trials under some claim, because so few of these are planned.
    """
    if counted.empty:
        return "Nothing is concluded from trials that did not end, failed, or were chosen adaptively."
    data = ", ".join(sorted(column(counted, "data.name", "unnamed data").astype(str).unique()))
    replicates = sorted(numbers(counted, "replicates").dropna().astype(int).unique())
    each = "–".join(str(count) for count in dict.fromkeys((replicates[0], replicates[-1]))) if replicates else "?"
    lengths = {round(length, 2) for length in numbers(counted, "compressibility/log2_ratio_limit").dropna()}
    reach = f" from 0 to {'/'.join(f'{length:g}' for length in sorted(lengths))}" if lengths else ""
    unit = "the trial is the unit"
    if unit_word(counted) == CELL:
        unit = (
            f"the dense cell is the unit ({units(counted).nunique()} of them: trials that compress the same dense "
            "networks are averaged, or paired where instruments are compared)"
        )
    if by_network:
        unit += ", or the network where fewer than 3 of these are planned a condition"
    if bool((column(counted, "data.inputs", "true").fillna("true") != "true").any()):
        unit += ", corrupted inputs drawn once for each trial"
    measured = ""
    if numbers(counted, "compressibility/auc").notna().any():
        measured = (
            f" Compressibility is the mean, over log₂ of the compression ratio{reach}, of {task_of(counted).label} on "
            "the labels each network was given, scaled from chance (0) to the dense network (1); nothing was tuned on "
            "it."
        )
    return (
        f"Conditional on one split of the data ({data}) and on these settings; n = {plural(len(counted), 'trial')} "
        f"laid out by design × {each} networks, {unit}.{measured}"
    )
