"""How far networks compress by each way that was tried: what a study of true labels alone can answer."""

import math

import pandas as pd

from study.answer.model import Rank
from study.answer.selection import instruments, numbers, short
from study.answer.words import plural, signed
from trainables.statistics import mean_ci95

COMPRESSIBILITY = "compressibility/auc"
_MOST_WORDS = 6


def ranking(trials: pd.DataFrame) -> tuple[Rank, ...]:
    """One entry per combination of what the trials' compression spans, the most compressible first; () without any."""
    fields = instruments(trials)
    if not fields or COMPRESSIBILITY not in trials.columns:
        return ()
    known = trials[numbers(trials, COMPRESSIBILITY).notna()]
    ranks = []
    for values, rows in known.groupby(fields, sort=True, dropna=False):
        mean, half, count = mean_ci95(numbers(rows, COMPRESSIBILITY).tolist())
        within = None if half is not None or count > 1 else _finite(numbers(rows, f"{COMPRESSIBILITY}/ci95").iloc[0])
        label = ", ".join(str(value).replace("_", " ") for value in values if _given(value))
        ranks.append(Rank(label, count, mean, half, within))
    return tuple(sorted(ranks, key=lambda rank: -rank.mean))


def leaders(ranks: tuple[Rank, ...]) -> tuple[Rank, ...]:
    """The first, and those whose intervals overlap with its own, so that they are not told apart from it."""
    best = ranks[0]
    low = best.mean - (best.half or 0.0)
    return tuple(rank for rank in ranks if rank is best or rank.mean + (rank.half or 0.0) >= low)


def headline(ranks: tuple[Rank, ...]) -> str:
    """The first where it stands alone, else how many are not told apart at the top."""
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
    over = "over trials" if any(rank.ci95 is not None for rank in ranks) else "over the networks of one trial each"
    top = leaders(ranks)
    alike = "neighbours whose intervals overlap are not told apart"
    if len(top) > 1:
        alike = f"the first {len(top)} are not told apart: their intervals overlap"
    without = len(trials) - sum(rank.trials for rank in ranks)
    absent = f"; {plural(without, 'trial')} without a compressibility left out" if without else ""
    return (
        f"All labels are true, so nothing was memorised; compressibility by {what}, the most first: {best}{worst} "
        f"(95 % intervals {over}; {alike}{absent})."
    )


def _words(rank: Rank) -> str:
    return f"{rank.label} {signed(rank.mean)}" + ("" if rank.half is None else f" ± {rank.half:.2f}")


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _given(value: object) -> bool:
    """Whether a trial has this field: those of methods that it does not use are none, or absent."""
    return value is not None and value == value  # noqa: PLR0124 - NaN is not
