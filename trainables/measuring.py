"""What is measured on a stack: one row a network, as it stands in networks.parquet."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from trainables.compressibility import has_fit
from trainables.compression.description import description_lengths
from trainables.compression.interfaces import CompressionResult, Sizes
from trainables.compression.writing import as_it_is
from trainables.data.conditions import noise_of
from trainables.data.task import IidTruth
from trainables.moving import to_host
from trainables.pausing import Pausing
from trainables.record import finite
from trainables.stack.model import StackedModel
from trainables.training.evaluate import Evaluation, evaluating
from trainables.training.fitting import fits
from trainables.training.loop import Training
from trainables.workspace import Workspace

Row = dict[str, Any]
_SOME = 1000


@dataclass(frozen=True)
class StackEvaluation:
    """A stack's answers on the training labels as given, and on validation and test (None where it was not asked)."""

    train: Evaluation
    val: Evaluation
    test: Evaluation | None


def measure(workspace: Workspace, stack: StackedModel, *, margins: bool = False) -> Pausing[StackEvaluation]:
    """Evaluates the stack on all three splits; takes note of margins on training labels where they are asked for."""
    data = workspace.data
    train = yield from evaluating(stack, workspace.train_inputs, data.labels, data.task, margins=margins)
    val = yield from evaluating(stack, workspace.val_inputs, data.val_labels, data.task)
    test = yield from evaluating(stack, workspace.test_inputs, data.test_labels, data.task)
    return StackEvaluation(train, val, test)


def measure_some(workspace: Workspace, stack: StackedModel) -> Pausing[StackEvaluation]:
    """A quick look during training: the first 1,000 examples of training and validation, test left alone."""
    data, some = workspace.data, _SOME
    train = yield from evaluating(stack, workspace.train_inputs.head(some), data.labels[:, :some], data.task)
    val = yield from evaluating(stack, workspace.val_inputs.head(some), data.val_labels[:some], data.task)
    return StackEvaluation(train, val, None)


@dataclass(frozen=True)
class Dense:
    """What later levels hold their networks against; one entry a network.

    A network interpolates if it fits the targets that it was given (`fits`), over its last epoch or once it is trained;
    which stop rule it met says nothing of that. `failed` says why nothing can be said of a network.
    """

    train_score: list[float]
    interpolated: list[bool]
    stop_reasons: list[str]
    epochs: list[int]
    fitted_at: list[int | None]
    val_predictions: Tensor
    failed: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def from_training(cls, training: Training, measured: StackEvaluation) -> "Dense":
        """After (or, for an intermediate report, during) the dense training."""
        scores, means = (found.tolist() for found in to_host([measured.train.score, measured.train.loss]))
        losses = zip(means, training.running_losses, strict=True)
        interpolated = [
            n not in training.failed and fits(score, min(both))
            for n, (score, both) in enumerate(zip(scores, losses, strict=True))
        ]
        known = zip(interpolated, training.fitted_at, training.epochs, strict=True)
        return cls(
            train_score=scores,
            interpolated=interpolated,
            stop_reasons=[reason or "" for reason in training.stop_reasons],
            epochs=list(training.epochs),
            fitted_at=[epochs if fit and at is None else at for fit, at, epochs in known],
            val_predictions=measured.val.predictions,
            failed=dict(training.failed),
        )

    def state(self) -> dict[str, Any]:
        """For a checkpoint; `Dense(**state)` is this again."""
        return dict(vars(self))


def arms(workspace: Workspace, *, scratch: bool = False) -> list[str]:
    """The arm of each network of a stack."""
    prefix = "scratch_" if scratch else ""
    return [f"{prefix}{'replicate' if n < workspace.replicates else 'control'}" for n in range(workspace.networks)]


def network_rows(
    workspace: Workspace,
    level: int,
    measured: StackEvaluation,
    dense: Dense,
    *,
    scratch: bool = False,
    epochs: int | None = None,
    extra: Mapping[str, Sequence[Any]] | None = None,
    failed: Mapping[int, str] | None = None,
) -> list[Row]:
    """One row a network, JSON types; what is undefined is None.

    `fidelity` is the task's score of a network's answers on validation inputs held against those of the dense network:
    of classes the share of equal answers, of numbers R² with the dense network's outputs as targets.

    Args:
        level: 0 for the dense networks.
        scratch: Whether the networks are those of the scratch arm; `interpolated`, `fitted` and `fidelity` always refer
            to the dense network of the same number.
        epochs: Epochs the networks have trained, if not the dense training's.
        extra: Columns of the level's method, one value a network.
        failed: Network → why nothing can be said of it: nothing that was measured is, `failed` says it.
    """
    data, widths = workspace.data, workspace.level_widths[level]
    size = (widths, workspace.input_shape, data.num_classes)
    parameters = workspace.model.parameter_count(*size)
    shared = {
        "level": level,
        "ratio": workspace.dense_parameters / parameters,
        "parameters": parameters,
        "flops": workspace.model.multiply_adds(*size),
        "widths": "+".join(str(width) for width in widths),
    }
    scores = _scores(workspace, measured)
    said, dense_said, *values = to_host([measured.val.predictions, dense.val_predictions, *scores.values()])
    agreement = {
        "fidelity": data.task.scores(said, dense_said).tolist(),
        "kappa": data.task.kappas(said, dense_said, data.num_classes),
    }
    failed = dense.failed if failed is None else failed
    columns: dict[str, Sequence[Any]] = {
        **_without_failed({name: value.tolist() for name, value in zip(scores, values, strict=True)}, failed),
        **_without_failed(agreement, {**dense.failed, **failed}),
        "failed": [failed.get(n) for n in range(workspace.networks)],
        "chance": data.chance.tolist(),
        "changed_share": data.changed_share.tolist(),
        "interpolated": dense.interpolated,
        "fitted": [
            n not in dense.failed and bool(has_fit(*both))
            for n, both in enumerate(zip(dense.train_score, data.chance.tolist(), strict=True))
        ],
        "epochs": dense.epochs if epochs is None else [epochs] * workspace.networks,
        "epochs_to_fit": dense.fitted_at,
        "stop_reason": dense.stop_reasons,
        "arm": arms(workspace, scratch=scratch),
        **(extra or {}),
    }
    return [
        {"network": n % workspace.replicates, **shared, **{name: finite(column[n]) for name, column in columns.items()}}
        for n in range(workspace.networks)
    ]


