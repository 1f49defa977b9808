"""What this process does with a Ray of its own that has lost its head."""

import ctypes
from collections.abc import Callable


class _DeadActor:
    """Does nothing, whatever it is asked to do."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_arguments, **_options: None


def forget_dead() -> None:
    """Nothing asks a Ray any more that has lost its head: not Tune, nor Ray's own objects when Python ends.

    Each question would wait for a minute, hold all of Python while it does, and then end the process.
    """
    import ray

    ray.experimental.internal_kv._internal_kv_reset()
    worker = ray._private.worker.global_worker
    if core := getattr(worker, "core_worker", None):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(core))  # its end asks too, so it never ends
        worker.core_worker = _DeadActor()
        libc = ctypes.CDLL(None)
        if hasattr(libc, "on_exit"):  # glibc: with the exit code, before the destructors of what still runs in there
            libc.on_exit(libc._exit, None)
    worker.set_mode(None)
