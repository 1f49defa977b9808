"""How much is done between two places where a trial may pause."""

import math

from trainables.device import memory_bytes
from trainables.stack.model import StackedModel
from trainables.training.inputs import Inputs

# About half a second on one thread at the 20 G multiply-adds a second that convolutions reach there; a GPU is asked for
# so much more that only memory limits a piece.
_MULTIPLY_ADDS = {"cpu": 10**10}
_UNLIMITED = 10**13
# Batches are gathered this many bytes at a time, so that a piece stays in the processor's cache; of a GPU's memory
# inputs take this share. Of what goes forward at once, a layer's outputs take at most the second one: a convolution's
# are some hundred times as large as its images, and a layer holds its inputs, outputs and workspace.
_GATHERED_BYTES, _SHARE, _SHARE_OF_OUTPUTS = 4 << 20, 256, 16
# Of a chunk that is replayed as one CUDA graph; a step of a small network is about 25 kernels.
_MOST_BATCHES = 64


def examples_at_once(model: StackedModel, inputs: Inputs, most_bytes: int, *, passes: int = 1) -> int:
    """Examples of each network that make up one piece of work, at least one.

    Args:
        model: K networks.
        inputs: What they see.
        most_bytes: Of the K networks' inputs together; a GPU takes what its memory has room for.
        passes: 1 forward, all examples at once; 3 forward and back, batch by batch.
    """
    device = inputs.images.device
    if device.type == "cuda":
        most_bytes = memory_bytes(device) // _SHARE
    by_memory = most_bytes // (inputs.bytes_per_example * model.networks)
    if device.type == "cuda" and passes == 1:
        by_outputs = memory_bytes(device) // _SHARE_OF_OUTPUTS // (4 * model.largest_layer * model.networks)
        by_memory = min(by_memory, by_outputs)
    budget = _MULTIPLY_ADDS.get(device.type, _UNLIMITED)
    by_work = budget // (model.multiply_adds * model.networks * passes)
    return max(1, min(by_memory, by_work))


def batches_at_once(model: StackedModel, inputs: Inputs, size: int, whole: int) -> int:
    """Batches of `size` examples that are gathered and trained on between two pauses, of `whole` in an epoch.

    On a GPU all chunks of an epoch have the same number, as far as that goes: a graph serves one size.
    """
    most = max(1, examples_at_once(model, inputs, _GATHERED_BYTES, passes=3) // size)
    if inputs.images.device.type != "cuda" or not whole:
        return most
    return math.ceil(whole / math.ceil(whole / min(most, _MOST_BATCHES)))
