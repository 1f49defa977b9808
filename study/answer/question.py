"""`answer`: from the frames of a study to its answer."""

from dataclasses import replace

import pandas as pd

from study.answer.contrast import CONTRAST, RETAINED, by_condition, by_instrument, effect
from study.answer.model import Answer, Effect
from study.answer.pairs import area_lengths, network_areas, why_no_pair
from study.answer.ranking import ranking, ranking_sentence
from study.answer.reading_words import readings_sentence
from study.answer.readings import readings
from study.answer.selection import Group, column, conditions, counted, numbers, task_of, trains
from study.answer.tracking import track
from study.answer.units import CELL, unit_word, units
from study.answer.words import above_scratch, contrast_sentence, plural, tracking_sentence


def answer(trials: pd.DataFrame, networks: pd.DataFrame) -> Answer:
    """Do memorising networks break earlier than their clean twins, and does compressibility track the gap?

    Args:
        trials: One row per trial: number, state, role, dotted parameters, metrics (those absent: no column, or NaN).
        networks: One row per trial, arm, network and level (networks.parquet with the column `trial`); may be empty.
    Returns:
        The answer; never raises for what a study lacks, but says it.
    """
    mine = counted(trials)
    groups = conditions(mine) if len(mine) else []
    areas = network_areas(mine, networks) if len(mine) else network_areas(trials.head(0), networks.head(0))
    placebo = _is_placebo(groups)
    pooled = [group for group in groups if group.placebo == placebo]
    rows = pd.concat([group.trials for group in pooled]) if pooled else mine.head(0)
    if "number" not in rows.columns:
        rows = pd.DataFrame({"number": pd.Series(dtype=int)})
    overall = effect("all conditions" if len(pooled) > 1 else "all trials", rows, areas)
    overall = replace(overall, unit=unit_word(mine))
    levels = by_condition(groups, areas)
    retained = _retained(rows, areas)
    tracking = track(mine)
    shown = [level for level, group in zip(levels, groups, strict=True) if group.placebo == placebo]
    apart = () if placebo else readings(rows, areas, networks)
    ranks = ranking(mine, areas) if len(mine) and not groups else ()
    if apart:
        first = readings_sentence(apart)
    elif ranks:
        first = ranking_sentence(ranks, mine)
    else:
        what = " or ".join(dict.fromkeys(group.kind for group in pooled)) if placebo else ""
        first = contrast_sentence(overall, shown, retained, _absence(trials, mine, groups, areas), what)
    return Answer(
        sentences=(first, tracking_sentence(tracking)),
        caveat=_caveat(mine, networks, single=any(reading.contrast.trials < 3 for reading in apart)),
        placebo=placebo,
        overall=_unpooled(overall) if apart else overall,
        levels=() if apart else levels,
        instruments=by_instrument(rows, areas) if len(rows) and not apart else (),
        retained=None if apart else retained,
        tracking=tracking,
        counted=len(mine),
        missing=_missing(
            trials=trials, networks=networks, mine=mine, groups=groups, levels=levels, overall=overall, placebo=placebo
        ),
        readings=apart,
        ranking=ranks,
    )


def _unpooled(overall: Effect) -> Effect:
    """Only the counts: a mean over instruments that measure different things would be read as an answer."""
    return replace(overall, label="not pooled", mean=None, ci95=None, within=None, p=None)


def _is_placebo(groups: list[Group]) -> bool:
    """True where nothing but placebos carry a contrast."""
    carrying = [group for group in groups if numbers(group.trials, CONTRAST).notna().any()] or groups
    return bool(carrying) and all(group.placebo for group in carrying)


def _retained(rows: pd.DataFrame, areas: pd.DataFrame) -> Effect | None:
    """The contrast above the scratch arm, where a method or recovery needs one."""
    relearns = bool(trains(rows).any())
    has_scratch = numbers(rows, RETAINED).notna().any()
    return (
        effect(
            above_scratch(column(rows, "compression.scratch_budget", "recovery").fillna("recovery").tolist()),
            rows,
            areas.head(0),
            metric=RETAINED,
        )
        if relearns or has_scratch
        else None
    )


