"""Convolutional networks, forward and back: one by one, grouped, and as a user would run a single one.

`… samples/s` are network-samples a second (a batch of 50 for each of 4 networks counts 200), of one thread's CPU time
or on the GPU where there is one, without optimizer and data. `ours` is what Ockham chooses there; `ours / plain`
compares it with an ordinary torch network of the same plan, run alone. `half the width: time / multiply-adds` says
whether shrunken networks are really cheaper: the share of time a sample still takes, divided by the share of
multiply-adds that is left (1: as cheap as arithmetic says; small convolutions cost their calls and memory traffic).
"""

import math
from collections.abc import Callable
from time import perf_counter, process_time

import torch
from torch import Tensor, nn

from trainables.config import ModelConfig
from trainables.memory import freed_memory_kept
from trainables.seeding import generator
from trainables.stack import network
from trainables.stack.interfaces import MODELS
from trainables.stack.model import StackedModel
from trainables.training.losses import cross_entropy

NETWORKS, BATCH, ROUNDS = 4, 50, 7
CASES = {
    "lenet5 mnist": ("lenet5", 6, (1, 28, 28)),
    "conv2 mnist": ("conv2", 64, (1, 28, 28)),
    "conv2 digits, width 16": ("conv2", 16, (1, 8, 8)),
    "resnet20 cifar": ("resnet20", 16, (3, 32, 32)),
    "resnet20 digits": ("resnet20", 16, (1, 8, 8)),
}
Ways = dict[str, Callable[[], None]]


def measure() -> dict[str, float]:
    """Best of seven rounds, the ways taking turns, so that a busy moment of the machine hits all of them."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    chosen = network.GROUPED_BELOW[device]
    try:
        with freed_memory_kept():
            cases = {case: _case(*of, device, chosen) for case, of in CASES.items()}
        return {f"{case}: {what}": value for case, figures in cases.items() for what, value in figures.items()}
    finally:
        network.GROUPED_BELOW[device] = chosen
        torch.set_num_threads(threads)


def _case(name: str, width: int, shape: tuple[int, ...], device: str, chosen: float) -> dict[str, float]:
    stack, half = (_stack(name, units, shape).to(device).train() for units in (width, max(1, width // 2)))
    x = torch.randn(NETWORKS, BATCH, *shape, generator=generator(2)).to(device)
    y = torch.randint(10, (NETWORKS, BATCH), generator=generator(3)).to(device)
    alone = stack.unstack(0).train()
    parameters = list(alone.parameters())

    def run(model: StackedModel, grouped_below: float) -> Callable[[], None]:
        def once() -> None:
            network.GROUPED_BELOW[device] = grouped_below
            model.gradients(x, y, cross_entropy)

        return once

    def plain() -> None:
        torch.autograd.grad(nn.functional.cross_entropy(alone(x[0]), y[0]), parameters)

    ways = {
        "one by one": run(stack, 0),
        "grouped": run(stack, math.inf),
        "ours": run(stack, chosen),
        "half": run(half, chosen),
        "plain": plain,
    }
    seconds = _seconds(ways, x)
    seconds["plain"] *= NETWORKS
    figures = {f"{way} samples/s": NETWORKS * BATCH / seconds[way] for way in ways if way != "half"}
    left = _multiply_adds(name, half.widths, shape) / _multiply_adds(name, stack.widths, shape)
    return {
        **figures,
        "ours / plain": seconds["plain"] / seconds["ours"],
        "half the width: time / multiply-adds": seconds["half"] / seconds["ours"] / left,
    }


def _stack(name: str, width: int, shape: tuple[int, ...]) -> StackedModel:
    model, config = MODELS.get(name)(), ModelConfig.model_validate({"name": name, "width": width})
    return model.build(config, model.widths(config), shape, 10, [generator(1, k) for k in range(NETWORKS)])


def _multiply_adds(name: str, widths: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return MODELS.get(name)().multiply_adds(widths, shape, 10)


def _seconds(ways: Ways, x: Tensor) -> dict[str, float]:
    clock = perf_counter if x.is_cuda else process_time
    best = dict.fromkeys(ways, math.inf)
    for round_ in range(ROUNDS + 1):
        for way, once in ways.items():
            started = clock()
            once()
            if x.is_cuda:
                torch.cuda.synchronize()
            if round_:
                best[way] = min(best[way], clock() - started)
    return best
