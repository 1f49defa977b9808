"""What networks say of each training example, given to them or not: the content of `examples.parquet`.

Whether dense networks are right on each test example stands in `arrays.npz` as `test/right`, [networks, examples], in
the order of an example's networks: its influence on test examples is seen over those that were given it or not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from trainables.data.recorded import why_not
from trainables.looking.margins import margins
from trainables.pausing import Pausing
from trainables.record import MARGIN_STEP, NOT_LOST, TESTED, Record
from trainables.stack.model import StackedModel
from trainables.training.chunks import examples_at_once
from trainables.training.evaluate import Evaluation
from trainables.training.inputs import Inputs
from trainables.workspace import Workspace

_CHUNK_BYTES = 8 << 20


@dataclass(frozen=True)
class _Answers:
    """What K networks say of n examples, on the CPU: [K, n] int16 classes, [K, n] int8 margins on their labels."""

    predictions: Tensor
    margins: Tensor


def examples_after(
    workspace: Workspace,
    stack: StackedModel,
    number: int,
    failed: Mapping[int, str],
    test: Evaluation | None = None,
) -> Pausing[None]:
    """Takes note of what networks say of each example after a level; 0 is that of the dense networks.

    Args:
        stack: The networks as they were measured.
        failed: Those of which nothing can be said.
        test: What the dense networks say of test examples.
    """
    if why_not(workspace.config, workspace.data):
        return
    said, known = (yield from _answers(workspace, stack)), workspace.progress.examples
    if number == 0:
        never = torch.full_like(said.margins, -1)
        known |= {"learning": None if workspace.learning is None else workspace.learning.state()}
        known |= {"predictions": said.predictions, "margins": said.margins, "last_right": never, "failed": {}}
        known |= {} if test is None else {"test": (test.predictions == test.labels).cpu()}
    right = said.predictions == workspace.data.all_labels.cpu()
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


def _answers(workspace: Workspace, stack: StackedModel) -> Pausing[_Answers]:
    data = workspace.data
    inputs, labels = Inputs(data.images, data.source, data.mean), data.all_labels
    predictions = torch.empty(labels.shape, dtype=torch.int16)
    rounded = torch.empty(labels.shape, dtype=torch.int8)
    chunk = examples_at_once(stack, inputs, _CHUNK_BYTES)
    for start in range(0, inputs.count, chunk):
        part = slice(start, min(inputs.count, start + chunk))
        with torch.no_grad():
            logits = stack.answers(inputs.slice(part.start, part.stop)).float()
            steps = margins(logits, labels[:, part]) / MARGIN_STEP
            rounded[:, part] = steps.round().clamp(-127, 127).nan_to_num(0.0).to(torch.int8)
            predictions[:, part] = logits.argmax(dim=2).to(torch.int16)
        yield
    return _Answers(predictions, rounded)
