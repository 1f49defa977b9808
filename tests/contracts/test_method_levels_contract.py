"""Every method, and pipelines of them, level by level inside trials."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import config
from trainables.checkpoints import CheckpointStore
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import METHODS, CompressionResult, Level
from trainables.compression.pipeline import pipeline_of
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.measuring import network_sizes
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.record import Record
from trainables.trial import TrialContext, run_trial
from trainables.workspace import Workspace

TRAINED = ("carry", "distill", "hypernet", "group_sparse", "hashed_trained", "dct_trained", "subspace")
SHORT: dict[str, dict[str, Any]] = {name: {"epochs": 2} for name in TRAINED}
VARIANTS: list[dict[str, Any]] = [
    {"compression__method": "low_rank", "compression__low_rank": {"of": "update"}},
    {"compression__method": "sketch", "compression__sketch": {"of": "update"}},
    {"compression__method": "dct", "compression__dct": {"keep": "lowest"}},
    {"compression__method": "merge", "compression__merge": {"fitted": True}},
    {"compression__method": "quantize", "compression__quantize": {"codebook": "kmeans", "bits": 2}},
    {"compression__method": "quantize", "compression__quantize": {"per": "channel", "symmetric": False, "bits": 3}},
    {"compression__method": "quantize", "compression__quantize": {"scale": "range"}},
    {"compression__method": "carry", "compression__granularity": "weight", "compression__carry": {"epochs": 2}},
    {"compression__method": "prune+quantize"},
    {"compression__method": "prune+share", "compression__granularity": "weight"},
    {"compression__method": "prune+quantize", "compression__scope": "global"},
    {"compression__method": "prune+low_rank", "compression__target_ratio": 2.0},
    {"compression__method": "low_rank+quantize"},
    {"compression__method": "dct+share"},
    {"compression__method": "merge+hashed+quantize", "compression__target_ratio": 2.0},
    {"compression__method": "hypernet+quantize", "compression__hypernet": {"epochs": 2}},
    {"compression__method": "prune", "compression__granularity": "weight", "compression__ratio": "description_length"},
]
CASES = [
    {"compression__method": name, **({f"compression__{name}": SHORT[name]} if name in SHORT else {})}
    for name in METHODS.names()
] + VARIANTS
RESIDUAL = {
    "model__name": "resnet20",
    "model__width": 4,
    "replicates": 1,
    "compression__depth": 2,
    "data__split": (60, 20, 20),
    "training__batch_size": 30,
}


def case_name(fields: dict[str, Any]) -> str:
    return " ".join(str(value) for value in fields.values())


def trial_of(fields: dict[str, Any], **more: Any) -> TrialConfig:
    return config(**{"compression__depth": 3, "compression__criterion": "random", "replicates": 2, **fields, **more})


def workspace_of(trial: TrialConfig) -> Workspace:
    made = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made.progress.level = 0
    return made


def moved(workspace: Workspace) -> CompressionResult:
    stack = workspace.initial()
    for name, tensor in stack.tensors().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape[1:], generator=workspace.draws("moved", name))
            tensor.add_(0.05 * noise.abs() if name.endswith("running_var") else 0.05 * noise)
    return CompressionResult(stack, [torch.arange(width).repeat(stack.networks, 1) for width in stack.widths])


def levels_of(workspace: Workspace) -> list[tuple[CompressionResult, CompressionResult]]:
    """Level 1 … depth: what the next level starts from, and what it is written down as."""
    pipeline, last, found = pipeline_of(workspace.config.compression), moved(workspace), []
    for number in range(1, workspace.config.compression.depth + 1):
        level = Level(number, workspace.level_widths[number], last.stack, last.origin, last.epochs, last.masks)
        before = {name: tensor.clone() for name, tensor in last.stack.tensors().items()}
        workspace.progress.level = number - 1
        last = finish(pipeline.make(workspace, level))
        shown = finish(pipeline.rewrite(workspace, number, last))
        assert all(torch.equal(t, before[n]) for n, t in level.previous.tensors().items()), "what it started from stays"
        found.append((last, shown))
    return found


@pytest.mark.parametrize(
    "fields",
    CASES + [pytest.param(case | RESIDUAL, marks=pytest.mark.ends) for case in CASES[: len(METHODS.names())]],
    ids=case_name,
)
def test_levels_get_smaller_and_nothing_else_is_touched(fields: dict[str, Any]) -> None:
    workspace = workspace_of(trial_of({"model__width": 32, **fields}))
    random = torch.get_rng_state()
    dense = moved(workspace).stack.tensors()
    sizes = [network_sizes(workspace, CompressionResult(moved(workspace).stack, None))]
    assert sizes[0]["description_ratio"] == sizes[0]["parameter_ratio"] == [1.0] * workspace.networks
    target, depth = workspace.config.compression.target_ratio or 1, workspace.config.compression.depth
    pipeline = pipeline_of(workspace.config.compression)
    for number, (_, shown) in enumerate(levels_of(workspace), start=1):
        made = network_sizes(workspace, shown)
        lengths = zip(made["description_length"], sizes[-1]["description_length"], strict=True)
        assert all(now < before for now, before in lengths)
        if pipeline.methods[0].stage != "code":
            assert min(made["parameter_ratio"]) >= target ** (number / depth) * (1 - 1e-6)
        else:
            assert made["parameters"] == sizes[0]["parameters"]
        sizes.append(made)
        classifier = [name for name in dense if name.endswith("weight") and dense[name].ndim == 3][-1]
        if pipeline.rewritings and pipeline.maker is None and pipeline.methods[-1].stage == "form":
            tensors = shown.stack.tensors()
            others = [name for name in dense if dense[name].ndim < 3 or name == classifier]
            assert all(torch.equal(tensors[name], dense[name]) for name in others)
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("fields", CASES, ids=case_name)
def test_same_draws_same_networks(fields: dict[str, Any]) -> None:
    first, second = (levels_of(workspace_of(trial_of(fields)))[-1][1] for _ in range(2))
    assert all(torch.equal(tensor, second.stack.tensors()[name]) for name, tensor in first.stack.tensors().items())


@pytest.mark.parametrize("fields", CASES, ids=case_name)
def test_a_network_does_not_depend_on_what_it_is_stacked_with(fields: dict[str, Any]) -> None:
    few, many = (workspace_of(trial_of(fields, replicates=count, control=False)) for count in (1, 3))
    alone, together = levels_of(few)[0][1], levels_of(many)[0][1]
    tensors = together.stack.tensors()
    assert all(torch.allclose(t[0], tensors[n][0], atol=1e-5) for n, t in alone.stack.tensors().items())
    assert network_sizes(few, alone)["description_length"][0] == network_sizes(many, together)["description_length"][0]


def rows_of(found: list[Record]) -> tuple[dict[str, Any], ...]:
    return found[-1].networks


# What is not said by a method alone is seen among the ends.
@pytest.mark.parametrize(
    "fields",
    [*CASES[: len(METHODS.names())], *(pytest.param(case, marks=pytest.mark.ends) for case in VARIANTS)],
    ids=case_name,
)
def test_a_trial_interrupted_at_levels_is_the_undisturbed_one(fields: dict[str, Any], tmp_path: Path) -> None:
    trial = trial_of(fields | {"compression__depth": 2}, model__width=16, training__epochs=2)
    straight = [record for record in run_trial(trial, TrialContext(0, Path("unused"))) if record is not None]
    resumed: list[Record] = []
    for attempt in range(1, 20):
        store = CheckpointStore(tmp_path, attempt, interval_s=0.0)
        resumed, levels = [], 0
        for record in run_trial(trial, TrialContext(0, Path("unused"), checkpoints=store)):
            if record is not None:
                resumed.append(record)
                levels += record.stage == "level"
            if levels == attempt:
                break
        if resumed[-1].stage == "summary":
            break
    assert rows_of(resumed) == rows_of(straight)
