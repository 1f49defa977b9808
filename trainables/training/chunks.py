"""How much is done between two places where a trial may pause."""

from trainables.stack.model import StackedModel
from trainables.training.inputs import Inputs

# About half a second on one thread at the 20 G multiply-adds a second that convolutions reach there; a GPU is asked for
# so much more that only memory limits a piece.
_MULTIPLY_ADDS = {"cpu": 10**10}
_UNLIMITED = 10**13


def examples_at_once(model: StackedModel, inputs: Inputs, most_bytes: int, *, passes: int = 1) -> int:
    """Examples of each network that make up one piece of work, at least one.

    Args:
        model: K networks.
        inputs: What they see.
        most_bytes: Of the K networks' inputs together.
        passes: 1 forward, 3 forward and back.
    """
    by_memory = most_bytes // (inputs.bytes_per_example * model.networks)
    budget = _MULTIPLY_ADDS.get(inputs.images.device.type, _UNLIMITED)
    by_work = budget // (model.multiply_adds * model.networks * passes)
    return max(1, min(by_memory, by_work))
