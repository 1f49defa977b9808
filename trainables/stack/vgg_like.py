"""The small VGG-like networks of the lottery-ticket paper. Torch-free."""

from trainables.stack.blocks import dropping
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import Conv, Linear, MaxPool, ReLU


def convolution_pairs(pairs: int, dropout: float) -> Plan:
    """Pairs of 3 × 3 convolutions `conv_1` …, each pair halves the image, then two hidden affine maps.

    Args:
        pairs: How many; images need 2^pairs pixels a side.
        dropout: Rate after each hidden affine map.

    References:
        Frankle & Carbin 2019, arXiv:1803.03635, figure 2.
    """
    plan: Plan = ()
    for pair in range(pairs):
        # The largest of ReLUs is the ReLU of the largest: pooling first leaves it a quarter of the work.
        plan += (Conv(f"conv_{2 * pair + 1}"), ReLU(), Conv(f"conv_{2 * pair + 2}"), MaxPool(), ReLU())
    for layer in (1, 2):
        plan += (Linear(f"hidden_{layer}"), ReLU(), *dropping(dropout))
    return (*plan, Linear(CLASSES))


def pair_units(pairs: int) -> dict[str, int]:
    """64 channels in the first pair, twice as many in each after it; 256 hidden units."""
    convolutions = {f"conv_{place + 1}": 64 * 2 ** (place // 2) for place in range(2 * pairs)}
    return {**convolutions, "hidden_1": 256, "hidden_2": 256}
