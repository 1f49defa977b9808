"""When memory runs out: fewer networks at once, and on from the last checkpoint."""

import gc
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

T = TypeVar("T")


def halving(networks: int, run: Callable[[int], Iterator[T]]) -> Iterator[T]:
    """What `run(networks)` yields; where it runs out of memory, then what `run` of half as many yields, and so on.

    Args:
        networks: How many there are.
        run: Does the work from its last checkpoint on, with at most so many networks' activations in memory at once.
    Raises:
        RuntimeError: One network at a time does not fit either; says what to change.
    """
    together = networks
    while True:
        try:
            yield from run(together)
            return
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            if together == 1:
                raise RuntimeError(
                    f"out of memory even with one of {networks} networks at a time: take a smaller model.width, "
                    f"training.batch_size or replicates, or fewer trials at once ({str(error).splitlines()[0]})"
                ) from None
        # Outside of the handler, where nothing holds the tensors of the frames that failed any more.
        together = (together + 1) // 2
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator" in str(error)
