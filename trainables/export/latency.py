"""How long networks take to answer."""

from collections.abc import Sequence
from time import perf_counter

import torch
from torch import Tensor, nn

_ROUNDS, _ROUND_S = 15, 0.01


def latencies(networks: Sequence[nn.Module], inputs: Tensor) -> list[float]:
    """Seconds a call in the fastest round, so that neighbours on the machine count little; networks take turns.

    With as many threads as torch has been set to.

    Args:
        inputs: One batch, for all of them.
    Cost:
        About a fifth of a second a network, or 15 calls.
    """
    found: list[list[float]] = [[] for _ in networks]
    with torch.inference_mode():
        times = [max(1, int(_ROUND_S / _seconds(network, inputs, 3))) for network in networks]
        for _ in range(_ROUNDS):
            for network, calls, seconds in zip(networks, times, found, strict=True):
                seconds.append(_seconds(network, inputs, calls))
    return [min(seconds) for seconds in found]


def _seconds(network: nn.Module, inputs: Tensor, calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        network(inputs)
    return (perf_counter() - start) / calls
