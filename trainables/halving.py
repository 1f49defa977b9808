"""When memory runs out: fewer networks at once, and on from the last checkpoint."""

from collections.abc import Callable, Generator
from typing import TypeVar

from trainables.device import release
from trainables.errors import out_of_memory

T = TypeVar("T")
R = TypeVar("R")


def halving(networks: int, run: Callable[[int], Generator[T, None, R]]) -> Generator[T, None, R]:
    """What `run(networks)` yields; where it runs out of memory, then what `run` of half as many yields, and so on.

    Args:
        networks: How many there are.
        run: Does the work from its last checkpoint on, with at most so many networks' activations in memory at once.
    Returns:
        What the last `run` returned.
    Raises:
        RuntimeError: One network at a time does not fit either; says what to change.
    """
    together = networks
    while True:
        try:
            return (yield from run(together))
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            said = (str(error).splitlines() or ["MemoryError"])[0]
        # Outside of the handler, where nothing holds the tensors of the frames that failed any more.
        release()
        if together == 1:
            raise RuntimeError(
                f"out of memory even with one of {networks} networks at a time: take a smaller model.width, "
                f"training.batch_size or replicates, or fewer trials at once ({said})"
            )
        together = (together + 1) // 2
