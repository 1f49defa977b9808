"""`torch.cuda` as the counting device answers it.

Where `torch.cuda` itself is Python it stays, and the device answers beneath it: what PyTorch refuses is refused here.
"""

import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch.optim import Optimizer

from tests.counting_device.device import CountingDevice, Recorded
from tests.counting_device.tensors import CudaTensor

NAME = "Counting device"


@contextmanager
def patched(device: CountingDevice) -> Iterator[None]:
    """The functions of `torch.cuda`, and autocast, answer for the device."""
    autocast, is_enabled = torch.autocast, torch.is_autocast_enabled
    group = Optimizer._group_tensors_by_device_and_dtype
    exchangeable = torch._has_compatible_shallow_copy_type
    properties = SimpleNamespace(
        name=NAME,
        major=device.capability[0],
        minor=device.capability[1],
        total_memory=device.memory_bytes,
        multi_processor_count=132,
    )

    def share(fraction: float, _index: int) -> None:
        device.share = fraction

    def exchange_device(index: int) -> int:
        before = device.current
        device.current = before if index < 0 else index
        return before

    def cast(device_type: str, *args: Any, **kwargs: Any) -> Any:
        return autocast("cpu" if device_type == "cuda" else device_type, *args, **kwargs)

    def exchange(one: torch.Tensor, other: torch.Tensor) -> bool:
        return not isinstance(one, CudaTensor) and not isinstance(other, CudaTensor) and exchangeable(one, other)

    def casts(device_type: str = "cuda") -> bool:
        return is_enabled("cpu" if device_type == "cuda" else device_type)

    def grouped(lists: Any, with_indices: bool = False) -> Any:
        return {
            (lists[0][0].device if place.type == "cpu" else place, kind): tensors
            for (place, kind), tensors in group(lists, with_indices).items()
        }

    answers: dict[str, Any] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "_lazy_init": lambda: None,
        "init": lambda: None,
        "device_count": lambda: device.index + 1,
        "current_device": lambda: device.current,
        "_exchange_device": exchange_device,
        "_maybe_exchange_device": exchange_device,
        "_get_device_properties": lambda _index: properties,
        "is_bf16_supported": lambda *_: device.capability >= (8, 0),
        "mem_get_info": lambda _device=None: (device.memory_bytes, device.memory_bytes),
        "is_current_stream_capturing": lambda: device.capturing is not None,
        "Stream": lambda of=None, *_, **__: _stream(device, of),
        "current_stream": lambda of=None: _stream(device, of),
        "stream": lambda _stream: nullcontext(),
        "Event": lambda **_: _Event(device),
        "CUDAGraph": _signed(torch.cuda.CUDAGraph, lambda *_, **__: _Graph(device)),
        "graph": _signed(torch.cuda.graph, lambda graph, *_, stream=None, **__: graph.captured(stream)),
        "graph_pool_handle": lambda: (0, 0),
    }
    beneath: dict[str, Any] = {
        "_cuda_setMemoryFraction": share,
        "_cuda_resetPeakMemoryStats": lambda _index: None,
        "_cuda_memoryStats": lambda _index: {},
        "_cuda_emptyCache": lambda: None,
        "_cuda_synchronize": lambda: device.wait("synchronize"),
    }
    with ExitStack() as stack:
        stack.enter_context(_settings_restored())
        for name, answer in answers.items():
            stack.enter_context(patch.object(torch.cuda, name, answer, create=True))
        for name, answer in beneath.items():
            stack.enter_context(patch.object(torch._C, name, answer, create=True))
        stack.enter_context(patch.object(torch, "autocast", cast))
        # A parameter that moves or changes its type becomes another tensor: what it holds can't be exchanged.
        stack.enter_context(patch.object(torch, "_has_compatible_shallow_copy_type", exchange))
        stack.enter_context(patch.object(torch, "is_autocast_enabled", casts))
        stack.enter_context(patch.object(Optimizer, "_group_tensors_by_device_and_dtype", staticmethod(grouped)))
        yield


@contextmanager
def _settings_restored() -> Iterator[None]:
    """What trials set once for a process with a GPU is as before afterwards."""
    matmul, conv, cudnn = torch.backends.cuda.matmul, torch.backends.cudnn.conv, torch.backends.cudnn
    before = matmul.fp32_precision, conv.fp32_precision, cudnn.benchmark
    mode, fills = torch.get_deterministic_debug_mode(), torch.utils.deterministic.fill_uninitialized_memory
    with patch.dict(os.environ):
        try:
            yield
        finally:
            matmul.fp32_precision, conv.fp32_precision, cudnn.benchmark = before
            torch.set_deterministic_debug_mode(mode)
            torch.utils.deterministic.fill_uninitialized_memory = fills


def _signed(real: Callable[..., Any], answer: Callable[..., Any]) -> Callable[..., Any]:
    """The answer, to those who call as the real function wants to be called."""
    signature = inspect.signature(real)

    def answered(*args: Any, **kwargs: Any) -> Any:
        signature.bind(*args, **kwargs)
        return answer(*args, **kwargs)

    return answered


def _stream(device: CountingDevice, of: Any) -> SimpleNamespace:
    """A stream of a device, of the current one if none is named."""
    named = None if of is None else torch.device(of).index
    return SimpleNamespace(
        device_index=device.current if named is None else named,
        wait_stream=lambda _other: None,
        synchronize=lambda: device.wait("stream"),
    )


class _Event:
    """Times nothing; waiting for it is waiting."""

    def __init__(self, device: CountingDevice) -> None:
        self._device = device

    def record(self, _stream: Any = None) -> None:
        """Now."""

    def synchronize(self) -> None:
        """Waits."""
        self._device.wait("event")

    def query(self) -> bool:
        """Whether it is over."""
        return True

    def elapsed_time(self, _end: "_Event") -> float:
        """Milliseconds; made up."""
        return 1.0


class _Graph:
    """Operations that were captured once, done again on the same memory by one call."""

    def __init__(self, device: CountingDevice) -> None:
        self._device = device
        self._steps: list[Recorded] = []
        self._kernels: list[str] = []

    @contextmanager
    def captured(self, stream: Any) -> Iterator[None]:
        """Captures what is done in the block, none of which shows before it is replayed.

        Args:
            stream: That is listened to; None: one of the current device. What other devices do goes past it.
        """
        device = self._device
        if (stream or _stream(device, None)).device_index != device.index:
            yield
            return
        if device.capturing is not None:
            raise RuntimeError("CUDA error: a graph is being captured already")
        before = device.counts.copy()
        device.capturing, device.before = [], {}
        try:
            yield
            self._steps = device.capturing
        finally:
            for storage, content in device.before.values():
                storage.copy_(content)
            device.capturing, device.before = None, {}
            self._kernels = list(device.counts.since(before).kernels.elements())
            device.counts = before

    def replay(self) -> None:
        """All of it again."""
        for func, args, kwargs, outs in self._steps:
            again = func(*args, **kwargs)
            found = [x for x in torch.utils._pytree.tree_leaves(again) if isinstance(x, torch.Tensor)]
            for old, new in zip(outs, found, strict=True):
                if old is not new:
                    old.copy_(new)
        self._device.counts.launches += 1
        for name in self._kernels:
            self._device.counts.kernels[name] += 1

    def reset(self) -> None:
        """Forgets it."""
        self._steps = []
