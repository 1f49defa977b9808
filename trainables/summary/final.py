"""The summary of a trial: compressibility of each arm, what fresh networks reach, and the contrast between twins."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainables import compressibility as scalars
from trainables.compressibility import Curve, ThresholdCrossing
from trainables.config import TrialConfig
from trainables.data.task import Task, task_of
from trainables.measuring import Row
from trainables.summary.means import PREFIXES, add_mean

# Of the summary, with why they are absent where they are.
_PARTS = {
    "auc_kept": "no example kept its label, or no dense network fits those that did",
    "auc_changed": "no example's label was changed, or no dense network fits those",
    "selectivity": "needs auc_kept and auc_changed of one network",
}


@dataclass(frozen=True)
class Network:
    """The scalars of one network's curve; None where undefined, with the reason why there is no auc.

    `diverged`: whether its dense training did.
    """

    interpolated: bool
    auc: float | None = None
    auc_kept: float | None = None
    auc_changed: float | None = None
    at_95: ThresholdCrossing | None = None
    at_half: ThresholdCrossing | None = None
    params_at_half: ThresholdCrossing | None = None
    levels_survived: int | None = None
    why_no_auc: str | None = None
    diverged: bool = False

    @property
    def selectivity(self) -> float | None:
        """auc on kept − auc on changed examples."""
        return scalars.selectivity(self.auc_kept, self.auc_changed)


def summarise(rows: Sequence[Row], config: TrialConfig, limit: float) -> tuple[dict[str, float], dict[str, str]]:
    """Summary metrics and notes.

    `contrast/auc` is the mean of auc(control) − auc(replicate) over pairs in which both interpolated and have an auc;
    `contrast/retained` the same after each network's scratch arm was subtracted. `contrast/pairs` counts the pairs, and
    a note says how many were left out.

    Args:
        rows: Of all arms and levels of the trial.
        limit: L of `compressibility/auc`.
    """
    metrics: dict[str, float] = {"compressibility/log2_ratio_limit": limit}
    task, by_parameters = task_of(config.data), config.compression.curve_ratio == "parameters"
    notes: dict[str, str] = {} if by_parameters else {"compressibility/ratio": config.compression.curve_ratio}
    found = {
        arm: [_network(curve, limit, task, by_parameters=by_parameters) for curve in _curves(rows, arm)]
        for arm in PREFIXES
        if any(row["arm"] == arm for row in rows)
    }
    for arm, networks in found.items():
        prefix = PREFIXES[arm]
        if arm.startswith("scratch_"):
            name = f"{prefix}scratch_auc"
            add_mean(metrics, name, [network.auc for network in networks], notes)
            _say_why(notes, name, networks, metrics)
        else:
            _compressibility(metrics, notes, prefix, networks, by_rate=config.compression.rate is not None)
    if "control" in found:
        _contrast(metrics, notes, found)
    else:
        clean = "the data are clean already" if config.data.clean else "control=false"
        notes["undefined/contrast/auc"] = f"no clean twins were trained: {clean}"
    return metrics, notes


def _curves(rows: Sequence[Row], arm: str) -> list[list[Row]]:
    """For each network of the arm its rows in the order of levels; a scratch curve starts at its dense network."""
    mine = [row for row in rows if row["arm"] == arm]
    networks = sorted({row["network"] for row in mine})
    return [sorted((r for r in mine if r["network"] == n), key=lambda r: int(r["level"])) for n in networks]


def _network(curve: Sequence[Row], limit: float, task: Task, *, by_parameters: bool) -> Network:
    ratios = [row["ratio"] for row in curve]
    chance, interpolated = curve[0]["chance"], bool(curve[0]["interpolated"])
    broken = [row for row in curve if row[f"train_{task.score}"] is None]
    if broken:
        why = broken[0].get("failed") or f"no {task.label} at level {broken[0]['level']}: all targets are equal"
        return Network(interpolated, why_no_auc=why, diverged=bool(curve[0].get("failed")))

    def curve_on(column: str) -> Curve | None:
        values = [row[column] for row in curve]
        return None if None in values else scalars.curve_of(ratios, values)

    def auc_on(column: str) -> float | None:
        some = curve_on(column)
        return None if some is None else scalars.auc(some, chance, limit)

    whole = scalars.curve_of(ratios, [row[f"train_{task.score}"] for row in curve])
    return Network(
        interpolated=interpolated,
        auc=scalars.auc(whole, chance, limit),
        auc_kept=auc_on(f"kept_{task.score}"),
        auc_changed=auc_on(f"changed_{task.score}"),
        at_95=scalars.log2_ratio_at(whole, chance, 0.95),
        at_half=scalars.log2_ratio_at(whole, chance, 0.5),
        params_at_half=scalars.log2_params_at(whole, chance, 0.5, curve[0]["parameters"]) if by_parameters else None,
        levels_survived=scalars.levels_survived(whole, chance),
        why_no_auc=scalars.why_no_auc(whole, chance, limit, task.label),
    )


def _compressibility(
    metrics: dict[str, float], notes: dict[str, str], prefix: str, networks: Sequence[Network], *, by_rate: bool
) -> None:
    start = f"{prefix}compressibility/"
    add_mean(metrics, f"{start}auc", [n.auc for n in networks], notes)
    _say_why(notes, f"{start}auc", networks, metrics)
    for name, absent in _PARTS.items():
        values = [getattr(n, name) for n in networks]
        if any(value is not None for value in values):
            add_mean(metrics, start + name, values, notes)
        else:
            notes[f"undefined/{start}{name}"] = absent
    for name, crossings in {
        "log2_ratio_at_95": [n.at_95 for n in networks],
        "log2_ratio_at_half": [n.at_half for n in networks],
        "log2_params_at_half": [n.params_at_half for n in networks],
    }.items():
        defined = [crossing for crossing in crossings if crossing is not None]
        if defined:
            add_mean(metrics, start + name, [None if c is None else c.log2_ratio for c in crossings], notes)
            metrics[f"{start}{name}_censored"] = sum(crossing.censored for crossing in defined) / len(defined)
    if by_rate:
        add_mean(metrics, f"{prefix}levels_survived", [n.levels_survived for n in networks], notes)


def _say_why(notes: dict[str, str], name: str, networks: Sequence[Network], metrics: dict[str, float]) -> None:
    reasons = [network.why_no_auc for network in networks if network.why_no_auc]
    if reasons and name not in metrics:
        notes[f"undefined/{name}"] = "; ".join(dict.fromkeys(reasons))


def _contrast(metrics: dict[str, float], notes: dict[str, str], found: dict[str, list[Network]]) -> None:
    numbers = range(len(found["replicate"]))
    both = [k for k in numbers if found["replicate"][k].interpolated and found["control"][k].interpolated]
    auc = {arm: [network.auc for network in networks] for arm, networks in found.items()}
    differences = [_difference(auc["control"][k], auc["replicate"][k]) for k in both]
    pairs = [difference for difference in differences if difference is not None]
    metrics["contrast/pairs"] = float(len(pairs))
    lost = len([k for k in numbers if any(found[arm][k].diverged for arm in ("replicate", "control"))])
    reasons = {
        "a twin diverged": lost,
        "a twin did not interpolate": len(numbers) - len(both) - lost,
        "a twin has no auc": len(both) - len(pairs),
    }
    if any(reasons.values()):
        notes["contrast/excluded"] = "; ".join(
            f"{count} of {len(numbers)} pairs: {reason}" for reason, count in reasons.items() if count
        )
    add_mean(metrics, "contrast/auc", pairs)
    if not pairs:
        notes["undefined/contrast/auc"] = "no pair in which both twins interpolated and have an auc"
    if "scratch_control" not in auc:
        return
    left = [
        _difference(
            _difference(auc["control"][k], auc["scratch_control"][k]),
            _difference(auc["replicate"][k], auc["scratch_replicate"][k]),
        )
        for k in both
    ]
    retained = [value for value in left if value is not None]
    metrics["contrast/retained_pairs"] = float(len(retained))
    add_mean(metrics, "contrast/retained", retained)
    if not retained:
        notes["undefined/contrast/retained"] = "no pair in which both twins and both scratch networks have an auc"


def _difference(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second
