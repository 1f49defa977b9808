"""Whether an exported network says what the trial's network said."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from trainables.bench import Bench
from trainables.stack.model import StackedModel

_BATCH = 1000


@dataclass(frozen=True)
class Said:
    """What a network of a trial, exported, was found to say.

    Args:
        scores: `train_accuracy` (on the labels it was given), `val_accuracy`, `test_accuracy`, by the
            name of the task's score.
        difference: Largest difference of an output to the trial's own network on validation inputs, over the largest
            output (or 1, if that is larger).
    """

    scores: dict[str, float]
    difference: float


def checked(network: nn.Module, bench: Bench, stack: StackedModel, number: int) -> Said:
    """Asks an exported network about all of the trial's data.

    Args:
        network: Pixels [B, C, H, W] → outputs, on the CPU.
        stack: The networks of the level, of which it is number `number`.
    """
    data, version, task = bench.data, int(bench.data.source[number]), bench.data.task
    one, theirs, said = stack.select([number]), [], {}
    scores = {}
    for part, images, labels in (
        ("train", data.images, data.labels[number]),
        ("val", data.val_images, data.val_labels),
        ("test", data.test_images, data.test_labels),
    ):
        starts = range(0, len(labels), _BATCH)
        said[part] = torch.cat([_outputs(network, images[version, at : at + _BATCH].cpu()) for at in starts])
        scores[f"{part}_{task.score}"] = float(task.scores(task.answers(said[part][None]), labels[None].cpu())[0])
    for start in range(0, bench.val_inputs.count, _BATCH):
        inputs = bench.val_inputs.select([number]).slice(start, min(bench.val_inputs.count, start + _BATCH))
        with torch.no_grad():
            theirs.append(one(inputs)[0].cpu())
    before, after = torch.cat(theirs), said["val"]
    scale = max(1.0, float(before.abs().max()))
    return Said(scores, float((before - after).abs().max()) / scale)


def _outputs(network: nn.Module, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        outputs: Tensor = network(pixels)
    return outputs
