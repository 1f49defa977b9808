"""Metrics of trials summed up again from the stored rows of their networks, with other choices than the trials made."""

import math

import numpy as np
import pandas as pd

from study.answer.curves import CURVE, Curves, curves_of
from study.answer.evidence import Array
from study.answer.pairs import area_lengths
from study.answer.selection import numbers, task_of

_ARMS = {
    "": "replicate",
    "control/": "control",
    "baseline/": "scratch_replicate",
    "control/baseline/": "scratch_control",
}
_PARTS = ("train", "val", "test")
_OF_DENSE = (*_PARTS, "kept", "changed", "recovered", "iid")


class Summing:
    """Trials whose metrics can be summed up again.

    Args:
        trials: One row a trial, with the metrics as they are.
        networks: One row per trial, arm, network and level.

    Attributes:
        score: The column of networks that is drawn against the ratio.
    """

    def __init__(self, trials: pd.DataFrame, networks: pd.DataFrame) -> None:
        self._trials, self._networks = trials, networks
        self._task = task_of(trials, networks).score
        self.score = f"train_{self._task}"
        self._lengths = area_lengths(trials, networks)
        self._known: dict[str, Curves] = {}

    def trials(
        self,
        *,
        reach: float = 1.0,
        share: float | None = None,
        networks: pd.DataFrame | None = None,
        refit: bool = False,
    ) -> pd.DataFrame:
        """The trials, with what depends on the choice summed up anew; metrics that they don't have stay absent.

        Args:
            reach: Up to which share of the log₂ ratio L curves count.
            share: In place of the area the log₂ ratio at which so much of the score is left, in units of L.
            networks: Rows to sum up, where these are others: fewer networks, or others that count as having fitted.
            refit: Whether it is these others that count as having fitted.
        """
        rows = self._networks if networks is None else networks
        values = {part: self._compressibility(rows, part, reach, share) for part in ("train", "kept", "changed")}
        found = self._of_areas(values)
        if networks is not None:
            found |= self._of_dense(rows[rows["level"] == 0])
        if refit:
            for prefix in ("", "control/"):
                mine = rows[(rows["level"] == 0) & (rows["arm"] == _ARMS[prefix])]
                found[f"{prefix}train/interpolated"] = mine["interpolated"].astype(float).groupby(mine["trial"]).mean()
        known = {name: series for name, series in found.items() if name in self._trials.columns or refit}
        numbered = self._trials["number"]
        return self._trials.assign(**{name: numbered.map(series).astype(float) for name, series in known.items()})

    def _compressibility(self, networks: pd.DataFrame, part: str, reach: float, share: float | None) -> pd.DataFrame:
        """One row a curve: trial, arm, network, interpolated, value."""
        curves = self._curves(networks, part)
        lengths = curves.limits(self._lengths)
        values = curves.areas(lengths * reach) if share is None else _length_kept(curves, lengths, share)
        return curves.keys.assign(interpolated=curves.interpolated_mask, value=values)

    def _curves(self, networks: pd.DataFrame, part: str) -> Curves:
        """Those of the study's own rows are made once, whatever is read off them."""
        if networks is self._networks and part in self._known:
            return self._known[part]
        curves = curves_of(networks[networks["trial"].isin(self._lengths)], f"{part}_{self._task}")
        if networks is self._networks:
            self._known[part] = curves
        return curves

    def _of_areas(self, values: dict[str, pd.DataFrame]) -> dict[str, pd.Series]:
        """Metric → value by trial."""
        found: dict[str, pd.Series] = {}
        by_part = {part: frame.set_index(CURVE)["value"].astype(float) for part, frame in values.items()}
        whole, fitted = by_part["train"], values["train"].set_index(CURVE)["interpolated"].astype(bool)
        for prefix, arm in _ARMS.items():
            name = f"{prefix}scratch_auc" if arm.startswith("scratch_") else f"{prefix}compressibility/auc"
            found[name] = _means(_arm(whole, arm))
        for prefix in ("", "control/"):
            kept, changed = (_arm(by_part[part], _ARMS[prefix]) for part in ("kept", "changed"))
            found[f"{prefix}compressibility/auc_kept"] = _means(kept)
            found[f"{prefix}compressibility/auc_changed"] = _means(changed)
            found[f"{prefix}compressibility/selectivity"] = _means(kept - changed)
        twins = _arm(fitted, "control")
        both = twins & _arm(fitted, "replicate").reindex(twins.index, fill_value=False)
        difference = (_arm(whole, "control") - _arm(whole, "replicate")).reindex(both[both].index)
        found["contrast/auc"] = _means(difference)
        found["contrast/pairs"] = difference.notna().groupby(level="trial").sum().astype(float)
        fresh = _arm(whole, "scratch_control") - _arm(whole, "scratch_replicate")
        if len(fresh):
            found["contrast/retained"] = _means(difference - fresh.reindex(difference.index))
        return found

    def _of_dense(self, rows: pd.DataFrame) -> dict[str, pd.Series]:
        """Scores, gaps and measures of dense networks: metric → value by trial."""
        found: dict[str, pd.Series] = {}
        measured = [str(name) for name in rows.columns if str(name).startswith("measure/")]
        columns = [f"{part}_{what}" for part in _OF_DENSE for what in (self._task, "loss")] + measured
        for prefix in ("", "control/"):
            mine = rows[rows["arm"] == _ARMS[prefix]]
            means = pd.DataFrame({name: numbers(mine, name) for name in columns}).groupby(mine["trial"]).mean()
            for part in _PARTS:
                found[f"{prefix}{part}/{self._task}"] = means[f"{part}_{self._task}"]
                found[f"{prefix}{part}/loss"] = means[f"{part}_loss"]
            for part in ("kept", "changed", "recovered"):
                found[f"{prefix}train/{part}_{self._task}"] = means[f"{part}_{self._task}"]
            for gap, part in {"": "test", "val_": "val", "iid_": "iid"}.items():
                found[f"{prefix}gap/{gap}{self._task}"] = means[self.score] - means[f"{part}_{self._task}"]
            found[f"{prefix}gap/loss"] = means["test_loss"] - means["train_loss"]
            found |= {f"{prefix}{name}": means[name] for name in measured}
        return found


def _length_kept(curves: Curves, lengths: Array, share: float) -> Array:
    """In units of L; a curve that ends above `share` before L has none, one that reaches further has all of it."""
    crossings = curves.crossings(share)
    if not len(crossings):
        return crossings
    ends_early = (curves.log2_ratio[:, -1] < lengths - 1e-9) & (crossings >= curves.log2_ratio[:, -1])
    found: Array = np.where(ends_early, math.nan, np.minimum(crossings, lengths) / lengths)
    return found


def _arm(values: pd.Series, arm: str) -> pd.Series:
    """Those of an arm, by trial and network."""
    if arm not in values.index.get_level_values("arm"):
        return values.iloc[:0].droplevel("arm")
    return values.xs(arm, level="arm")


def _means(values: pd.Series) -> pd.Series:
    """By trial, of what is defined."""
    return values.dropna().groupby(level="trial").mean()
