"""Dense training against the machine's own rate and against what a user would write, all in turns in one run.

Cases: `mlp` 784-512-512-10 (batch 128), `conv2` on 28 × 28 grey values and `resnet20` on 32 × 32 colours (batch 32);
stacks of 1, 4 and 16 networks; one thread (processor time) and two (wall time). `digits x 10`: MLP 64-64-64-10, batch
50, bound by the number of calls a step makes. Every figure is a median over rounds.

- `of matmul`: share of the fp32 rate of `torch.mm` on 1024 x 1024 matrices on as many threads, a training step counted
  as three times its forward pass, as the field does. Budget: 0.85 for `mlp x 4, 1 thread`.
- `strictly`: the same, without the gradient of the images, which nobody computes: 5/6 of it for `mlp`.
- `/ DataLoader`: network-samples a second over those of one network fed by torchvision's transforms and a DataLoader
  (as many worker processes as there are threads beside the first). Budget: 3 for `mlp x 4`.
- `/ plain loop`: over those of one network trained from a tensor in memory.
- `samples/s`: network-samples a second.
"""

import math
import os
import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from tests.benchmarks._rivals import clock_for, data_loader, matrix_rate, plain_loop
from trainables.config import ModelConfig, TrainingConfig
from trainables.memory import freed_memory_kept
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.interfaces import MODELS, Shape
from trainables.stack.layers import StackedLinear
from trainables.stack.model import StackedModel
from trainables.stack.spatial import StackedConv
from trainables.tasks.classification import Classification
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.loop import Training

CLASSES, STACKS = 10, (1, 4, 16)


@dataclass(frozen=True)
class Case:
    """A model on images of one shape."""

    model: str
    width: int
    shape: Shape
    batch: int
    rounds: int

    def stack(self, networks: int, widths: Shape | None = None) -> StackedModel:
        """Fresh networks."""
        model, config = MODELS.get(self.model)(), ModelConfig.model_validate({"name": self.model, "width": self.width})
        draws = [generator(0, k) for k in range(networks)]
        return model.build(config, widths or model.widths(config), self.shape, CLASSES, draws)

    def examples(self, count: int) -> tuple[Tensor, Tensor]:
        """Random images and labels."""
        draws = generator(0, "images")
        images = torch.randint(256, (count, *self.shape), dtype=torch.uint8, generator=draws)
        return images, torch.randint(CLASSES, (count,), generator=draws)


MLP = Case("mlp", 512, (1, 28, 28), batch=128, rounds=5)
CASES = (MLP, Case("conv2", 64, (1, 28, 28), batch=32, rounds=3), Case("resnet20", 16, (3, 32, 32), batch=32, rounds=3))
DIGITS = Case("mlp", 64, (1, 8, 8), batch=50, rounds=7)


def measure() -> dict[str, float]:
    """All figures; two to three minutes on a quiet machine."""
    before, figures = torch.get_num_threads(), dict[str, float]()
    try:
        with freed_memory_kept():
            for threads in (1, 2)[: os.cpu_count()]:
                torch.set_num_threads(threads)
                for case in CASES:
                    figures |= _compared(case, threads)
                if threads == 1:
                    figures |= _compared(DIGITS, 1, (10,), "digits")
    finally:
        torch.set_num_threads(before)
    return figures


def _compared(case: Case, threads: int, stacks: tuple[int, ...] = STACKS, name: str = "") -> dict[str, float]:
    clock, alone = clock_for(threads), case.stack(1)
    about = _examples_for(alone, case.batch, 0.4 * threads)
    images, labels = case.examples(about)
    few = _examples_for(alone, case.batch, 0.1 * threads)
    ways: dict[str, tuple[Callable[[], None], int]] = {
        "plain": (plain_loop(alone.unstack(0).train(), images, labels, case.batch), about),
        "loader": (data_loader(alone.unstack(0).train(), images[:few], labels[:few], case.batch, threads - 1), few),
    }
    operations, strictly = {}, {}
    for networks in stacks:
        stack = case.stack(networks)
        count = _examples_for(stack, case.batch, 0.8 * threads)
        ways[f"x {networks}"] = (epochs(stack, case, count), networks * count)
        operations[f"x {networks}"], strictly[f"x {networks}"] = training_operations(stack)
    rates: dict[str, list[float]] = {way: [] for way in ways}
    shares: dict[str, list[float]] = {way: [] for way in operations}
    for round_ in range(case.rounds + 1):
        before = matrix_rate(clock)
        for way, (run, samples) in ways.items():
            started = clock()
            run()
            rate, after = samples / (clock() - started), matrix_rate(clock)
            if round_:
                rates[way].append(rate)
                if way in operations:
                    shares[way].append(rate * operations[way] / ((before + after) / 2))
            before = after
    typical = {way: statistics.median(values) for way, values in rates.items()}
    figures = {}
    for way, counted in operations.items():
        row = f"{name or case.model} {way}, {threads} thread{'s' * (threads > 1)}"
        figures[f"{row}: of matmul"] = statistics.median(shares[way])
        figures[f"{row}: strictly"] = statistics.median(shares[way]) * strictly[way] / counted
        figures[f"{row}: / plain loop"] = typical[way] / typical["plain"]
        figures[f"{row}: / DataLoader"] = typical[way] / typical["loader"]
        figures[f"{row}: samples/s"] = typical[way]
    return figures


def training_operations(stack: StackedModel) -> tuple[float, float]:
    """Of one example of one network: forward, gradients of weights and inputs; and without that of the images."""
    layers = [layer for layer in stack.modules() if isinstance(layer, StackedLinear | StackedConv)]
    products = [x.multiply_adds if isinstance(x, StackedConv) else x.weight[0].numel() for x in layers]
    return 6.0 * sum(products), 6.0 * sum(products) - 2.0 * products[0]


def _examples_for(stack: StackedModel, batch: int, seconds: float) -> int:
    """Whole batches that take about so long at 50 G operations a second, from 1 to 64."""
    batches = seconds * 50e9 / (training_operations(stack)[1] * stack.networks * batch)
    return batch * min(64, max(1, math.ceil(batches)))


def epochs(stack: StackedModel, case: Case, count: int) -> Callable[[], None]:
    """Runs the next epoch of a training of the stack on `count` examples."""
    images, labels = case.examples(count)
    networks = stack.networks
    inputs = Inputs(images[None], torch.zeros(networks, dtype=torch.int64), torch.full((case.shape[0],), 127.0))
    recipe = TrainingConfig(epochs=10**6, batch_size=case.batch, lr=0.01, stop_at_train_loss=1e-9)

    def orders(epoch: int, active: list[int]) -> Tensor:
        return torch.stack([torch.randperm(count, generator=generator(0, epoch, k)) for k in active])

    training = Training(stack, Examples(inputs, labels.repeat(networks, 1), Classification()), recipe, orders)  # type: ignore[arg-type]
    return lambda: finish(training.run_epoch())
