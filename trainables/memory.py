"""The C allocator, set up for a loop that frees and allocates the same large tensors at every step."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

# Constants of mallopt(3), and the largest threshold that glibc accepts.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20
_KEEP_BYTES = 512 << 20


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keeps freed memory in the process for the duration, and gives it back to the system afterwards.

    Without it glibc returns large tensors to the system when they are freed, and each step pays for 2,500 page faults
    again (a stack of four 784-512-512-10 networks: 2–8 of 25–34 ms). Does nothing where the C library is another.
    """
    if (library := _glibc()) is not None:
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        library.mallopt(_TRIM_THRESHOLD, _KEEP_BYTES)
    try:
        yield
    finally:
        give_back()


def give_back() -> None:
    """Gives what is free now back to the system; for between two loops that need tensors of other sizes.

    What the first left free is seldom where the second wants it, so that memory would grow to hold both.
    """
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


@cache
def _glibc() -> ctypes.CDLL | None:
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    return library if hasattr(library, "mallopt") else None
