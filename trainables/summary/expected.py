"""The metrics that a trial reports if everything in it is defined: asked of the functions that report them."""

from typing import Any

from trainables.compression.course import watches_validation
from trainables.compression.interfaces import RECOVERIES
from trainables.compression.pipeline import pipeline_of
from trainables.config import TrialConfig
from trainables.data.task import task_of
from trainables.looking.measure import measures_of
from trainables.measuring import Row
from trainables.record import LATENCY
from trainables.summary.dense import dense_metrics
from trainables.summary.final import summarise
from trainables.summary.levels import level_metrics
from trainables.summary.measures import measure_metrics

_COSTS = ("cost/seconds", "cost/samples_per_second", "cost/peak_bytes", LATENCY)


def expected_metrics(config: TrialConfig, *, while_training: bool = False) -> frozenset[str]:
    """Names of all metrics that a trial of this configuration can report, from networks that learn as they should.

    Args:
        while_training: Only of those that are known while the dense networks train.
    """
    compression, task = config.compression, task_of(config.data)
    pipeline = pipeline_of(compression)
    arms = ["replicate", *(["control"] if config.has_control else [])]
    dense = _rows(config, arms, 0, task.score)
    names = set(dense_metrics(dense, task.score, final=not while_training)[0])
    if while_training:
        return frozenset(name for name in names if "test" not in name and "iid" not in name)
    if pipeline.trains or RECOVERIES.get(compression.recovery).trains:
        arms += [f"scratch_{arm}" for arm in arms]
    levels = [_rows(config, arms, level, task.score) for level in (0, 1)]
    both = [0.5] * (2 * config.replicates)
    extra = {name: both for method in pipeline.methods for name in method.reports}
    if watches_validation(config):
        extra["early_stop_epoch"] = both
    every = measures_of(config.measures)
    measures = {name: one for name, one in every.items() if task.has_classes or not one.needs_classes}
    at_levels = {n: one for n, one in measures.items() if one.when != "dense"}
    extra |= {f"measure/{n}/{number}": both for n, one in at_levels.items() for number in one.reports}
    columns = {f"measure/{name}/{number}": 0.5 for name, one in measures.items() for number in one.reports}
    names |= set(measure_metrics([row | columns for row in dense], measures, {})[0])
    names |= set(level_metrics(levels[1], levels[0], extra, task)[0])
    names |= set(summarise([*levels[0], *levels[1]], config, 1.0)[0])
    return frozenset(names | set(_COSTS))


def expected_columns(config: TrialConfig) -> frozenset[str]:
    """Names of all columns of networks.parquet that have numbers, of a trial of this configuration."""
    task, pipeline = task_of(config.data), pipeline_of(config.compression)
    parts = ("train", "kept", "changed", "recovered", "val", "test", "iid")
    names = {f"{part}_{task.score}" for part in parts} | {f"{part}_loss" for part in ("train", "val", "test")}
    names |= {"ratio", "parameters", "parameter_ratio", "description_length", "description_ratio", "flops"}
    names |= {"fidelity", "kappa", "chance", "changed_share", "interpolated", "fitted", "epochs", "epochs_to_fit"}
    names |= {name for method in pipeline.methods for name in method.reports}
    names |= {"early_stop_epoch"} if watches_validation(config) else set()
    measures = measures_of(config.measures)
    return frozenset(names | {f"measure/{name}/{number}" for name, one in measures.items() for number in one.reports})


class _Row(Row):
    """A row in which every number is there."""

    def __missing__(self, column: str) -> Any:
        return 0.5


def _rows(config: TrialConfig, arms: list[str], level: int, score: str) -> list[_Row]:
    """One a network, which fitted, and lost half of it over a level in which half of the parameters went."""
    values: dict[str, Any] = {
        f"{part}_{score}": 1.0 - 0.5 * level for part in ("train", "kept", "changed", "recovered")
    }
    values |= {"level": level, "ratio": 2.0**level, "parameters": 2 // 2**level, "chance": 0.0}
    values |= {"interpolated": True, "stop_reason": "", **dict.fromkeys(task_of(config.data).undefined_reasons)}
    if watches_validation(config):
        values["early_stop_epoch"] = 1.0
    unchanged = {f"changed_{score}": None, f"recovered_{score}": None}
    return [
        _Row(values | (unchanged if "control" in arm or config.data.label_noise == 0 else {}), arm=arm, network=network)
        for arm in arms
        for network in range(config.replicates)
    ]
