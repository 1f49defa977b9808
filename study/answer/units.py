"""The unit of every statistic: the independent dense training, counted once however many instruments it met.

Where each trial trains networks of its own that is the trial. Where a dense cell meets all instruments of its block it
is the cell: averaged over its instruments for what is said of conditions, paired for what is said of instruments.
"""

import math

import pandas as pd

from study.answer.selection import column, numbers, varying

TRIAL, CELL, NETWORK = "trial", "dense cell", "network"


def units(trials: pd.DataFrame) -> pd.Series:
    """For each trial the dense training that it stands on."""
    cell = column(trials, "cell", None).astype(object)
    if (lacking := cell.isna()).any():
        numbered = trials["number"][lacking].astype(int)
        cell = cell.mask(lacking, pd.Series([f"trial {number}" for number in numbered], numbered.index, dtype=object))
    return cell


def unit_word(trials: pd.DataFrame) -> str:
    """What a unit of these trials is called: `trial`, or `dense cell` where several trials share dense networks."""
    return TRIAL if "number" not in trials.columns or units(trials).is_unique else CELL


def row_units(networks: pd.DataFrame) -> tuple[str, pd.Series]:
    """What a unit of rows of networks is called, and to which each belongs; networks where one dense training is all.

    Args:
        networks: With the columns `trial` and `network`, and `cell` where trials have one.
    """
    trial = networks["trial"].rename("unit")
    names = units(networks.assign(number=networks["trial"])).rename("unit")
    if names.nunique() == 1:
        return NETWORK, networks["network"].rename("unit")
    return (TRIAL, trial) if names.nunique() == trial.nunique() else (CELL, names)


def per_unit(trials: pd.DataFrame, metric: str) -> pd.Series:
    """One value a unit, indexed by one of its trials; where units are trials the finite values as they are.

    Instruments are averaged after each was brought to the mean of all, so that a cell that lacks some of them (a study
    that stopped within a block) is not set apart by which it lacks; where none lacks any that changes nothing.
    """
    values = numbers(trials, metric).dropna()
    values = values[values.abs() < math.inf]
    rows = trials.loc[values.index]
    names = units(rows)
    if names.is_unique:
        return values
    fields = varying(rows, "compression.")
    if fields:
        instrument = rows[fields].astype(str).agg("|".join, axis=1)
        values = values - values.groupby(instrument).transform("mean") + values.mean()
    means = values.groupby(names).mean()
    first = names[~names.duplicated()]
    return pd.Series(means.loc[first].to_numpy(), index=first.index)


def average_instruments(trials: pd.DataFrame, *metrics: str) -> pd.DataFrame:
    """One row a unit, with the `metrics` averaged over its instruments, which are no fields of the row any more."""
    names = units(trials)
    if names.is_unique:
        return trials
    inside = [name for name in varying(trials, "compression.") if (trials.groupby(names)[name].nunique() > 1).any()]
    rows = trials[~names.duplicated()].drop(columns=inside).copy()
    for metric in metrics:
        rows[metric] = per_unit(trials, metric).reindex(rows.index)
    return rows
