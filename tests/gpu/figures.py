"""Network-samples a second on a GPU, beside what a plain loop of networks and the device's own products reach.

`graphs`: as trials train. `steps`: the same without graphs. `plain`: ordinary networks one after another, a fused
optimizer each. `grouped`, `one by one`: convolutions. `of matmul`: operations over the measured rate of fp32 products,
a step counted as three forward passes. `4 trials`: of four processes that share the GPU, together.
"""

import math
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any
from unittest.mock import patch

import torch
from torch import nn

from tests.benchmarks.training import Case, training_operations
from trainables.config import TrainingConfig
from trainables.device import prepare
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack import network
from trainables.stack.model import StackedModel
from trainables.tasks.classification import Classification
from trainables.training.examples import Examples
from trainables.training.graphs import StepGraphs
from trainables.training.inputs import Inputs
from trainables.training.loop import Training

CASES = {
    "digits x 10": (Case("mlp", 64, (1, 8, 8), batch=50, rounds=1), 10, 1_000),
    "lenet x 10": (Case("lenet_300_100", 300, (1, 28, 28), batch=128, rounds=1), 10, 60_000),
    "conv2 x 4": (Case("conv2", 64, (1, 28, 28), batch=50, rounds=1), 4, 10_000),
    "resnet20 x 4": (Case("resnet20", 16, (3, 32, 32), batch=128, rounds=1), 4, 10_000),
}
CUDA = torch.device("cuda")


def measure(*, real: bool) -> dict[str, float]:
    """All figures; small ones that mean nothing where the GPU is none."""
    rate = _matmul_rate(4096 if real else 32)
    figures = {"matmul, fp32: TFLOP/s": rate / 1e12}
    for name, (chosen, networks, examples) in CASES.items():
        case = chosen if real else replace(chosen, width=2, batch=4)
        count = examples if real else 2 * case.batch
        stack = case.stack(networks)
        operations = training_operations(stack)[0] * networks
        ways: dict[str, Callable[[], float]] = {
            "graphs": lambda c=case, k=networks, n=count: _ours(c, k, n),  # type: ignore[misc]
            "steps": lambda c=case, k=networks, n=count: _without_graphs(c, k, n),  # type: ignore[misc]
            "plain": lambda c=case, k=networks, n=count: _plain(c, k, n),  # type: ignore[misc]
        }
        if len(case.shape) == 3 and "mlp" not in case.model and "lenet_300" not in case.model:
            ways["one by one"] = lambda c=case, k=networks, n=count: _one_by_one(c, k, n)  # type: ignore[misc]
        for way, run in ways.items():
            seconds = run()
            figures[f"{name}: {way} samples/s"] = networks * count / seconds
            if way == "graphs":
                figures[f"{name}: of matmul"] = operations * count / seconds / rate
        print(name, "done", flush=True)
    if real:
        figures |= _side_by_side(4)
    return figures


def _timed(once: Callable[[], Any], warm: int = 2, rounds: int = 1) -> float:
    for _ in range(warm):
        once()
    best = math.inf
    for _ in range(rounds):
        torch.cuda.synchronize()
        started = perf_counter()
        once()
        torch.cuda.synchronize()
        best = min(best, perf_counter() - started)
    return best


def _matmul_rate(size: int) -> float:
    one, other = (torch.randn(size, size, generator=generator(n)).to(CUDA) for n in range(2))
    return 2 * size**3 / _timed(lambda: one @ other)


def epochs(case: Case, networks: int, count: int) -> Callable[[], None]:
    """Runs the next epoch of a training on the GPU."""
    images, labels = case.examples(count)
    mean = torch.full((case.shape[0],), 127.0)
    inputs = Inputs(images[None].to(CUDA), torch.zeros(networks, dtype=torch.int64).to(CUDA), mean.to(CUDA))
    recipe = TrainingConfig(epochs=10**6, batch_size=case.batch, lr=0.01, stop_at_train_loss=1e-9)

    def orders(epoch: int, active: Any) -> torch.Tensor:
        return torch.stack([torch.randperm(count, generator=generator(0, epoch, k)) for k in active])

    examples = Examples(inputs, labels.repeat(networks, 1).to(CUDA), Classification())
    training = Training(case.stack(networks).to(CUDA), examples, recipe, orders)
    return lambda: finish(training.run_epoch())


def _ours(case: Case, networks: int, count: int) -> float:
    return _timed(epochs(case, networks, count))


def _without_graphs(case: Case, networks: int, count: int) -> float:
    def run(_self: Any, steps: Any, _shape: Any, gather: Any, rates: Any) -> Any:
        return steps(*gather(), rates)

    with patch.object(StepGraphs, "run", run):
        return _timed(epochs(case, networks, count))


def _one_by_one(case: Case, networks: int, count: int) -> float:
    with patch.dict(network.GROUPED_BELOW, {"cuda": 0.0}):
        return _timed(epochs(case, networks, count))


def _plain(case: Case, networks: int, count: int) -> float:
    images, labels = case.examples(count)
    x, y = images.to(CUDA).float().sub_(127.0).div_(255.0), labels.to(CUDA)
    stack: StackedModel = case.stack(networks)
    alone = [stack.unstack(k).to(CUDA).train() for k in range(networks)]
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.01, momentum=0.9, fused=True) for one in alone]

    def epoch() -> None:
        for start in range(0, count - case.batch + 1, case.batch):
            part = slice(start, start + case.batch)
            for one, optimizer in zip(alone, optimizers, strict=True):
                optimizer.zero_grad(set_to_none=True)
                nn.functional.cross_entropy(one(x[part]), y[part]).backward()
                optimizer.step()

    return _timed(epoch, warm=1, rounds=1)


def _side_by_side(trials: int) -> dict[str, float]:
    """LeNet-300-100, ten networks a trial: one process alone, then several that share the GPU."""
    context, found = multiprocessing.get_context("spawn"), {}
    for many in (1, trials):
        queue: Any = context.Queue()
        processes = [context.Process(target=_share, args=(1 / many, queue)) for _ in range(many)]
        for process in processes:
            process.start()
        rates = [queue.get(timeout=120) for _ in processes]
        for process in processes:
            process.join()
        found[f"lenet x 10: {many} trial{'s' if many > 1 else ''}, samples/s"] = sum(rates)
    return found


def _share(share: float, queue: Any) -> None:
    case, networks, count = CASES["lenet x 10"]
    prepare(CUDA, share)
    queue.put(networks * count / _timed(epochs(case, networks, count), rounds=5))
