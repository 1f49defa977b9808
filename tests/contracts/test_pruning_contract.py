"""Every criterion × granularity × scope × direction, inside a trial."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.engine import config, records
from trainables.checkpoints import CheckpointStore
from trainables.compression.combinations import check
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import CRITERIA, METHODS, CompressionResult, Level
from trainables.compression.masked_pruning import kept_widths
from trainables.compression.masks import parameters_kept, weights_kept
from trainables.compression.recovery import recover
from trainables.compression.sizing import target_at
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.record import Record
from trainables.trial import TrialContext, run_trial
from trainables.workspace import Workspace

UNITS = CRITERIA.names()
WEIGHTS = [name for name in UNITS if CRITERIA.get(name).scores_weights]
CASES = [
    (name, granularity, scope)
    for granularity, names in (("unit", UNITS), ("weight", WEIGHTS))
    for scope in ("layer", "global")
    for name in names
]


def workspace_of(trial: TrialConfig) -> Workspace:
    made = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made.progress.level = 0
    return made


def levels_of(workspace: Workspace) -> list[CompressionResult]:
    """Level 0 … depth, without training in between.

    Weights are moved a little, as training would, and the first third of the units of each group is one unit several
    times over, so that scores tie.
    """
    stack = workspace.initial()
    tensors = stack.tensors()
    for tensor in tensors.values():
        tensor.add_(0.01 * torch.randn(tensor.shape[1:], generator=workspace.draws("moved")).abs())
    for group, width in zip(stack.groups, stack.widths, strict=True):
        for cut in group.cuts:
            some = tensors[cut.tensor].narrow(cut.axis, 0, width // 3 * cut.repeat)
            some.copy_(
                tensors[cut.tensor].narrow(cut.axis, 0, cut.repeat).clone().repeat_interleave(width // 3, cut.axis)
            )
    origin = [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths]
    made = [CompressionResult(stack, origin)]
    method = METHODS.get("prune").model_validate(workspace.config.compression.options("prune"))
    for number in range(1, workspace.config.compression.depth + 1):
        last = made[-1]
        level = Level(number, workspace.level_widths[number], last.stack, last.origin, masks=last.masks)
        before = {name: tensor.clone() for name, tensor in last.stack.tensors().items()}
        made.append(finish(method.compress(workspace, level)))
        assert all(torch.equal(tensor, before[name]) for name, tensor in last.stack.tensors().items())
        places = {tensor.data_ptr() for tensor in last.stack.tensors().values()}
        assert not any(tensor.data_ptr() in places for tensor in made[-1].stack.tensors().values()), "shares nothing"
    return made


def masked_weights(made: CompressionResult) -> dict[str, Tensor]:
    assert made.masks is not None
    return made.masks


@pytest.mark.parametrize("direction", ["lowest", "highest"])
@pytest.mark.parametrize(("criterion", "granularity", "scope"), CASES)
def test_counts_are_exact_kept_sets_nested_and_nothing_else_changes(
    criterion: str, granularity: str, scope: str, direction: str
) -> None:
    normed = {"model__name": "resnet20", "model__width": 4} if criterion == "batch_norm_scale" else {}
    trial = config(
        compression__criterion=criterion,
        compression__granularity=granularity,
        compression__scope=scope,
        compression__direction=direction,
        compression__depth=3,
        replicates=2,
        **normed,
    )
    check(trial)
    workspace = workspace_of(trial)
    random = torch.get_rng_state()
    dense, *levels = levels_of(workspace)
    assert torch.equal(torch.get_rng_state(), random)
    for number, made in enumerate(levels, start=1):
        before = [dense, *levels][number - 1]
        assert made.origin is not None
        assert before.origin is not None
        assert made.stack(workspace.val_inputs.slice(0, 2)).shape == (workspace.networks, 2, 10), (
            "classes are never pruned"
        )
        if granularity == "unit" and scope == "layer":
            assert made.stack.widths == workspace.level_widths[number]
            for units, earlier in zip(made.origin, before.origin, strict=True):
                assert all(set(units[k].tolist()) <= set(earlier[k].tolist()) for k in range(workspace.networks))
            continue
        masks = masked_weights(made)
        for name, tensor in made.stack.tensors().items():
            kept = masks.get(name, torch.ones_like(tensor, dtype=torch.bool))
            assert torch.equal(tensor, dense.stack.tensors()[name] * kept), "what is kept is unchanged, the rest is 0"
            if before.masks is not None and name in masks:
                assert not (kept & ~before.masks[name]).any(), "nested over levels"
            assert kept.flatten(1).any(dim=1).all(), "no layer is emptied"
        if granularity == "weight":
            counts = torch.stack([mask.flatten(1).sum(dim=1) for mask in masks.values()], dim=1)
            wanted = list(workspace.level_weights[number])
            assert all((row if scope == "layer" else [sum(row)]) == wanted for row in counts.tolist())
            assert not any(name.endswith("bias") for name in masks)
        else:
            allowed = workspace.dense_parameters / target_at(trial.compression, number)
            assert max(parameters_kept(made.stack, weights_kept(masks))) <= allowed
            assert all(min(widths) >= 1 for widths in kept_widths(made.stack, masks))
            classifier = [name for name, p in made.stack.named_parameters() if name.endswith("bias")][-1]
            assert classifier not in masks, "classes are never pruned"


def test_units_overall_go_no_further_than_they_must() -> None:
    trial = config(compression__scope="global", compression__depth=3, replicates=2)
    workspace = workspace_of(trial)
    for number, made in enumerate(levels_of(workspace)[1:], start=1):
        allowed = workspace.dense_parameters / target_at(trial.compression, number)
        for first, second in kept_widths(made.stack, masked_weights(made)):
            size = [(first + 1, second), (first, second + 1)]
            assert any(workspace.model.parameter_count(w, workspace.input_shape, 10) > allowed for w in size)


RECOVERIES = ["finetune", "rewind", "reinit", "shuffled"]


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("scope", ["layer", "global"])
def test_recovered_networks_have_exactly_the_weights_of_their_masks(recovery: str, scope: str) -> None:
    trial = config(
        compression__granularity="weight",
        compression__scope=scope,
        compression__recovery=recovery,
        compression__recovery_epochs=4,
        training__weight_decay=0.01,
        replicates=2,
    )
    workspace = workspace_of(trial)
    _, made, _ = levels_of(workspace)
    level = Level(1, workspace.level_widths[1], workspace.initial(), made.origin)
    recovered = finish(recover(workspace, level, made)).result
    masks, pruned = masked_weights(recovered), masked_weights(made)
    for name, mask in masks.items():
        tensor = recovered.stack.tensors()[name]
        assert not tensor[~mask].any()
        assert (tensor != 0).sum() == mask.sum() == pruned[name].sum()
        assert torch.equal(mask, pruned[name]) == (recovery != "shuffled")


def test_a_ticket_starts_from_its_initial_weights() -> None:
    trial = config(
        compression__granularity="weight",
        compression__recovery="rewind",
        compression__recovery_epochs=2,
        training__lr=1e-12,
        replicates=2,
    )
    workspace = workspace_of(trial)
    _, made, _ = levels_of(workspace)
    level = Level(1, workspace.level_widths[1], workspace.initial(), made.origin)
    recovered = finish(recover(workspace, level, made)).result
    initial, masks = workspace.initial().tensors(), masked_weights(made)
    for name, tensor in recovered.stack.tensors().items():
        assert torch.allclose(tensor, initial[name] * masks.get(name, torch.tensor(True)), atol=1e-7)


def rows_of(found: list[Record]) -> tuple[dict[str, Any], ...]:
    return found[-1].networks


@pytest.mark.parametrize("recovery", ["rewind", "finetune"])
@pytest.mark.parametrize(("granularity", "scope"), [("weight", "layer"), ("weight", "global"), ("unit", "global")])
def test_a_whole_trial_interrupted_twice_is_the_undisturbed_one(
    granularity: str, scope: str, recovery: str, tmp_path: Path
) -> None:
    trial = config(
        compression__granularity=granularity,
        compression__scope=scope,
        compression__recovery=recovery,
        compression__recovery_epochs=4,
        training__epochs=3,
        replicates=2,
    )
    straight = records(trial)
    resumed: list[Record] = []
    for attempt, stop in enumerate((22, 20, 10_000), start=1):
        store = CheckpointStore(tmp_path, attempt, interval_s=0)
        resumed = []
        for count, record in enumerate(run_trial(trial, TrialContext(0, Path("unused"), checkpoints=store))):
            if record is not None:
                resumed.append(record)
            if count == stop:
                break
    assert rows_of(resumed) == rows_of(straight)
    for row in rows_of(straight):
        if row["level"]:
            assert row["ratio"] >= 4 ** (row["level"] / 2) * (1 - 1e-6)
            assert row["ratio"] == pytest.approx(1066 / row["parameters"])
            assert row["flops"] < 960
    tickets = {row["parameters"] for row in rows_of(straight) if row["level"] == 2 and row["arm"] == "replicate"}
    fresh = {row["parameters"] for row in rows_of(straight) if row["level"] == 2 and row["arm"] == "scratch_replicate"}
    assert tickets == fresh, "the scratch arm has the same masks"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"compression__criterion": "apoz", "compression__granularity": "weight"}, "scores units, not single weights"),
        ({"compression__criterion": "batch_norm_scale"}, "mlp has none"),
        ({"compression__method": "distill", "compression__granularity": "weight"}, "is for method=prune"),
        ({"compression__scope": "global", "compression__rate": 0.2}, "use target_ratio"),
        ({"compression__recovery": "shuffled", "compression__recovery_epochs": 2}, "granularity=weight"),
    ],
)
def test_what_does_not_go_together_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check(config(**fields))
    check(config(compression__criterion="batch_norm_scale", model__name="resnet20", model__width=4))