def _absence(trials: pd.DataFrame, mine: pd.DataFrame, groups: list[Group], areas: pd.DataFrame) -> str:
    """Why there is no contrast at all."""
    if trials.empty:
        return "the study has no trials yet"
    if mine.empty:
        complete = int((column(trials, "state", "") == "COMPLETE").sum())
        if complete:
            return f"{plural(complete, 'complete trial')}, none laid out by design (role explore carries no answer)"
        return "no trial is complete"
    if not groups:
        return "all trials have true labels and true inputs, so nothing was memorised"
    if not bool(column(mine, "control", True).astype(bool).any()):
        return "no clean twins were trained (control=false)"
    return why_no_pair(areas, mine["number"])


def _missing(
    *,
    trials: pd.DataFrame,
    networks: pd.DataFrame,
    mine: pd.DataFrame,
    groups: list[Group],
    levels: tuple[Effect, ...],
    overall: Effect,
    placebo: bool,
) -> tuple[str, ...]:
    """What is missing, one sentence each."""
    found = []
    failed = int((column(trials, "state", "") == "FAILED").sum())
    if failed:
        found.append(f"{plural(failed, 'trial')} failed and {'is' if failed == 1 else 'are'} not counted.")
    explored = int(((column(trials, "state", "") == "COMPLETE") & (column(trials, "role", "design") != "design")).sum())
    if explored and len(mine):
        found.append(f"{plural(explored, 'trial')} that a sampler or scheduler selected not counted.")
    unstored = len(mine) - (mine["number"].isin(networks["trial"]).sum() if len(networks) else 0)
    if unstored:
        found.append(f"{plural(int(unstored), 'complete trial')} without stored networks: no pairs or curves of them.")
    if overall.excluded:
        found.append(
            f"{plural(overall.excluded, 'pair')} left out because a network did not interpolate its labels or has no "
            "compressibility."
        )
    for level, group in zip(levels, groups, strict=True):
        if level.mean is None and overall.mean is not None:
            found.append(f"No contrast at {group.label}.")
    if not placebo:
        placebos = [(level, group.kind) for level, group in zip(levels, groups, strict=True) if group.placebo]
        found += [_placebo_note(level, kind) for level, kind in placebos if level.mean is not None]
    return tuple(found)


def _placebo_note(level: Effect, kind: str) -> str:
    if level.ci95 is None:
        return f"The placebo ({level.label}) has too few trials to judge."
    if not level.excludes_zero or level.negligible:
        return f"The placebo ({kind}) shows no contrast, as it should."
    return f"The placebo ({kind}) shows a contrast, so the contrast is not memorisation alone."


def _caveat(mine: pd.DataFrame, networks: pd.DataFrame, *, single: bool) -> str:
    """What everything above is conditional on; `single`: some intervals are over the pairs of one or two trials."""
    if mine.empty:
        return "Nothing is concluded from trials that did not end, failed, or were chosen adaptively."
    label = task_of(mine).label
    data = ", ".join(sorted(column(mine, "data.name", "unnamed data").astype(str).unique()))
    replicates = sorted(numbers(mine, "replicates").dropna().astype(int).unique())
    each = "–".join(str(count) for count in dict.fromkeys((replicates[0], replicates[-1]))) if replicates else "?"
    lengths = {round(length, 2) for length in area_lengths(mine, networks).values()} if len(networks) else set()
    reach = f" from 0 to {'/'.join(f'{length:g}' for length in sorted(lengths))}" if lengths else ""
    unit = "the trial is the unit"
    if unit_word(mine) == CELL:
        unit = (
            f"the dense cell is the unit ({units(mine).nunique()} of them: trials that compress the same dense "
            "networks are averaged, or paired where instruments are compared)"
        )
    if single:
        unit += " where there are 3 or more, else its pairs, for these networks alone"
    if bool((column(mine, "data.inputs", "true").fillna("true") != "true").any()):
        unit += ", corrupted inputs drawn once for each trial"
    return (
        f"Conditional on one split of the data ({data}) and on these settings; n = {plural(len(mine), 'trial')} laid "
        f"out by design × {each} networks, {unit}; intervals are Student t at 95 %, not corrected for "
        f"looking at several conditions. Compressibility is the mean, over log₂ of the compression ratio{reach}, of "
        f"{label} on the labels each network was given, scaled from chance (0) to the dense network (1); nothing was "
        "tuned on it."
    )
