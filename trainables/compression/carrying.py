"""Networks that are trained on other data, or by another optimizer, to see what these would prune."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from trainables.compression.interfaces import Level
from trainables.compression.masks import apply_masks
from trainables.compression.tickets import ticket_start
from trainables.data.conditions import INPUT_KINDS
from trainables.data.trial_data import select_subset
from trainables.pausing import Pausing
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.workspace import Workspace


@dataclass(frozen=True)
class Source:
    """On what networks are trained, and how.

    Args:
        epochs: Passes over it.
        others: Whether it is the training examples that each network is not given, or those that it is.
        inputs: What is done to images: a module of `trainables/input_kinds`.
        optimizer, lr: None: those of the dense training.
    """

    epochs: int
    others: bool = False
    inputs: str = "true"
    optimizer: str | None = None
    lr: float | None = None


def trained_elsewhere(workspace: Workspace, level: Level, source: Source) -> Pausing[Level]:
    """The level with networks of its sizes and masks in place of the previous ones, trained on the source."""
    if level.origin is None:
        raise ValueError("these units come from no dense network, so that no ticket of theirs can be carried")
    stack = apply_masks(ticket_start(workspace).keep_units(level.origin), level.masks)
    examples = workspace.once("source", lambda: _examples(workspace, source))
    recipe = workspace.fixed_recipe(source.epochs, source.lr)
    if source.optimizer is not None:
        recipe = recipe.model_copy(update={"optimizer": source.optimizer, "nesterov": False})
    yield from workspace.fit("source", stack, examples, recipe, level.masks)
    return replace(level, previous=stack)


def _examples(workspace: Workspace, source: Source) -> Examples:
    data, kind = workspace.data, INPUT_KINDS.get(source.inputs)()
    subset, labels = data.subset, data.labels
    if source.others:
        subset = data.left_out()
        labels = select_subset(data.all_labels, subset)
    images = data.images
    if not kind.keeps_inputs:
        names = (workspace.key, "source", "train")
        changed = [
            kind.inputs(version.cpu(), data.mean.cpu(), data.std.cpu(), workspace.config.seed, *names)
            for version in images
        ]
        images = torch.stack(changed).to(images.device)
    return Examples(Inputs(images, data.source, data.mean, subset), labels, data.task)
