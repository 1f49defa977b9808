"""Batch-norm statistics after a compression step: what was cut still stands in the old ones."""

from dataclasses import replace

import torch

from trainables.compression.interfaces import RECOVERIES, CompressionResult
from trainables.compression.pipeline import pipeline_of
from trainables.measuring import measure
from trainables.moving import to_device
from trainables.pausing import Pausing
from trainables.stack.batch_norm import StackedBatchNorm
from trainables.stack.model import StackedModel
from trainables.workspace import Workspace


def recalibrate(
    workspace: Workspace, compressed: CompressionResult, *, rewritten: bool = False
) -> Pausing[CompressionResult]:
    """The networks with statistics of what now flows through them, where batch norm has any and nothing was trained.

    Not before a recovery that starts from other weights, nor where weights are still the dense ones because it is only
    now that they are to be rewritten.

    Each network's running mean and variance become the mean over the batches of one pass over its training inputs, in
    one random order. Weights and labels play no part. What the networks said with the old statistics is reported beside
    it: `stale_train_accuracy`, `stale_val_accuracy`, `stale_test_accuracy` (or what the task's score is called).

    Args:
        rewritten: Whether weights have just been rewritten, whatever was trained before.
    Cost:
        One forward pass over the training inputs, and one evaluation more.
    """
    compression = workspace.config.compression
    starts_again = RECOVERIES.get(compression.recovery).starts_again
    goes_on = not starts_again and pipeline_of(compression).maker is not None
    if not _layers(compressed.stack) or not (rewritten or (goes_on and compressed.recipe is None)):
        return compressed
    stale, score = (yield from measure(workspace, compressed.stack)), workspace.data.task.score
    metrics = {
        f"stale_train_{score}": stale.train.score,
        f"stale_val_{score}": stale.val.score,
    }
    if stale.test is not None:
        metrics[f"stale_test_{score}"] = stale.test.score
    stack = compressed.stack.select(range(compressed.stack.networks))
    yield from renew_statistics(workspace, stack)
    return replace(compressed, stack=stack, metrics={**compressed.metrics, **metrics})


def renew_statistics(workspace: Workspace, stack: StackedModel) -> Pausing[None]:
    """Replaces running means and variances, in place, by the means over one pass over the training inputs."""
    inputs, layers = workspace.train_inputs, _layers(stack)
    size = min(workspace.config.training.batch_size, inputs.count)
    order = to_device(torch.randperm(inputs.count, generator=workspace.draws("recalibration")), inputs.images.device)
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
    for place in range(inputs.count // size):
        index = order[place * size : (place + 1) * size].expand(1, stack.networks, size)
        for layer in layers:
            # The first batch replaces what stood there, later ones keep the mean over all so far.
            layer.momentum = 1 / (place + 1)
        with torch.no_grad():
            stack.answers(inputs.gather(index)[0])
        yield
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
        layer.eval()


def _layers(stack: StackedModel) -> list[StackedBatchNorm]:
    return [layer for layer in stack.modules() if isinstance(layer, StackedBatchNorm)]
