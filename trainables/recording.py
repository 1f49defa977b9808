"""What networks say of each training example, given to them or not: the content of `examples.parquet`.

Whether dense networks are right on each test example stands in `arrays.npz` as `test/right`, [networks, examples], in
the order of an example's networks: its influence on test examples is seen over those that were given it or not.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from trainables.data.recorded import why_not
from trainables.data.trial_data import select_subset
from trainables.measuring import StackEvaluation, measure
from trainables.pausing import Pausing
from trainables.record import NOT_LOST, TESTED, Record
from trainables.stack.model import StackedModel
from trainables.training.evaluate import evaluating
from trainables.workspace import Workspace


def measure_dense(workspace: Workspace, stack: StackedModel) -> Pausing[StackEvaluation]:
    """Evaluates dense networks, with their margins where these are recorded."""
    return measure(workspace, stack, margins=not why_not(workspace.config, workspace.data))


def examples_after(
    workspace: Workspace,
    stack: StackedModel,
    number: int,
    failed: Mapping[int, str],
    measured: StackEvaluation,
) -> Pausing[None]:
    """Takes note of what networks say of each example after a level; 0 is that of the dense networks.

    What they say of the examples that they are given is known; of the others they are asked here.

    Args:
        stack: The networks as they were measured.
        failed: Those of which nothing can be said.
        measured: What they said; of dense networks with margins.
    """
    data, known = workspace.data, workspace.progress.examples
    if why_not(workspace.config, data):
        return
    predictions, margins = measured.train.predictions, measured.train.margins
    if data.subset is not None:
        others = data.left_out()
        inputs, labels = replace(workspace.train_inputs, subset=others), select_subset(data.all_labels, others)
        asked = yield from evaluating(stack, inputs, labels, data.task, margins=margins is not None)
        predictions = _join(data.subset, predictions, others, asked.predictions)
        if margins is not None and asked.margins is not None:
            margins = _join(data.subset, margins, others, asked.margins)
    predictions = predictions.cpu().to(torch.int16)
    if number == 0:
        assert margins is not None
        never = torch.full(margins.shape, -1, dtype=torch.int8)
        known |= {"learning": None if workspace.learning is None else workspace.learning.state()}
        known |= {"predictions": predictions, "margins": margins.cpu(), "last_right": never, "failed": {}}
        test = measured.test
        known |= {} if test is None else {"test": (test.predictions == test.labels).cpu()}
    right = predictions == data.all_labels.cpu()
    known["last_right"] = torch.where(right, number, known["last_right"]).to(torch.int8)
    known["failed"] = {n: known["failed"].get(n, number) for n in {*known["failed"], *failed}}


def with_examples(workspace: Workspace, record: Record) -> Record:
    """The summary with one row per example, network and arm."""
    if workspace.config.data.subset < 1 and (why := why_not(workspace.config, workspace.data)):
        return replace(record, notes={**record.notes, "undefined/examples": why})
    if not (state := workspace.progress.examples):
        return record
    # The test examples of a trial that an earlier version began are not known.
    tested = {TESTED: state["test"][_sound(state)].numpy()} if "test" in state else {}
    return replace(record, examples=_columns(workspace, state), arrays={**record.arrays, **tested})


def _columns(workspace: Workspace, state: Mapping[str, Any]) -> dict[str, npt.NDArray[Any]]:
    """Columns for R networks that did not fail before they were compressed, and n examples: [R, n], [R] or [n] each.

    `lost_at` is the level from which on the label given is missed at all levels, `NOT_LOST` where the last one (or the
    one before the network failed) has it; 0 where no level has it.
    """
    data, replicates = workspace.data, workspace.replicates
    last = state["last_right"]
    rows, count = last.shape
    sound = _sound(state)
    ends = torch.tensor([state["failed"].get(n, workspace.progress.level + 1) - 1 for n in range(rows)])[:, None]
    tables = {
        "subset": data.given_mask().cpu(),
        "label": data.all_labels.cpu().to(torch.int16),
        "prediction": state["predictions"],
        "margin": state["margins"],
        "lost_at": torch.where(last >= ends, NOT_LOST, last + 1).to(torch.int8),
    }
    if (seen := state["learning"]) is not None:
        tables |= {name: _of_all(seen[name].cpu(), data.subset, count) for name in ("learned", "forgotten")}
    numbers = torch.tensor(sound, dtype=torch.int16)
    return {
        "network": (numbers % replicates).numpy(),
        "control": (numbers >= replicates).numpy(),
        "true_label": data.true_labels.cpu().to(torch.int16).numpy(),
        **{name: table[sound].numpy() for name, table in tables.items()},
    }


def _sound(state: Mapping[str, Any]) -> list[int]:
    """Networks that did not fail before they were compressed."""
    return [n for n in range(len(state["last_right"])) if state["failed"].get(n) != 0]


def _of_all(table: Tensor, subset: Tensor | None, count: int) -> Tensor:
    """[N, n] from what is known of the m examples that each network is given; 0 of others."""
    if subset is None:
        return table
    return torch.zeros(len(table), count, dtype=table.dtype).scatter_(1, subset.cpu(), table)


def _join(places: Tensor, values: Tensor, others: Tensor, more: Tensor) -> Tensor:
    """[K, n] with `values` at `places` and `more` at the `others`."""
    whole = values.new_empty(len(values), places.shape[1] + others.shape[1])
    return whole.scatter_(1, places, values).scatter_(1, others, more)
