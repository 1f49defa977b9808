"""Whether an exported network says what the trial's network said."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.stack.model import StackedModel
from trainables.workspace import Workspace

_BATCH = 1000
# What float32 costs networks whose numbers are of one size; some batch norms make much more of it.
_ROUNDING, _WORSE = 1e-5, 10


@dataclass(frozen=True)
class OutputComparison:
    """What a network of a trial, exported, was found to say.

    Args:
        scores: `train_accuracy` (on the labels it was given), `val_accuracy`, `test_accuracy`, by the
            name of the task's score.
        difference: Largest difference of an output to what the trial's own network says of validation inputs when it
            computes in float64, over the largest output (or 1, if that is larger).
        rounding: The same of the trial's own network when it computes in float32.
    """

    scores: dict[str, float]
    difference: float
    rounding: float

    @property
    def allowed_difference(self) -> float:
        """The largest difference that rounding explains.

        Folding a batch norm, and other kernels, round elsewhere than the trial's network did, but not much worse.
        """
        return max(_ROUNDING, _WORSE * self.rounding)


def compare_outputs(network: nn.Module, workspace: Workspace, stack: StackedModel, number: int) -> OutputComparison:
    """Asks an exported network about all of the trial's data.

    Args:
        network: Pixels [B, C, H, W] → outputs, on the CPU.
        stack: The networks of the level, of which it is number `number`.
    """
    data, version, task = workspace.data, int(workspace.data.source[number]), workspace.data.task
    one, said, scores = stack.select([number]), {}, {}
    given = data.images if data.subset is None else data.images[:, data.subset[number]]
    for part, images, labels in (
        ("train", given, data.labels[number]),
        ("val", data.val_images, data.val_labels),
        ("test", data.test_images, data.test_labels),
    ):
        starts = range(0, len(labels), _BATCH)
        said[part] = torch.cat([_outputs(network, images[version, at : at + _BATCH].cpu()) for at in starts])
        scores[f"{part}_{task.score}"] = float(task.scores(task.answers(said[part][None]), labels[None].cpu())[0])
    exact, own = _answers(stack.select([number]).double(), workspace, number), _answers(one, workspace, number)
    scale = max(1.0, float(exact.abs().max()))
    off, rounding = (float((outputs.double() - exact).abs().max()) / scale for outputs in (said["val"], own))
    return OutputComparison(scores, off, rounding)


def _answers(one: StackedModel, workspace: Workspace, number: int) -> Tensor:
    """Outputs [n, outputs] of a stack of one, network `number` of the trial, on validation inputs."""
    inputs, parts, dtype = workspace.val_inputs.select([number]), [], next(one.parameters()).dtype
    for start in range(0, inputs.count, _BATCH):
        with torch.no_grad():
            parts.append(one(inputs.slice(start, min(inputs.count, start + _BATCH)).to(dtype))[0].cpu())
    return torch.cat(parts)


def _outputs(network: nn.Module, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        outputs: Tensor = network(pixels)
    return outputs
