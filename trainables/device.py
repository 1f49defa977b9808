"""What a process settles before it computes on a GPU, and what that GPU is."""

import gc
import os
import platform
import resource
from pathlib import Path

import torch

from trainables.precision import exact

# Of cuBLAS: the same algorithm, with memory of its own, at every call.
_WORKSPACE = ":4096:8"
# Of a process on a GPU that PyTorch does not count: its context and the code of its kernels, some hundred MB.
_CONTEXT_BYTES = 512 << 20

_share = 1.0


def prepare(device: torch.device, share: float = 1.0) -> None:
    """Makes products exact and results repeatable on a GPU, and starts its peak of memory anew; nothing on a CPU.

    Two trainings on GPUs of the same model, with the same versions of PyTorch and CUDA, are then equal bit for bit
    (where PyTorch knows no such algorithm it warns), and everything but training computes in fp32.

    Args:
        share: Of the GPU's memory that this process may take, its context included, so that what neighbours keep can't
            be the cause of a want of memory that no smaller piece of work would cure.
    Raises:
        RuntimeError: PyTorch does not keep the settings.
    """
    global _share  # noqa: PLW0603 - of the process, as the GPU's context is
    if device.type != "cuda":
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _WORKSPACE)
    torch.set_deterministic_debug_mode("warn")
    # Memory that is about to be written need not be filled before.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    exact()
    # The one function that does not know a GPU without its number.
    index = torch.cuda.current_device() if device.index is None else device.index
    total = torch.cuda.get_device_properties(index).total_memory
    _share = share if share == 1 else max(share / 2, share - _CONTEXT_BYTES / total)
    torch.cuda.set_per_process_memory_fraction(_share, index)
    torch.cuda.reset_peak_memory_stats(index)


def release() -> None:
    """Gives back what nothing holds any more: of Python, then of the GPU, for neighbours and the next trial."""
    gc.collect()
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()


def memory_bytes(device: torch.device) -> int:
    """How much of a GPU's memory this process may have."""
    return int(torch.cuda.get_device_properties(device).total_memory * _share)


def kept_bytes(device: torch.device, on_host: int) -> int:
    """Most that data may take which are kept normalised for a whole trial."""
    return memory_bytes(device) // 32 if device.type == "cuda" else on_host


def peak_bytes(device: torch.device) -> float:
    """Most memory in use so far: of the CUDA device, or resident in the process."""
    if device.type == "cuda":
        return float(torch.cuda.max_memory_allocated(device))
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def description(device: torch.device) -> str:
    """What results depend on bit for bit: the processor's kind or the GPU's model and capability, and versions."""
    if device.type != "cuda":
        return f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}, PyTorch {torch.__version__}"
    major, minor = torch.cuda.get_device_capability(device)
    versions = f"CUDA {torch.version.cuda}, PyTorch {torch.__version__}"
    return f"{torch.cuda.get_device_name(device)}, compute capability {major}.{minor}, {versions}"


def shares_by_mps() -> bool:
    """Whether NVIDIA's MPS runs here: processes that share a GPU then compute at the same time, else in turns."""
    return (Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps")) / "control").exists()  # noqa: S108
