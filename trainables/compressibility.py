"""How far a network compresses before it breaks: scalars of one score-against-ratio curve.

The score is the task's: accuracy of classes, R² of numbers. Everything is a function of its normalised curve
v(r) = clip((a(r) − chance)/(a(1) − chance), 0, 1), with a(r) the score at parameter ratio r, taken at the measured
levels and joined by straight lines over log₂ r. A network that did not fit, a(1) < chance + ½(1 − chance), has no
scalars: an untrained one would score .2 to .8.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# Ratios are quotients of parameter counts: a curve that ends this close below L ends at L.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Curve:
    """Score against compression, from the dense network on.

    Args:
        log2_ratio: [levels + 1] log₂ of total/kept parameters, not decreasing, 0 at the dense network.
        score: [levels + 1], at most 1.
    """

    log2_ratio: npt.NDArray[np.float64]
    score: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        object.__setattr__(self, "log2_ratio", np.asarray(self.log2_ratio, dtype=np.float64))
        object.__setattr__(self, "score", np.asarray(self.score, dtype=np.float64))
        if self.log2_ratio.ndim != 1 or self.log2_ratio.shape != self.score.shape or not len(self.log2_ratio):
            raise ValueError("a curve needs one ratio and one score a level, the dense network first")
        if abs(self.log2_ratio[0]) > ROUNDING or (np.diff(self.log2_ratio) < -ROUNDING).any():
            raise ValueError("ratios start at 1 (log2 0) with the dense network and never fall")
        if not (np.isfinite(self.score).all() and np.isfinite(self.log2_ratio).all()):
            raise ValueError("a curve must be finite")


def curve_of(ratios: npt.ArrayLike, score: npt.ArrayLike) -> Curve:
    """The curve of measured levels.

    The description of a level may come out a little longer than that of the level before: the shorter one counts.

    Args:
        ratios: [levels + 1] compression ratios, the dense network's first.
        score: [levels + 1].
    """
    return Curve(np.maximum.accumulate(np.log2(np.asarray(ratios, dtype=np.float64))), np.asarray(score))


@dataclass(frozen=True)
class ThresholdCrossing:
    """Where a curve falls below a share of its dense score.

    Args:
        log2_ratio: log₂ of the first such ratio, interpolated; the last measured one if it never falls.
        censored: True if it never falls, so that the true value is at least `log2_ratio`.
    """

    log2_ratio: float
    censored: bool


def has_fit(dense_score: Any, chance: Any) -> Any:
    """Whether a(1) ≥ chance + ½(1 − chance); numbers or arrays alike."""
    return dense_score >= chance + 0.5 * (1 - chance)


def normalise_curve(curve: Curve, chance: float) -> npt.NDArray[np.float64] | None:
    """v at each level, or None if the network did not fit."""
    if not has_fit(curve.score[0], chance) or chance >= 1:
        return None
    result: npt.NDArray[np.float64] = np.clip((curve.score - chance) / (curve.score[0] - chance), 0, 1)
    return result


def auc(curve: Curve, chance: float, limit: float) -> float | None:
    """Compressibility: the mean of v over log₂ r from 0 to `limit`, by trapezoids; in 0 … 1.

    Where the last level lies beyond `limit`, v is interpolated there. A curve that ends before `limit` is never
    extrapolated: it has no auc. `why_no_auc` gives the reason in words.
    """
    values = normalise_curve(curve, chance)
    if values is None or limit <= 0 or curve.log2_ratio[-1] < limit - ROUNDING:
        return None
    inside = curve.log2_ratio < limit - ROUNDING
    end = _interpolate(curve.log2_ratio, values, limit)
    ratios = np.append(curve.log2_ratio[inside], limit)
    return float(np.trapezoid(np.append(values[inside], end), ratios) / limit)


def why_no_auc(curve: Curve, chance: float, limit: float, label: str = "accuracy") -> str | None:
    """Why `auc` is None, for a person to whom the score is `label`; None if it is defined."""
    if normalise_curve(curve, chance) is None:
        need = chance + 0.5 * (1 - chance)
        return f"the dense network did not fit: {label} {curve.score[0]:.3f}, at least {need:.3f} needed"
    if auc(curve, chance, limit) is None:
        return f"the curve ends at log2 ratio {curve.log2_ratio[-1]:.2f}, before {limit:.2f}"
    return None


def log2_ratio_at(curve: Curve, chance: float, share: float) -> ThresholdCrossing | None:
    """Where v first falls below `share` (in 0 … 1), interpolated between levels; None if the network did not fit."""
    values = normalise_curve(curve, chance)
    if values is None:
        return None
    below = np.flatnonzero(values < share)
    if not len(below):
        return ThresholdCrossing(float(curve.log2_ratio[-1]), censored=True)
    after = int(below[0])
    before = after - 1
    step = (values[before] - share) / (values[before] - values[after])
    ratio = curve.log2_ratio[before] + step * (curve.log2_ratio[after] - curve.log2_ratio[before])
    return ThresholdCrossing(float(ratio), censored=False)


def log2_params_at(curve: Curve, chance: float, share: float, dense_parameters: int) -> ThresholdCrossing | None:
    """log₂ of the parameters left where v first falls below `share`; if censored, the true value is at most that."""
    crossing = log2_ratio_at(curve, chance, share)
    if crossing is None:
        return None
    return ThresholdCrossing(float(np.log2(dense_parameters)) - crossing.log2_ratio, crossing.censored)


def levels_survived(curve: Curve, chance: float) -> int | None:
    """Levels before v falls below ½ (0 … depth; depth also if it never does); None if the network did not fit."""
    values = normalise_curve(curve, chance)
    if values is None:
        return None
    below = np.flatnonzero(values < 0.5)
    return int(below[0]) - 1 if len(below) else len(values) - 1


def selectivity(auc_kept: float | None, auc_changed: float | None) -> float | None:
    """auc on the examples with kept labels − on those with changed ones, within one network; None if either is."""
    return None if auc_kept is None or auc_changed is None else auc_kept - auc_changed


def _interpolate(ratios: npt.NDArray[np.float64], values: npt.NDArray[np.float64], where: float) -> float:
    after = int(np.searchsorted(ratios, where - ROUNDING, side="left"))
    if abs(ratios[after] - where) <= ROUNDING:
        return float(values[after])
    share = (where - ratios[after - 1]) / (ratios[after] - ratios[after - 1])
    return float(values[after - 1] + share * (values[after] - values[after - 1]))
