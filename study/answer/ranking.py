"""How far networks compress by each way that was tried: what a study of true labels alone can answer."""

import math
from dataclasses import replace

import pandas as pd

from study.answer.model import Rank
from study.answer.selection import instruments, numbers, short
from study.answer.units import CELL, TRIAL, unit_word, units
from study.answer.words import listed, plural, signed
from trainables.statistics import mean_ci95

COMPRESSIBILITY = "compressibility/auc"
_MOST_WORDS = 6
_LEAST_CELLS = 3


def ranking(trials: pd.DataFrame, areas: pd.DataFrame) -> tuple[Rank, ...]:
    """One entry per combination of what the trials' compression spans, the most compressible first; () without any.

    Args:
        trials: Counted trials.
        areas: `network_areas` of them.
    """
    fields = instruments(trials)
    if not fields or COMPRESSIBILITY not in trials.columns:
        return ()
    known = trials[numbers(trials, COMPRESSIBILITY).notna()]
    ranks = []
    for values, rows in known.groupby(fields, sort=True, dropna=False):
        mean, half, count = mean_ci95(numbers(rows, COMPRESSIBILITY).groupby(units(rows)).mean().tolist())
        within = None if half is not None or count > 1 else _finite(numbers(rows, f"{COMPRESSIBILITY}/ci95").iloc[0])
        label = ", ".join(str(value).replace("_", " ") for value in values if _given(value))
        ranks.append((Rank(label, count, mean, half, within), rows))
    ranks.sort(key=lambda found: -found[0].mean)
    if unit_word(known) == CELL:
        best = ranks[0][1]
        ranks = [(ranks[0][0], best)] + [(_paired(rank, rows, best, areas), rows) for rank, rows in ranks[1:]]
    return tuple(rank for rank, _ in ranks)


def leaders(ranks: tuple[Rank, ...]) -> tuple[Rank, ...]:
    """The first, and those not told apart from it: by paired differences, else because their intervals overlap."""
    best = ranks[0]
    if _are_paired(ranks):
        return tuple(rank for rank in ranks if rank is best or abs(rank.behind or 0.0) <= (rank.behind_ci95 or -1.0))
    low = best.mean - (best.half or 0.0)
    return tuple(rank for rank in ranks if rank is best or rank.mean + (rank.half or 0.0) >= low)


def headline(ranks: tuple[Rank, ...]) -> str:
    """The first where it stands alone, else how many are not told apart at the top."""
    if len(ranks) > 1 and not _have_intervals(ranks):
        return "Can’t tell"
    top = leaders(ranks)
    if len(top) == 1:
        return top[0].label.capitalize()
    if len(top) == 2:
        return f"{top[0].label.capitalize()} or {top[1].label}"
    return f"No single one: {len(top)} lead together"


def ranking_sentence(ranks: tuple[Rank, ...], trials: pd.DataFrame) -> str:
    """The best, the middle and the worst in words."""
    what = " and ".join(short(name) for name in instruments(trials))
    best = "; ".join(_words(rank) for rank in ranks[:_MOST_WORDS])
    worst = "" if len(ranks) <= _MOST_WORDS else f"; … the least: {_words(ranks[-1])}"
    unit = unit_word(trials)
    alone = "one trial each" if unit == TRIAL else f"one {unit}"
    over = f"over {unit}s" if any(rank.ci95 is not None for rank in ranks) else f"over the networks of {alone}"
    without = len(trials) - sum(rank.trials for rank in ranks)
    absent = f"; {plural(without, 'trial')} without a compressibility left out" if without else ""
    known = (
        f"95 % intervals {over}; {_apart(ranks)}"
        if _have_intervals(ranks)
        else "too few networks for intervals, so none is told apart from another"
    )
    return (
        f"All labels are true, so nothing was memorised; compressibility by {what}, the most first: {best}{worst} "
        f"({known}{absent})."
    )


def _apart(ranks: tuple[Rank, ...]) -> str:
    """Which combinations are told apart, and how."""
    top = leaders(ranks)
    if _are_paired(ranks):
        near = [rank.label for rank in top[1:]]
        beside = listed(near[:_MOST_WORDS]) + (" …" if len(near) > _MOST_WORDS else "")
        said = (
            f"not told apart from {ranks[0].label}: {beside}" if near else f"all are told apart from {ranks[0].label}"
        )
        return f"all compress the same networks, and by paired differences, each at 95 %, {said}"
    if len(top) > 1:
        return f"the first {len(top)} are not told apart: their intervals overlap"
    return "neighbours whose intervals overlap are not told apart"


def _have_intervals(ranks: tuple[Rank, ...]) -> bool:
    """Fewer than three networks or trials have none."""
    return _are_paired(ranks) or any(rank.half is not None for rank in ranks)


def _are_paired(ranks: tuple[Rank, ...]) -> bool:
    return any(rank.behind_ci95 is not None for rank in ranks)


def _paired(rank: Rank, rows: pd.DataFrame, best: pd.DataFrame, areas: pd.DataFrame) -> Rank:
    """With how much less far it compresses than the best, on the same networks."""
    mine, other = (numbers(frame, COMPRESSIBILITY).groupby(units(frame)).mean() for frame in (rows, best))
    ahead = (other - mine).dropna()
    if len(ahead) < _LEAST_CELLS:
        ahead = (_of_networks(best, areas) - _of_networks(rows, areas)).dropna()
    if ahead.empty:
        return rank
    mean, half, _ = mean_ci95(ahead.tolist())
    return replace(rank, behind=mean, behind_ci95=half)


def _of_networks(trials: pd.DataFrame, areas: pd.DataFrame) -> pd.Series:
    """(dense cell, network) → compressibility of the networks that were given their labels as they are."""
    unit = dict(zip(trials["number"], units(trials), strict=True))
    mine = areas[areas["trial"].isin(unit) & (areas["arm"] == "replicate")]
    return mine.groupby([mine["trial"].map(unit), mine["network"]])["auc"].mean()


def _words(rank: Rank) -> str:
    return f"{rank.label} {signed(rank.mean)}" + ("" if rank.half is None else f" ± {rank.half:.2f}")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _given(value: object) -> bool:
    """Whether a trial has this field: those of methods that it does not use are none, or absent."""
    return value is not None and value == value  # noqa: PLR0124 - NaN is not
