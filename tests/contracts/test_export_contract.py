"""Exported networks of every model: as the trial's own, from files alone, smaller and with fewer operations."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tests.engine import config
from trainables.compression.course import new_workspace
from trainables.compression.interfaces import METHODS, Level
from trainables.compression.masks import apply_masks
from trainables.data.trial_data import trial_data
from trainables.export import loader
from trainables.export.checking import compare_outputs
from trainables.export.files import Plain, plain
from trainables.export.latency import latencies
from trainables.export.loader import load_network
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.recalibration import renew_statistics
from trainables.stack.batch_norm import StackedBatchNorm
from trainables.stack.interfaces import MODELS
from trainables.stack.model import StackedModel
from trainables.trial import TrialContext, run_to_level
from trainables.workspace import Workspace

WIDTHS = {
    "mlp": 48,
    "lenet_300_100": 60,
    "lenet5": 12,
    "conv2": 16,
    "conv4": 12,
    "conv6": 8,
    "resnet20": 8,
    "filters": 64,
    "committee": 64,
}
SHAPES = {"conv6": (1, 8, 8)}


def workspace_of(model: str, **fields: object) -> Workspace:
    trial = config(
        model__name=model,
        model__width=WIDTHS.get(model, 4),
        compression__target_ratio=8.0,
        compression__depth=1,
        replicates=1,
        data__split=(60, 40, 20),
        data__label_noise=0.0,
        **fields,
    )
    made = new_workspace(trial, 0, trial_data(trial, 0, Path("unused")), Progress(trial, 0, None))
    made.progress.level = 0
    return made


def as_trained(workspace: Workspace) -> StackedModel:
    """Initial weights moved a little, biases and batch norm too, as training would."""
    stack, draws = workspace.initial(), workspace.draws("moved")
    for name, tensor in stack.tensors().items():
        if tensor.is_floating_point():
            noise = torch.rand(tensor.shape[1:], generator=draws)
            tensor.add_(0.2 * noise if name.endswith(("bias", "mean", "var")) or tensor.ndim == 2 else 0.0)
    return stack


def compressed(workspace: Workspace) -> StackedModel:
    stack = as_trained(workspace)
    origin = [torch.arange(width)[None] for width in stack.widths]
    level = Level(1, workspace.level_widths[1], stack, origin)
    made = finish(METHODS.get("prune")().compress(workspace, level))
    return apply_masks(made.stack, made.masks)


def exported(workspace: Workspace, stack: StackedModel) -> Plain:
    return plain(stack, workspace.train_inputs, {"model": workspace.config.model.name})


@pytest.mark.parametrize("scope", ["layer", "global"])
@pytest.mark.parametrize("model", MODELS.names())
def test_an_eighth_of_the_parameters_is_really_smaller_and_says_the_same(
    model: str, scope: str, tmp_path: Path
) -> None:
    workspace = workspace_of(model, compression__scope=scope)
    stack, dense = compressed(workspace), exported(workspace, as_trained(workspace))
    small = exported(workspace, stack)
    small.write(tmp_path / "small.safetensors")
    said = compare_outputs(load_network(tmp_path / "small.safetensors"), workspace, stack, 0)
    assert said.difference <= 1e-5
    assert compare_outputs(dense.network, workspace, as_trained(workspace), 0).difference <= 1e-5
    assert dense.parameters / small.parameters >= 7, "batch norm folds away, so that ratios move a little"
    files = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert files == len(small.content) + (tmp_path / "small.json").stat().st_size
    assert len(small.content) < len(dense.content) / 4
    assert all(seconds > 0 for seconds in latencies([dense.network, small.network], workspace.data.images[0][:2]))


@pytest.mark.parametrize("model", MODELS.names())
def test_masked_weights_are_zeros_and_say_the_same(model: str) -> None:
    workspace = workspace_of(model, compression__granularity="weight", compression__criterion="magnitude_l1")
    stack = compressed(workspace)
    small = exported(workspace, stack)
    assert compare_outputs(small.network, workspace, stack, 0).difference <= 1e-5
    zeros = sum(int((p == 0).sum()) for p in small.network.parameters())
    assert zeros > 0.3 * small.parameters


@pytest.mark.parametrize("granularity", ["unit", "weight"])
@pytest.mark.parametrize("model", MODELS.names())
def test_units_tied_to_examples_are_gone_and_it_says_what_evaluation_says(
    model: str, granularity: str, tmp_path: Path
) -> None:
    weights = {"compression__granularity": granularity, "compression__criterion": "magnitude_l1"}
    workspace = workspace_of(model, model__tied_units=0.5, **weights)
    assert any(name.endswith(".tie") for name in workspace.initial().tensors())
    plainly = exported(workspace_of(model), as_trained(workspace_of(model)))
    for stack in (as_trained(workspace), compressed(workspace)):
        small = exported(workspace, stack)
        small.write(tmp_path / "small.safetensors")
        said = compare_outputs(load_network(tmp_path / "small.safetensors"), workspace, stack, 0)
        assert said.difference <= 1e-5
        assert small.parameters < plainly.parameters
        task, own = workspace.data.task, stack(workspace.val_inputs.slice(0, 40))
        measured = float(task.scores(task.answers(own), workspace.data.val_labels[None])[0])
        assert said.scores[f"val_{task.score}"] == measured


def test_of_a_layer_of_tied_units_alone_one_stays_and_is_silent() -> None:
    workspace = workspace_of("mlp", model__tied_units=0.5)
    stack = as_trained(workspace)
    stack = stack.keep_units([torch.arange(30, 48)[None], torch.arange(48)[None]])
    small = exported(workspace, stack)
    assert [m.out_features for m in small.network if isinstance(m, torch.nn.Linear)] == [1, 24, 10]
    assert compare_outputs(small.network, workspace, stack, 0).difference <= 1e-5


def test_units_that_nothing_listens_to_go() -> None:
    workspace = workspace_of("mlp", model__hidden_layers=3)
    stack = as_trained(workspace)
    stack.tensors()["layers.2.weight"][:, 5:9] = 0  # hidden_2 → hidden_3
    stack.tensors()["layers.1.weight"][:, 3, :5] = 0
    stack.tensors()["layers.1.weight"][:, 3, 9:] = 0  # unit 3 of hidden_1 is only heard by units that are not
    small = exported(workspace, stack)
    linears = [m for m in small.network if isinstance(m, torch.nn.Linear)]
    assert [m.out_features for m in linears] == [47, 44, 48, 10]
    assert compare_outputs(small.network, workspace, stack, 0).difference <= 1e-5


def test_a_silent_layer_keeps_a_unit() -> None:
    workspace = workspace_of("mlp")
    stack = as_trained(workspace)
    stack.tensors()["layers.2.weight"].zero_()
    small = exported(workspace, stack)
    assert [m.out_features for m in small.network if isinstance(m, torch.nn.Linear)] == [48, 1, 10]
    assert compare_outputs(small.network, workspace, stack, 0).difference <= 1e-5


def test_batch_norm_is_folded_where_it_can_be() -> None:
    for model, left in (("resnet20", 0), ("wide_resnet", 6)):
        workspace = workspace_of(model)
        layers = list(exported(workspace, as_trained(workspace)).network.modules())
        assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in layers) == left, model
        assert sum(isinstance(layer, loader.Residual) for layer in layers) > 5


def test_the_loader_needs_nothing_of_this_package(tmp_path: Path) -> None:
    workspace = workspace_of("resnet20")
    stack = compressed(workspace)
    exported(workspace, stack).write(tmp_path / "small.safetensors")
    (tmp_path / "loader.py").write_text(Path(loader.__file__).read_text())
    torch.save(workspace.data.val_images[0], tmp_path / "images.pt")
    program = (
        "import torch, sys; from loader import load_network; "
        "y = load_network('small.safetensors')(torch.load('images.pt')); torch.save(y.detach(), 'logits.pt'); "
        "assert 'trainables' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '.'); {program}"], cwd=tmp_path, check=True
    )
    with torch.no_grad():
        expected = stack(workspace.val_inputs.slice(0, 40))[0]
    assert torch.allclose(torch.load(tmp_path / "logits.pt"), expected, atol=1e-5 * float(expected.abs().max()))


def test_an_unknown_layer_is_refused_by_name(tmp_path: Path) -> None:
    workspace = workspace_of("mlp")
    path, beside = exported(workspace, compressed(workspace)).write(tmp_path / "small.safetensors")
    description = json.loads(beside.read_text())
    description["layers"][0]["layer"] = "Unsafe"
    beside.write_text(json.dumps(description))
    with pytest.raises(ValueError, match="unknown layer 'Unsafe'"):
        load_network(path)


def test_onnx_says_the_same(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx.reference")
    workspace = workspace_of("lenet5")
    small = exported(workspace, compressed(workspace))
    small.write_onnx(tmp_path / "small.onnx")
    images = workspace.data.val_images[0][:7].float()
    (logits,) = onnx.ReferenceEvaluator(str(tmp_path / "small.onnx")).run(None, {"pixels": images.numpy()})
    with torch.no_grad():
        assert torch.allclose(torch.from_numpy(logits), small.network(images), atol=1e-5)


def test_a_trial_run_again_to_a_level_has_its_networks_bit_for_bit() -> None:
    trial = config(compression__recovery="finetune", compression__recovery_epochs=2, replicates=2)
    from trainables.trial import run_trial

    rows = [r for r in run_trial(trial, TrialContext(0, Path("unused"))) if r is not None][-1].networks
    for level in (0, 1, 2):
        running = run_to_level(trial, TrialContext(0, Path("unused")), level)
        workspace = finish(running)
        assert workspace.progress.level == level
        for row in workspace.progress.rows:
            assert {k: v for k, v in row.items() if v is not None}.items() <= next(
                r for r in rows if all(r[k] == row[k] for k in ("arm", "network", "level"))
            ).items()
        assert not any(row["arm"].startswith("scratch") for row in workspace.progress.rows)
        assert workspace.networks_here().networks == 4


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_what_float32_costs_a_batch_norm_of_no_variance_is_no_other_network(seed: int) -> None:
    """Units that say one thing to all inputs: their successors' variance is 0, what rounding left there counts 316x."""
    workspace = workspace_of("resnet18", seed=seed, training__batch_size=20)
    stack = as_trained(workspace)
    norms = [module for module in stack.modules() if isinstance(module, StackedBatchNorm)]
    with torch.no_grad():
        for norm in norms[1::2]:
            norm.weight.zero_()
            norm.bias.copy_(1 + 30 * torch.rand(norm.bias.shape, generator=workspace.draws("constant")))
    finish(renew_statistics(workspace, stack))
    assert min(float(norm.running_var.min()) for norm in norms) == 0
    said = compare_outputs(exported(workspace, stack).network, workspace, stack, 0)
    assert said.allowed_difference > 1e-5, "rounding costs more than it does elsewhere"
    assert said.difference <= said.allowed_difference


def test_another_network_is_told_from_rounding() -> None:
    workspace = workspace_of("resnet18")
    stack = as_trained(workspace)
    other = exported(workspace, stack)
    with torch.no_grad():
        next(other.network.parameters()).mul_(1.001)
    said = compare_outputs(other.network, workspace, stack, 0)
    assert said.difference > said.allowed_difference == 1e-5
