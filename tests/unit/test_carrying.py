"""Tickets from elsewhere: what the source is trained on, and that its weights decide what is left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from tests.engine import config
from trainables.compression.carrying import Source, trained_elsewhere
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import Level
from trainables.compression.masks import all_weights
from trainables.compression.methods.carry import Carry
from trainables.compression.methods.prune import Prune
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.training.examples import Examples
from trainables.workspace import Workspace


def carrying(**fields: Any) -> Workspace:
    trial = config(
        compression__method="carry",
        compression__granularity="weight",
        compression__criterion="magnitude_l1",
        compression__recovery="rewind",
        compression__recovery_epochs=2,
        data__subset=0.6,
        compression__carry={"epochs": 3, **fields},
    )
    workspace = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    workspace.progress.level = 0
    return workspace


def first_level(workspace: Workspace) -> Level:
    stack = workspace.initial()
    origin = [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths]
    return Level(1, workspace.level_widths[1], stack, origin, masks=all_weights(stack))


def seen_by(workspace: Workspace, source: Source) -> Examples:
    """What the source is trained on."""
    found: list[Examples] = []
    with pytest.MonkeyPatch.context() as patch:
        original = Workspace.fit

        def fit(self: Workspace, name: str, stack: Any, examples: Examples, *args: Any, **kwargs: Any) -> Any:
            found.append(examples)
            return (yield from original(self, name, stack, examples, *args, **kwargs))

        patch.setattr(Workspace, "fit", fit)
        finish(trained_elsewhere(workspace, first_level(workspace), source))
    return found[0]


def test_other_examples_are_those_that_each_network_is_not_given() -> None:
    workspace = carrying(examples="others")
    data, seen = workspace.data, seen_by(workspace, Source(1, others=True))
    assert data.subset is not None
    assert seen.inputs.subset is not None
    for network in range(workspace.networks):
        mine, others = (set(subset[network].tolist()) for subset in (data.subset, seen.inputs.subset))
        assert not mine & others
        assert mine | others == set(range(150))
        assert torch.equal(seen.targets[network], data.all_labels[network, seen.inputs.subset[network]])


def test_pixels_in_another_order_are_the_same_pixels() -> None:
    workspace = carrying()
    same = seen_by(workspace, Source(1)).inputs
    other = seen_by(carrying(), Source(1, inputs="shuffled_pixels")).inputs
    assert torch.equal(same.subset, workspace.data.subset)  # type: ignore[arg-type]
    assert not torch.equal(same.images, other.images)
    assert torch.equal(same.images.flatten(3).sort().values, other.images.flatten(3).sort().values)


def test_what_is_left_is_what_was_large_at_the_source_and_starts_as_it_started_here() -> None:
    workspace = carrying()
    source = finish(trained_elsewhere(workspace, first_level(workspace), Source(3)))
    made = finish(Carry(epochs=3).compress(workspace, first_level(workspace)))
    assert made.masks is not None
    for (name, mask), kept in zip(made.masks.items(), workspace.level_weights[1], strict=True):
        trained = source.previous.tensors()[name].abs().flatten(1).numpy()
        assert not np.allclose(trained, workspace.initial().tensors()[name].abs().flatten(1).numpy(), atol=1e-4)
        for network, row in enumerate(trained):
            largest = np.argsort(-row, kind="stable")[:kept]
            assert set(mask[network].flatten().nonzero()[:, 0].tolist()) == set(largest.tolist())


def test_another_optimizer_finds_another_ticket_and_the_same_one_the_same() -> None:
    def masks(**fields: Any) -> dict[str, torch.Tensor]:
        made = finish(Carry(**fields).compress(carrying(), first_level(carrying())))
        assert made.masks is not None
        return made.masks

    usual, same, adam = masks(epochs=3), masks(epochs=3, optimizer="sgd"), masks(epochs=3, optimizer="adam", lr=0.002)
    assert all(torch.equal(mask, same[name]) for name, mask in usual.items())
    assert any(not torch.equal(mask, adam[name]) for name, mask in usual.items())


def test_a_level_starts_without_what_the_last_one_took() -> None:
    workspace = carrying()
    first = finish(Carry(epochs=2).compress(workspace, first_level(workspace)))
    second = Level(2, workspace.level_widths[2], first.stack, first.origin, masks=first.masks)
    source = finish(trained_elsewhere(workspace, second, Source(2)))
    assert first.masks is not None
    assert all(not source.previous.tensors()[name][~mask].any() for name, mask in first.masks.items())
    made = finish(Prune().compress(workspace, source))
    assert made.masks is not None
    assert all(not (mask & ~first.masks[name]).any() for name, mask in made.masks.items())


def test_others_are_refused_where_there_are_none() -> None:
    with pytest.raises(ValidationError, match=r"carry\.examples=others.*data\.subset=0\.5"):
        config(compression__method="carry", compression__carry={"examples": "others"})
