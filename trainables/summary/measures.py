"""What measures found, as a trial's summary has it: metrics of dense networks, rows of layers, and arrays."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainables.looking.measure import Measure
from trainables.measuring import Row
from trainables.summary.means import PREFIXES, add_mean, by_arm

Arrays = dict[str, npt.NDArray[Any]]
PREFIX = "measure/"


def measure_metrics(
    rows: Sequence[Row], measures: Mapping[str, Measure], found: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics and notes of the measures of dense networks.

    `measure/<measure>/<name>` is the mean over replicates, `control/…` over their twins, `contrast/…` the mean of
    control − replicate over the pairs in which both interpolated and both have a number.

    Args:
        rows: Of all arms and levels.
        measures: Those that were taken.
        found: What `Progress.measured` keeps.
    """
    metrics: dict[str, float] = {}
    notes: dict[str, str] = {}
    arms = by_arm([row for row in rows if row["level"] == 0])
    for measure, one in measures.items():
        undefined = found.get("level_0", {}).get(measure, {}).get("undefined", {})
        for name in one.reports:
            column = f"{PREFIX}{measure}/{name}"
            why = undefined.get(name, undefined.get("*", "no network has a finite number"))
            for arm in ("replicate", "control"):
                if arm in arms:
                    add_mean(metrics, PREFIXES[arm] + column, [row.get(column) for row in arms[arm]], notes, why)
            if "control" in arms:
                add_mean(metrics, f"contrast/{column}", _differences(arms, column))
    return metrics, notes


def _differences(arms: Mapping[str, Sequence[Row]], column: str) -> list[float]:
    pairs = [
        (control[column], replicate[column])
        for control, replicate in zip(arms["control"], arms["replicate"], strict=True)
        if control["interpolated"] and replicate["interpolated"]
    ]
    return [control - replicate for control, replicate in pairs if control is not None and replicate is not None]


def layer_rows(found: Mapping[str, Any], arms: Sequence[str], replicates: int) -> Iterator[Row]:
    """One row a number of a layer, and of a network while it trained: the columns of layers.parquet.

    These are network, arm, level (None while dense networks train), epoch (None afterwards), layer (None: the whole
    network), measure, name, value. What is undefined has no row.

    Args:
        found: What `Progress.measured` keeps.
        arms: Of each network.
        replicates: How many there are of an arm.
    """
    for moment, measures in found.items():
        kind, _, number = moment.partition("_")
        at = {"level": int(number) if kind == "level" else None, "epoch": int(number) if kind == "epoch" else None}
        for measure, kept in measures.items():
            numbers = {name: by_layer.items() for name, by_layer in kept["layers"].items()}
            whole = {name: [(None, values)] for name, values in kept["networks"].items()} if kind == "epoch" else {}
            for name, layers in [*whole.items(), *numbers.items()]:
                for layer, values in layers:
                    for place, value in enumerate(values.tolist()):
                        if math.isfinite(value):
                            who = {"network": place % replicates, "arm": arms[place], **at}
                            yield {**who, "layer": layer, "measure": measure, "name": name, "value": float(value)}


def arrays(found: Mapping[str, Any]) -> Arrays:
    """The content of arrays.npz; first axis: all networks, replicates first.

    `level_0/<measure>/<name>` and so on; what was found while dense networks trained is one array,
    `training/<measure>/<name>` [reports, networks, …], with its `training/epochs` [reports]. Floats are float32.
    """
    made: Arrays = {}
    epochs = sorted(int(moment.removeprefix("epoch_")) for moment in found if moment.startswith("epoch_"))
    for moment, measures in found.items():
        for measure, kept in measures.items():
            for name, tensor in {**kept["arrays"], **kept["examples"], **kept["axes"]}.items():
                made[f"{moment}/{measure}/{name}"] = _compact(tensor.numpy())
    if epochs:
        first = f"epoch_{epochs[0]}/"
        for name in [name for name in made if name.startswith(first)]:
            rest = name.removeprefix(first)
            films = [made.pop(f"epoch_{epoch}/{rest}", None) for epoch in epochs]
            there = [part for part in films if part is not None]
            if len(there) == len(epochs) and len({part.shape for part in there}) == 1:
                made[f"training/{rest}"] = np.stack(there)
        if any(name.startswith("training/") for name in made):
            made["training/epochs"] = np.array(epochs)
    return made


def _compact(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return values.astype(np.float32) if values.dtype == np.float64 else values
