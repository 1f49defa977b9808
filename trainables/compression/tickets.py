"""Lottery tickets in a file: masks and the weights to start from, found by one trial and trained by another.

So a ticket can be tried on other data or with another optimizer (Morcos et al. 2019, arXiv:1906.02773). The file is
safetensors: `weight.NAME` [networks, …] for each parameter and statistic, `mask.NAME` uint8 for each matrix or kernel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor

from trainables.opening import NotReadable, read_file
from trainables.seeding import generator
from trainables.stack.interfaces import Shape, model_of

if TYPE_CHECKING:
    from trainables.config import TrialConfig
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace

_WEIGHT, _MASK = "weight.", "mask."


@dataclass(frozen=True)
class Tickets:
    """Tickets of several networks.

    Args:
        weights: Name → [K, …], what networks start from; whole, not masked.
        masks: Name → bool [K, …], True where the weight is kept.
    """

    weights: dict[str, Tensor]
    masks: dict[str, Tensor]

    def write(self, path: Path) -> None:
        """Writes the file."""
        weights = {_WEIGHT + name: tensor.cpu().contiguous() for name, tensor in self.weights.items()}
        masks = {_MASK + name: tensor.to("cpu", torch.uint8).contiguous() for name, tensor in self.masks.items()}
        save_file(weights | masks, path)

    @classmethod
    def read(cls, path: Path) -> Tickets:
        """Reads a file.

        Raises:
            ValueError: There is none, or it holds no tickets.
        """
        try:
            tensors = dict(sorted(load(read_file(path)).items()))  # safetensors gives them in any order
        except NotReadable as error:
            raise ValueError(f"compression.ticket={error}") from None
        except (ValueError, SafetensorError) as error:
            raise ValueError(f"compression.ticket={path} can't be read: {error}") from None
        weights = {name.removeprefix(_WEIGHT): t for name, t in tensors.items() if name.startswith(_WEIGHT)}
        masks = {name.removeprefix(_MASK): t.bool() for name, t in tensors.items() if name.startswith(_MASK)}
        if not weights or not masks:
            raise ValueError(f"compression.ticket={path} holds no tickets; ockham export … --ticket writes them")
        return cls(weights, masks)


def winning_tickets(workspace: Workspace) -> Tickets:
    """The masks that pruning chose at the level just made, and where its networks rewind to, of the replicates.

    The same at every level, whether the trial trains these tickets or controls of them (`reinit`, `shuffled`).

    Raises:
        ValueError: Nothing is masked there.
    """
    masks = workspace.progress.kept_values["tickets"]
    if masks is None:
        raise ValueError("no ticket: only pruning that masks (granularity=weight, or scope=global) leaves one")
    some = workspace.replicates
    return Tickets(
        {name: tensor[:some] for name, tensor in ticket_start(workspace).tensors().items()},
        {name: mask[:some] for name, mask in masks.items()},
    )


def ticket_start(workspace: Workspace) -> StackedModel:
    """Where networks of the dense shape rewind to: their own start, or that of the ticket they were given."""
    ticket = configured_tickets(workspace)
    return workspace.rewind_point() if ticket is None else workspace.initial().with_tensors(ticket.weights)


def configured_tickets(workspace: Workspace) -> Tickets | None:
    """The tickets of `compression.ticket` for all networks of the trial (twins have the same); None without.

    Raises:
        ValueError: They are of another model, width or image, or there are fewer than replicates.
    """
    path = workspace.config.compression.ticket
    return None if path is None else workspace.once("tickets", lambda: _fitting(workspace, Path(path)))


def require_fit(config: TrialConfig, input_shape: Shape, num_classes: int) -> None:
    """Refuses a trial whose tickets do not fit, before it starts; nothing happens without `compression.ticket`.

    Raises:
        ValueError: As `configured_tickets`.
    """
    if config.compression.ticket is not None:
        path = Path(config.compression.ticket)
        _require_fit(path, Tickets.read(path), config, input_shape, num_classes)


def _fitting(workspace: Workspace, path: Path) -> Tickets:
    tickets = Tickets.read(path)
    _require_fit(path, tickets, workspace.config, workspace.input_shape, workspace.data.num_classes)
    device = workspace.data.images.device
    index = torch.tensor([n % workspace.replicates for n in range(workspace.networks)])
    weights, masks = (
        {name: tensor[index].to(device) for name, tensor in tensors.items()}
        for tensors in (tickets.weights, tickets.masks)
    )
    return Tickets(weights, masks)


def _require_fit(path: Path, tickets: Tickets, config: TrialConfig, input_shape: Shape, num_classes: int) -> None:
    model = model_of(config)
    size = (model.widths(config.model), input_shape, num_classes)
    there = model.build(config.model, *size, [generator(0, "shapes alone")]).tensors()
    theirs = {name: list(tensor.shape[1:]) for name, tensor in tickets.weights.items()}
    ours = {name: list(tensor.shape[1:]) for name, tensor in there.items()}
    if theirs != ours:
        name = next(name for name in (*ours, *theirs) if theirs.get(name) != ours.get(name))
        raise ValueError(
            f"compression.ticket={path} does not fit: {name} is {theirs.get(name, 'absent')} there and "
            f"{ours.get(name, 'absent')} in this trial; model, width, image size and classes must be the same"
        )
    many = len(next(iter(tickets.weights.values())))
    if many < config.replicates:
        raise ValueError(
            f"compression.ticket={path} holds {many} tickets, the trial has {config.replicates} replicates; "
            f"use replicates={many}"
        )
