"""Measures of a trial: when they are taken, what they are shown, and what is kept of what they find."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from trainables.compression.evidence import what_is_seen
from trainables.compression.interfaces import CompressionResult
from trainables.data.interfaces import DATASETS
from trainables.errors import device_failed, out_of_memory, without_frames
from trainables.looking.look import Look
from trainables.looking.measure import Measure, MeasureResult, When, finish_measure, measures_of
from trainables.looking.scoring import SAMPLE_EXAMPLES, Sample
from trainables.measuring import arms
from trainables.pausing import Pausing
from trainables.record import Record, finite
from trainables.stack.model import StackedModel
from trainables.summary.measures import arrays, layer_rows, measure_metrics
from trainables.workspace import Workspace

Columns = dict[str, list[float | None]]
_TIMES: dict[When, int] = {"dense": 0, "levels": 1, "training": 2}
# Networks are measured so many together that their weights are about as many as the first, and the multiply-adds of a
# forward pass over the sample as the second: these bound the memory that a measure takes, and the time between two
# places where a trial can be interrupted (a second of one core). A GPU is faster, and needs more networks at once.
_PARAMETERS, _MULTIPLY_ADDS, _GPU = 2_000_000, 20_000_000_000, 50


@dataclass(frozen=True)
class Moment:
    """A stack at a moment of its trial.

    Args:
        stack: All networks of the trial.
        level, epoch: As for `Look`.
        origin, masks: As in `Level`.
        failed: Networks of which nothing can be said.
    """

    stack: StackedModel
    level: int = 0
    epoch: int | None = None
    origin: list[Tensor] | None = None
    masks: dict[str, Tensor] | None = None
    failed: Mapping[int, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`level_3` or `epoch_12`: what is kept is kept under it."""
        return f"level_{self.level}" if self.epoch is None else f"epoch_{self.epoch}"


def measures_after(
    workspace: Workspace, made: CompressionResult, level: int, failed: Mapping[int, str]
) -> Pausing[Columns]:
    """Takes the measures of a level; 0 is that of the dense networks.

    Returns:
        `measure/<measure>/<name>` → a number for each network, None where it is undefined.
    """
    moment = Moment(made.stack, level, None, made.origin, made.masks, failed)
    return (yield from _take(workspace, moment, "dense" if level == 0 else "levels"))


def measures_while_training(
    workspace: Workspace, stack: StackedModel, epoch: int, failed: Mapping[int, str]
) -> Pausing[None]:
    """Takes the measures that are taken at reports during the dense training too."""
    if measures_during(workspace):
        device = workspace.data.images.device
        every = [torch.arange(width, device=device).repeat(stack.networks, 1) for width in stack.widths]
        yield from _take(workspace, Moment(stack, 0, epoch, every, None, failed), "training")


def measures_during(workspace: Workspace) -> dict[str, Measure]:
    """The measures that are taken while dense networks train."""
    return {name: one for name, one in _measures(workspace).items() if one.when == "training"}


def with_measures(workspace: Workspace, record: Record) -> Record:
    """The summary with what measures found: metrics and notes, rows of layers, arrays."""
    found = workspace.progress.measured
    metrics, notes = measure_metrics(record.networks, _measures(workspace), found)
    layers = tuple(layer_rows(found, arms(workspace), workspace.replicates))
    metrics, notes = {**record.metrics, **metrics}, {**record.notes, **notes}
    return replace(record, metrics=metrics, notes=notes, layers=layers, arrays=arrays(found))


def keeps_dense(workspace: Workspace) -> bool:
    """Whether later levels need the dense networks."""
    return any(one.needs_dense and one.when != "dense" for one in _measures(workspace).values())


def _measures(workspace: Workspace) -> dict[str, Measure]:
    return workspace.once("measures", lambda: measures_of(workspace.config.measures))


def _take(workspace: Workspace, moment: Moment, least: When) -> Pausing[Columns]:
    """What is found is kept under the moment's name, so that a level that is made again leaves it once."""
    measures = {name: one for name, one in _measures(workspace).items() if _TIMES[one.when] >= _TIMES[least]}
    if not measures:
        return {}
    parts: list[dict[str, MeasureResult]] = []
    for numbers in _pieces(workspace, moment.stack):
        seen, found = _look(workspace, moment, numbers), {}
        for name, one in measures.items():
            found[name] = yield from _alone_if_need_be(workspace, moment, numbers, seen, (name, one))
            yield
        parts.append(found)
    together = {
        name: _join([part[name] for part in parts], list(_pieces(workspace, moment.stack))) for name in measures
    }
    kept = {name: _state(_without_failed(found, moment.failed)) for name, found in together.items()}
    workspace.progress.measured[moment.name] = kept
    return {
        f"measure/{name}/{number}": _column(kept[name]["networks"].get(number), workspace.networks)
        for name, one in measures.items()
        for number in one.reports
    }