def _without_failed(columns: Mapping[str, Sequence[Any]], failed: Mapping[int, str]) -> dict[str, Sequence[Any]]:
    """The columns, undefined for networks that failed."""
    return {name: [None if n in failed else v for n, v in enumerate(values)] for name, values in columns.items()}


def network_sizes(workspace: Workspace, made: CompressionResult) -> dict[str, Sequence[Any]]:
    """Columns of `network_rows`: what the networks cost.

    Both ratios are what the dense network has over what is left: `parameter_ratio` counts stored numbers (as Blalock et
    al. 2020, arXiv:2003.03033; its inverse is the density, 1 − density the sparsity), `description_ratio` the bits of
    `description_length`, see `trainables.compression.description`. `ratio` is the one that curves are drawn against.
    """
    stack, sizes = made.stack, made.sizes
    shapes = [stack.widths] * stack.networks
    if sizes is None:
        flops = workspace.model.multiply_adds(stack.widths, workspace.input_shape, workspace.data.num_classes)
        sizes = Sizes([stack.parameters_per_network] * stack.networks, [flops] * stack.networks)
    lengths = description_lengths(stack, made.writing(), made.unit_masks())
    dense = workspace.once("dense description", lambda: _dense_length(workspace))
    ratios = {
        "parameters": [workspace.dense_parameters / count for count in sizes.parameters],
        "description_length": [dense / length for length in lengths],
    }
    return {
        "ratio": ratios[workspace.config.compression.curve_ratio],
        "parameters": sizes.parameters,
        "parameter_ratio": ratios["parameters"],
        "description_length": lengths,
        "description_ratio": ratios["description_length"],
        "flops": sizes.multiply_adds,
        "widths": ["+".join(str(width) for width in widths) for widths in sizes.widths or shapes],
    }


def _dense_length(workspace: Workspace) -> int:
    """Bits of one dense network, each of its numbers as it is; weights themselves don't matter."""
    size = (workspace.level_widths[0], workspace.input_shape, workspace.data.num_classes)
    stack = workspace.model.build(workspace.config.model, *size, [workspace.draws("template")])
    return description_lengths(stack, as_it_is(stack), None)[0]


def _scores(workspace: Workspace, measured: StackEvaluation) -> dict[str, Tensor]:
    """[K] each, where the networks are; nan where nothing is known."""
    data, train, test = workspace.data, measured.train, measured.test
    kept = data.kept_mask[:, : train.labels.shape[1]]
    truth = data.truth[:, : train.labels.shape[1]]
    unknown = torch.full_like(train.loss, math.nan)
    score = data.task.score
    return {
        "train_loss": train.loss,
        f"train_{score}": train.score,
        f"kept_{score}": train.score_on(kept),
        f"changed_{score}": train.score_on(~kept),
        f"recovered_{score}": train.score_on(~kept, truth),
        "val_loss": measured.val.loss,
        f"val_{score}": measured.val.score,
        "test_loss": unknown if test is None else test.loss,
        f"test_{score}": unknown if test is None else test.score,
        f"iid_{score}": unknown if test is None else _iid_scores(workspace, test),
    }


def _iid_scores(workspace: Workspace, test: Evaluation) -> Tensor:
    """Scores on test labels as noisy as those trained on; nan where no formula holds."""
    data, config, clean, replicates = workspace.data, workspace.config.data, test.score, workspace.replicates
    truth = IidTruth(data.true_labels, data.num_classes, data.iid_test_labels)
    noisy = data.task.iid_scores(noise_of(config), config.label_noise, test.predictions, test.labels, truth)
    known = torch.full_like(clean, math.nan) if noisy is None else noisy
    return torch.cat([known[:replicates], clean[replicates:]])


def same_columns(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with all columns that any of them has, None where a row has none (levels, arms may have their own)."""
    columns = dict.fromkeys(name for row in rows for name in row)
    return tuple({name: row.get(name) for name in columns} for row in rows)
