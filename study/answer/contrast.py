"""The contrast between clean twins and noisy networks, over trials."""

import math

import pandas as pd

from study.answer.model import Effect
from study.answer.pairs import count_pairs
from study.answer.selection import Group, instruments, numbers, short
from study.answer.units import per_unit, unit_word, units
from trainables.statistics import mean_ci95, sign_flip_p

CONTRAST = "contrast/auc"
RETAINED = "contrast/retained"


def effect(
    label: str, trials: pd.DataFrame, areas: pd.DataFrame, noise: float | None = None, metric: str = CONTRAST
) -> Effect:
    """Mean contrast over the units of `trials`, its interval and test, and the pairs behind it."""
    values = per_unit(trials, metric)
    mean: float | None = None
    half: float | None = None
    p: float | None = None
    if len(values):
        mean, half, _ = mean_ci95(values.tolist())
    if half is not None:
        p = sign_flip_p(values.tolist())
    pairs = count_pairs(areas, trials)
    return Effect(
        label=label,
        noise=noise,
        trials=len(values),
        mean=mean,
        ci95=half,
        within=_within(trials, metric) if half is None else None,
        p=p,
        pairs=pairs.total,
        earlier=pairs.earlier,
        later=pairs.later,
        ties=pairs.ties,
        excluded=pairs.excluded,
        unit=unit_word(trials),
    )


def _within(trials: pd.DataFrame, metric: str) -> float | None:
    """Half width of the mean of one or two units, as they are, from those over their replicates.

    Instruments that met the same networks have errors in common: averaged over them an interval is no narrower.
    """
    halves = numbers(trials[numbers(trials, metric).abs() < math.inf], f"{metric}/ci95")
    if halves.empty or not halves.map(math.isfinite).all():
        return None
    halves = halves.groupby(units(trials).loc[halves.index]).mean()
    return math.sqrt(float((halves**2).sum())) / len(halves)


def by_condition(groups: list[Group], areas: pd.DataFrame) -> tuple[Effect, ...]:
    """One effect per condition."""
    return tuple(effect(group.label, group.trials, areas, group.noise) for group in groups)


def by_instrument(trials: pd.DataFrame, areas: pd.DataFrame, most: int = 8) -> tuple[Effect, ...]:
    """One effect per value of each spanned field of the compression; fields of more than `most` values are left out."""
    effects = []
    for name in instruments(trials):
        if trials[name].nunique() > most:
            continue
        effects += [effect(f"{short(name)} {value}", rows, areas) for value, rows in trials.groupby(name, sort=True)]
    return tuple(found for found in effects if found.trials)
