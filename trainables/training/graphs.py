"""Steps captured as CUDA graphs: a chunk of them is then one call, where the host would make thousands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

# Summed losses and right answers of each network, [A]; which were right, [P, A, B], where that is known.
StepOutputs = tuple[Tensor, Tensor, Tensor | None]
# Inputs [P, A, B, …], targets [P, A, B, …], rates [P] → what networks said.
Steps = Callable[[Tensor, Tensor, Tensor], StepOutputs]
Gather = Callable[[], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class _CapturedGraph:
    """A graph, the memory that it reads, and what it writes."""

    graph: torch.cuda.CUDAGraph
    inputs: Tensor
    targets: Tensor
    rates: Tensor
    results: StepOutputs


class StepGraphs:
    """Does chunks of steps, those of a shape that comes again by a graph.

    The first chunk of a shape runs as it is, which also lets libraries set themselves up; the second is captured.
    Weights and the optimizer's state have to keep their places in memory: after they have been replaced (networks
    froze, a checkpoint was put back) call `forget`.
    """

    def __init__(self) -> None:
        self._seen: set[tuple[int, ...]] = set()
        self._captured: dict[tuple[int, ...], _CapturedGraph] = {}

    def forget(self) -> None:
        """Drops all graphs, and gives back their memory."""
        self._seen.clear()
        self._captured.clear()

    def run(self, steps: Steps, shape: Sequence[int], gather: Gather, rates: Tensor) -> StepOutputs:
        """A chunk of steps.

        Args:
            steps: Does them, always the same, without a wait for the device.
            shape: Of the chunk, [P, A, B].
            gather: Makes inputs and targets.
            rates: [P], of the learning.
        """
        key = tuple(shape)
        inputs, targets = gather()
        if (known := self._captured.get(key)) is not None:
            for place, values in ((known.inputs, inputs), (known.targets, targets), (known.rates, rates)):
                place.copy_(values)
            known.graph.replay()
            return known.results
        if key not in self._seen:
            self._seen.add(key)
            return steps(inputs, targets, rates)
        graph = torch.cuda.CUDAGraph()
        # Other threads (a heartbeat, a pinned copy) may go on calling CUDA meanwhile.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            results = steps(inputs, targets, rates)
        self._captured[key] = _CapturedGraph(graph, inputs, targets, rates, results)
        graph.replay()
        return results
