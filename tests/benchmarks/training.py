"""How much of one thread's matrix-multiplication rate a stack's training reaches.

- `MNIST x 4`: MLP 784-512-512-10, batch 128, stack of 4, as a share of the fp32 rate of `torch.mm` on 1024 x 1024
  matrices, measured in turns on the same thread. Budget: 0.85.
- `digits x 10`: MLP 64-64-64-10, batch 50, stack of 10: bound by the number of calls a step makes, no budget.
- `samples/s`: examples times networks a second.

Times are processor times, so that neighbours on the machine count less.
"""

import itertools
import time

import torch

from trainables.config import TrainingConfig
from trainables.memory import freed_memory_kept
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.mlp import StackedMLP
from trainables.training.examples import Examples
from trainables.training.inputs import Inputs
from trainables.training.loop import Training

ROUNDS = 7


def measure() -> dict[str, float]:
    """All figures; half a minute on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with freed_memory_kept():
            return {
                **_stack("MNIST x 4", (784, 512, 512, 10), networks=4, batch=128, examples=4096),
                **_stack("digits x 10", (64, 64, 64, 10), networks=10, batch=50, examples=1000),
            }
    finally:
        torch.set_num_threads(threads)


def _stack(name: str, sizes: tuple[int, ...], *, networks: int, batch: int, examples: int) -> dict[str, float]:
    """Median over rounds; the matrix rate of a round is taken right before and after it."""
    training = _training(sizes, networks, batch, examples)
    finish(training.run_epoch())
    products = sum(i * o for i, o in itertools.pairwise(sizes))
    # Forward, gradient of the weights, gradient of the inputs; the last is not needed in the first layer.
    operations = 2 * (3 * products - sizes[0] * sizes[1]) * networks * examples
    shares, rates = [], []
    for _ in range(ROUNDS):
        before = _matrix_rate()
        start = time.process_time()
        finish(training.run_epoch())
        seconds = time.process_time() - start
        shares.append(operations / seconds / ((before + _matrix_rate()) / 2))
        rates.append(networks * examples / seconds)
    return {
        f"{name}: share of the matrix rate": sorted(shares)[ROUNDS // 2],
        f"{name}: samples/s": sorted(rates)[ROUNDS // 2],
    }


def _training(sizes: tuple[int, ...], networks: int, batch: int, examples: int) -> Training:
    draws = generator(0, "images")
    images = torch.randint(256, (1, examples, 1, 1, sizes[0]), dtype=torch.uint8, generator=draws)
    inputs = Inputs(images, torch.zeros(networks, dtype=torch.int64), torch.tensor([127.0]))
    labels = torch.randint(sizes[-1], (networks, examples), generator=draws)
    recipe = TrainingConfig(epochs=1000, batch_size=batch, lr=0.01, stop_at_train_loss=1e-9)
    model = StackedMLP(sizes, 1.0, [generator(0, k) for k in range(networks)])

    def orders(epoch: int, active: list[int]) -> torch.Tensor:
        return torch.stack([torch.randperm(examples, generator=generator(0, epoch, k)) for k in active])

    return Training(model, Examples(inputs, labels), recipe, orders)  # type: ignore[arg-type]


def _matrix_rate(size: int = 1024, times: int = 40) -> float:
    """Operations a second of a plain fp32 product."""
    left, right, out = torch.randn(size, size), torch.randn(size, size), torch.empty(size, size)
    torch.mm(left, right, out=out)
    start = time.process_time()
    for _ in range(times):
        torch.mm(left, right, out=out)
    return times * 2 * size**3 / (time.process_time() - start)
