"""What can go wrong in a trial, with messages meant for the person who started the study."""


class DataUnavailable(ValueError):
    """A data set is neither on disk nor to be had; the message says where it was looked for and what to do."""


class TrialDiverged(ValueError):
    """Training left the finite numbers; the message says where, when and with which loss."""


class DeviceFailed(RuntimeError):
    """The machine's fault, not the trial's: a GPU failed, and its process is of no further use. Try on a new one."""


# What CUDA and its libraries say when memory runs out. A library's handle takes some too, so that it can't be made;
# cuDNN passes over every algorithm whose workspace does not fit (pytorch issue 108645); PyTorch's allocator asks NVML
# what there is, which fails where that is hidden (issue 112377).
_MEMORY = (
    "CUDA out of memory",
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "would exceed allowed memory",
    "_STATUS_ALLOC_FAILED",
    "_STATUS_NOT_INITIALIZED",
    "ALLOCATION_FAILED",
    "unable to find an engine to execute this computation",
    "Unable to find a valid cuDNN algorithm",
    "NVML_SUCCESS == ",
    "DefaultCPUAllocator",
    "std::bad_alloc",
)
_DEVICE = (
    "CUDA error",
    "CUDA driver error",
    "CUDNN_STATUS",
    "cuDNN error",
    "CUBLAS_STATUS",
    "CUSOLVER_STATUS",
    "cusolver error",
    "CUSPARSE_STATUS",
)


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the host or of a GPU: less work at once may fit.

    Also where that was the error before this one: a graph whose capture it ended complains of the capture.
    """
    if isinstance(error, MemoryError) or any(said in str(error) for said in _MEMORY):
        return True
    return error.__context__ is not None and out_of_memory(error.__context__)


def device_failed(error: BaseException) -> bool:
    """Whether a GPU failed: CUDA stays broken in a process after an asynchronous error (not for want of memory)."""
    return not out_of_memory(error) and any(said in str(error) for said in _DEVICE)


def without_frames(error: BaseException) -> None:
    """Lets go of what the frames that an error went through hold, and those of the errors behind it."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            left += one.__cause__, one.__context__
            one.__traceback__ = None
