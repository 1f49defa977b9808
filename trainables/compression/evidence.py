"""What a trial lets its criteria look at."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from trainables.compression.masks import Masks, apply_masks
from trainables.looking.scoring import SAMPLE_EXAMPLES, Sample, Scoring
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def scoring(
    workspace: Workspace,
    stack: StackedModel,
    origin: list[Tensor] | None,
    *names: str | int,
    masks: Masks | None = None,
    networks: Sequence[int] | None = None,
) -> Scoring:
    """For units of `stack`, which are these units of the dense networks.

    Args:
        origin: For each group [K, units] int64; None: they come from no dense network, and have no initial weights.
        names: Of the draws, e.g. the level's number.
        masks: Of the stack; what it has lost is 0 in its initial weights too.
        networks: Which networks of the trial the stack holds; None: all.
    Raises:
        ValueError: When initial weights are asked for and there are none.
    """
    return Scoring(stack, **what_is_seen(workspace, origin, "criterion", *names, masks=masks, networks=networks))


def what_is_seen(
    workspace: Workspace,
    origin: list[Tensor] | None,
    *names: str | int,
    masks: Masks | None = None,
    networks: Sequence[int] | None = None,
) -> dict[str, Any]:
    """The arguments of a `Scoring` beside its stack; those of `scoring`, and first among `names` who looks."""
    numbers = list(range(workspace.networks)) if networks is None else list(networks)

    def initial() -> StackedModel:
        if origin is None:
            raise ValueError("these units come from no dense network, so that they have no initial weights")
        return apply_masks(workspace.initial().select(numbers).keep_units(origin), masks)

    def movement() -> StackedModel | None:
        if not workspace.movement or origin is None:
            return None
        device = workspace.data.images.device
        traced = {name: tensor.to(device) for name, tensor in workspace.movement.items()}
        whole = workspace.initial()
        return apply_masks(whole.with_tensors(whole.tensors() | traced).select(numbers).keep_units(origin), masks)

    def sample() -> Sample:
        whole = workspace.once("scoring sample", lambda: _sample(workspace))
        return whole if networks is None else whole.select(networks)

    return {
        "initial": initial,
        "movement": movement,
        "sample": sample,
        "draws": lambda part, network: workspace.draws_for_networks(*names, part)(numbers[network]),
        "input_shape": workspace.input_shape,
    }


def _sample(workspace: Workspace) -> Sample:
    labels = workspace.data.labels
    count = labels.shape[1]
    chosen = [
        torch.randperm(count, generator=workspace.draws("scoring", replicate))[:SAMPLE_EXAMPLES]
        for replicate in range(workspace.replicates)
    ]
    index = torch.stack([chosen[network % workspace.replicates] for network in range(workspace.networks)]).to(
        labels.device
    )
    inputs, data = workspace.train_inputs.gather(index[None])[0], workspace.data
    rows = torch.arange(len(labels), device=labels.device)[:, None]
    examples = index if data.subset is None else data.subset[rows, index]
    return Sample(inputs, labels[rows, index], data.task, data.truth[rows, index], examples)
