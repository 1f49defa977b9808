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
        accuracy: `train_accuracy` (on the labels it was given), `val_accuracy`, `test_accuracy`.
        difference: Largest difference of a logit to the trial's own network on validation inputs, over the largest
            logit (or 1, if that is larger).
    """

    accuracy: dict[str, float]
    difference: float


def checked(network: nn.Module, bench: Bench, stack: StackedModel, number: int) -> Said:
    """Asks an exported network about all of the trial's data.

    Args:
        network: Pixels [B, C, H, W] → logits, on the CPU.
        stack: The networks of the level, of which it is number `number`.
    """
    data, version = bench.data, int(bench.data.source[number])
    one, theirs, ours = stack.select([number]), [], []
    accuracy = {}
    for name, images, labels in (
        ("train_accuracy", data.images, data.labels[number]),
        ("val_accuracy", data.val_images, data.val_labels),
        ("test_accuracy", data.test_images, data.test_labels),
    ):
        right = 0
        for start in range(0, len(labels), _BATCH):
            logits = _logits(network, images[version, start : start + _BATCH].cpu())
            right += int((logits.argmax(dim=1) == labels[start : start + _BATCH].cpu()).sum())
            if name == "val_accuracy":
                ours.append(logits)
                inputs = bench.val_inputs.select([number]).slice(start, min(len(labels), start + _BATCH))
                with torch.no_grad():
                    theirs.append(one(inputs)[0].cpu())
        accuracy[name] = right / len(labels)
    before, after = torch.cat(theirs), torch.cat(ours)
    scale = max(1.0, float(before.abs().max()))
    return Said(accuracy, float((before - after).abs().max()) / scale)


def _logits(network: nn.Module, pixels: Tensor) -> Tensor:
    with torch.no_grad():
        logits: Tensor = network(pixels)
    return logits