def _pieces(workspace: Workspace, stack: StackedModel) -> Iterator[list[int]]:
    faster = _GPU if workspace.data.images.device.type == "cuda" else 1
    pass_cost = SAMPLE_EXAMPLES * workspace.model.multiply_adds(
        stack.widths, workspace.input_shape, workspace.data.num_classes
    )
    size = max(1, min(_PARAMETERS // stack.parameters_per_network, faster * _MULTIPLY_ADDS // pass_cost))
    for start in range(0, workspace.networks, size):
        yield [*range(start, min(workspace.networks, start + size))]


def _look(workspace: Workspace, moment: Moment, numbers: list[int]) -> Look:
    stack, masks = moment.stack.select(numbers), moment.masks
    some = None if masks is None else {name: mask[numbers] for name, mask in masks.items()}
    origin = None if moment.origin is None else [units[numbers].to(units.device) for units in moment.origin]
    seen = what_is_seen(workspace, origin, "measure", moment.name, masks=some, networks=numbers)

    def dense() -> StackedModel | None:
        if moment.level == 0:
            return stack if moment.epoch is None else None
        kept = workspace.progress.kept_values.get("trained")
        if kept is None or origin is None:
            return None
        device = workspace.data.images.device
        trained = workspace.template().with_tensors({name: tensor.to(device) for name, tensor in kept.items()})
        return trained.select(numbers).keep_units(origin)

    def twin() -> StackedModel | None:
        if workspace.networks == workspace.replicates:
            return None
        return moment.stack.select([(number + workspace.replicates) % workspace.networks for number in numbers])

    return Look(
        stack,
        level=moment.level,
        epoch=moment.epoch,
        dense=dense,
        twin=twin,
        masks=some,
        validation=lambda: workspace.once("validation sample", lambda: _validation(workspace)).select(numbers),
        teacher=workspace.once("teacher", lambda: _teacher(workspace)),
        **seen,
    )


def _validation(workspace: Workspace) -> Sample:
    data = workspace.data
    count = min(SAMPLE_EXAMPLES, workspace.val_inputs.count)
    labels = data.val_labels[:count].expand(workspace.networks, *data.val_labels[:count].shape)
    return Sample(workspace.val_inputs.slice(0, count), labels, data.task, labels)


def _teacher(workspace: Workspace) -> Tensor | None:
    config = workspace.config.data
    units = DATASETS.get(config.name).model_validate(config.options(config.name)).teacher_units()
    return None if units is None else units.to(workspace.data.images.device)


def _alone_if_need_be(
    workspace: Workspace, moment: Moment, numbers: list[int], seen: Look, named: tuple[str, Measure]
) -> Pausing[MeasureResult]:
    """What a measure finds; where it fails on the networks together, on each of those on which it does not fail alone.

    Raises:
        RuntimeError: Memory ran out, or the device failed, which is the trial's matter.
    """
    if named[1].needs_classes and not workspace.data.task.has_classes:
        return MeasureResult(undefined_reasons={"*": "networks are asked for numbers, not for classes"})
    try:
        return (yield from finish_measure(named[1].measure(seen)))
    except Exception as error:
        why = _reason(error)
    if len(numbers) == 1:
        logging.getLogger(__name__).warning("measure %s failed on network %d: %s", named[0], numbers[0], why)
        return MeasureResult(undefined_reasons={"*": f"it failed: {why}"})
    found = []
    for number in numbers:
        alone = _look(workspace, moment, [number])
        found.append((yield from _alone_if_need_be(workspace, moment, [number], alone, named)))
    return _join(found, [[place] for place in range(len(numbers))])


def _reason(error: Exception) -> str:
    if out_of_memory(error) or device_failed(error):
        raise error
    without_frames(error)
    return f"{type(error).__name__}: {error}".strip().removesuffix(":")


def _join(parts: Sequence[MeasureResult], numbers: Sequence[Sequence[int]]) -> MeasureResult:
    """What was found in several stacks, as if it were one; nan where some lack what others have."""
    if len(parts) == 1:
        return parts[0]
    counts = [len(some) for some in numbers]
    layers = dict.fromkeys(name for part in parts for name in part.layers)
    return MeasureResult(
        networks=_columns([part.networks for part in parts], counts),
        layers={name: _columns([part.layers.get(name, {}) for part in parts], counts) for name in layers},
        examples=_columns([part.examples for part in parts], counts),
        arrays=_columns([part.arrays for part in parts], counts),
        axes={name: axis for part in parts for name, axis in part.axes.items()},
        undefined_reasons={name: why for part in parts for name, why in part.undefined_reasons.items()},
    )


def _columns(parts: Sequence[Mapping[str, Tensor]], counts: Sequence[int]) -> dict[str, Tensor]:
    found = {name: tensor for part in parts for name, tensor in part.items()}
    there = {name: tensor if all(name in part for part in parts) else tensor.double() for name, tensor in found.items()}
    return {
        name: torch.cat(
            [
                part[name] if name in part else like.new_full((count, *like.shape[1:]), torch.nan)
                for part, count in zip(parts, counts, strict=True)
            ]
        )
        for name, like in there.items()
    }


def _without_failed(found: MeasureResult, failed: Mapping[int, str]) -> MeasureResult:
    """The same, undefined for networks that failed."""
    if not failed:
        return found
    lost = sorted(failed)

    def blank(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        copies = {name: tensor.clone() for name, tensor in named.items()}
        for tensor in copies.values():
            if tensor.is_floating_point():
                tensor[lost] = torch.nan
        return copies

    layers = {name: blank(by_layer) for name, by_layer in found.layers.items()}
    return MeasureResult(
        blank(found.networks), layers, blank(found.examples), blank(found.arrays), found.axes, found.undefined_reasons
    )


def _state(found: MeasureResult) -> dict[str, Any]:
    """For a checkpoint."""

    def on_host(named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: tensor.detach().cpu() for name, tensor in named.items()}

    return {
        "networks": on_host(found.networks),
        "layers": {name: on_host(by_layer) for name, by_layer in found.layers.items()},
        "examples": on_host(found.examples),
        "arrays": on_host(found.arrays),
        "axes": on_host(found.axes),
        "undefined": dict(found.undefined_reasons),
    }


def _column(values: Tensor | None, networks: int) -> list[float | None]:
    if values is None:
        return [None] * networks
    return [finite(value) for value in values.tolist()]
