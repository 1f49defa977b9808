"""A limit on the memory that a process may map (`ulimit -v`): Ray and PyTorch die of a small one in their own words."""

import errno

from study.errors import UsageError

NEEDED = 8 * 2**30  # bytes; with 6 GiB Ray's processes end in C++, with 7 a study of two trials at once runs
_KIB = 1024


def limit() -> int | None:
    """Bytes that this process may map; None if it may map what it likes, or the system knows no such limit."""
    try:
        import resource
    except ImportError:  # not a Unix
        return None
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if soft == resource.RLIM_INFINITY else soft


def require() -> None:
    """Refuses to start what would die of the limit.

    Raises:
        UsageError: There is one below `NEEDED`.
    """
    here = limit()
    if here is not None and here < NEEDED:
        raise UsageError(
            f"ulimit -v {here // _KIB}: Ray and PyTorch map more memory than that (they hardly use it), and die of the "
            f"limit; at least {NEEDED // _KIB} is needed, on a GPU no limit at all. Lift it in this shell: "
            "ulimit -v unlimited"
        )


def is_reason(error: BaseException) -> bool:
    """Whether a call failed because no more memory could be mapped."""
    failed = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return failed or (isinstance(error, ImportError) and "failed to map segment" in str(error))
