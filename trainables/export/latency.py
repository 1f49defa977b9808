"""How long networks take to answer."""

from collections.abc import Sequence
from time import perf_counter

import torch
from torch import Tensor, nn

from trainables.export.plain import plain_layers, without_silent_units
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel

_ROUNDS, _ROUND_S = 15, 0.01
# At each level of a trial: little enough that it costs a trial nothing.
QUICK_IMAGES, _QUICK_CALLS = 64, 5


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


def quick_latency(one: StackedModel, inputs: Tensor) -> Pausing[float]:
    """Seconds that a network takes for 64 inputs, exported as an ordinary one without what is masked, on the CPU.

    The fastest of five calls, with as many threads as torch has been set to. Neighbours on the machine slow it down, so
    compare levels of one trial; `latencies` takes more care.

    Args:
        one: A stack of one.
        inputs: [≥ 1, C, H, W] normalised; repeated as necessary.
    """
    network = nn.Sequential(*plain_layers(without_silent_units(one).unstack(0).cpu())).eval()
    batch = inputs.cpu()[torch.arange(QUICK_IMAGES) % len(inputs)]
    found = []
    for _ in range(1 + _QUICK_CALLS):
        with torch.inference_mode():
            found.append(_seconds(network, batch, 1))
        yield
    return min(found[1:])


def _seconds(network: nn.Module, inputs: Tensor, calls: int) -> float:
    start = perf_counter()
    for _ in range(calls):
        network(inputs)
    return (perf_counter() - start) / calls
