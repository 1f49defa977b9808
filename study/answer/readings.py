"""One answer per instrument, where a study spans instruments that do not measure the same thing.

Pruning and distilling, with and without recovery, on noise and on images: a mean over such values answers no question.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from study.answer.contrast import RETAINED, by_condition, effect
from study.answer.model import Reading, Survival
from study.answer.pairs import why_no_pair
from study.answer.reading_words import in_order, label, phrase, reading_sentence
from study.answer.selection import column, conditions, instruments, numbers, task_of, trains
from study.answer.words import above_scratch

CRITERION = "compression.criterion"
KINDS = ("compression.method", "compression.recovery", "compression.transfer")
AGREEMENT, TOP_SHARE = "transfer_agreement", "teacher_top_class_share"


def readings(trials: pd.DataFrame, areas: pd.DataFrame, networks: pd.DataFrame) -> tuple[Reading, ...]:
    """One reading per value of what must not be pooled; () where one answer does.

    Args:
        trials: Counted trials under the conditions that are asked about.
        areas: `network_areas` of them.
        networks: Rows of networks, with the column `trial`.
    """
    fields = separating(trials, areas) if len(trials) else []
    if not fields:
        return ()
    cells = {tuple(str(part) for part in key): rows for key, rows in trials.groupby(fields, sort=True)}
    return tuple(_reading(fields, key, cells[key], areas, networks) for key in sorted(cells, key=in_order))


def separating(trials: pd.DataFrame, areas: pd.DataFrame) -> list[str]:
    """The spanned fields that change what is measured.

    Method, recovery and transfer inputs always do. The criterion does where one value says yes and another the other
    way round; else criteria are ways of measuring the same.
    """
    spanned = instruments(trials)
    fields = [name for name in KINDS if name in spanned]
    if CRITERION in spanned:
        found = {effect("", rows, areas).verdict for _, rows in trials.groupby(CRITERION)}
        fields += [CRITERION] if {"yes", "no"} <= found else []
    return fields


def _reading(
    fields: list[str], values: tuple[str, ...], rows: pd.DataFrame, areas: pd.DataFrame, networks: pd.DataFrame
) -> Reading:
    groups = conditions(rows)
    budgets = column(rows, "compression.scratch_budget", "recovery").fillna("recovery").tolist()
    relearns = bool(trains(rows).any())
    retained = effect(above_scratch(budgets), rows, areas.head(0), metric=RETAINED)
    reading = Reading(
        label=label(values),
        phrase=phrase(dict(zip(fields, values, strict=True))),
        contrast=effect(label(values), rows, areas),
        levels=by_condition(groups, areas) if len(groups) > 1 else (),
        retained=retained if relearns or retained.trials else None,
        noisy=survival(rows, networks, "replicate"),
        clean=survival(rows, networks, "control"),
        depth=int(numbers(rows, "compression.depth").min()),
        absent=why_no_pair(areas, rows["number"]),
    )
    return replace(reading, sentence=reading_sentence(reading))


def survival(trials: pd.DataFrame, networks: pd.DataFrame, arm: str) -> Survival | None:
    """How the networks of an arm fared; None where none of them is stored or fitted."""
    if not {"trial", "arm", "network", "level"} <= {*networks.columns}:
        return None
    mine = networks[networks["trial"].isin(trials["number"]) & (networks["arm"] == arm)].sort_values("level")
    rows, score = [], f"train_{task_of(networks).score}"
    for (trial, _), curve in mine.groupby(["trial", "network"], sort=True):
        levels = _levels_survived(curve, score)
        if levels is not None:
            last = curve.iloc[-1:]
            columns = {name: float(numbers(last, name).iloc[0]) for name in (score, TOP_SHARE, AGREEMENT)}
            rows.append({"trial": trial, "levels": levels, **columns})
    if not rows:
        return None
    means = pd.DataFrame(rows).groupby("trial").mean().mean()
    shares = [None if np.isnan(means[name]) else float(means[name]) for name in (TOP_SHARE, AGREEMENT)]
    return Survival(float(means["levels"]), float(means[score]), *shares)


def _levels_survived(curve: pd.DataFrame, score: str) -> int | None:
    from trainables.compressibility import curve_of, levels_survived

    scores = numbers(curve, score).to_numpy()
    complete = int(curve["level"].iloc[0]) == 0 and bool(np.isfinite(scores).all())
    if not complete:
        return None
    chance = float(numbers(curve, "chance").iloc[0])
    return levels_survived(curve_of(numbers(curve, "ratio").to_numpy(), scores), chance)
