"""Calls from Python that name a device, leave it, or mix two."""

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from tests.counting_device.device import CountingDevice
from tests.counting_device.tensors import CUDA, CudaTensor

_METHODS = Tensor
# Where tensors of two devices may meet.
_MEET = {
    Tensor.copy_, Tensor.to, Tensor.__getitem__, Tensor.__setitem__, Tensor.index_put_, Tensor.index_put, Tensor.type,
    Tensor.__deepcopy__, Tensor.data.__set__, torch._has_compatible_shallow_copy_type, Tensor.grad.__set__,
}  # fmt: skip


class Functions(TorchFunctionMode):
    """Makes tensors on the device where asked to, and takes them back to the host."""

    def __init__(self, device: CountingDevice) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One call."""
        kwargs = dict(kwargs or {})
        first = args[0] if args else None
        if func in _MOVES:
            return self._moved(func, first, args[1:], kwargs)
        if isinstance(first, CudaTensor) and func in _HOST_ONLY:
            return self._on_host(func, first, args[1:], kwargs)
        if func in (Tensor.pin_memory,):
            return first
        device = kwargs.get("device")
        if device is not None and torch.device(device).type == "cuda":
            return self._made(func, args, kwargs)
        self._refuse_mixed(func, args, kwargs)
        if isinstance(first, CudaTensor) and func in (Tensor.__getitem__, Tensor.__setitem__):
            args = (first, self._index(args[1]), *args[2:])
        return func(*args, **kwargs)

    def _moved(self, func: Any, tensor: Tensor, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        device, dtype, later, copy = _target(func, rest, kwargs)
        here = isinstance(tensor, CudaTensor)
        if device is None or (device.type == "cuda") == here:
            options = {name: kwargs[name] for name in ("memory_format",) if name in kwargs}
            if dtype is None and not copy and not options:
                return tensor
            return tensor.to(dtype=dtype or tensor.dtype, copy=copy, **options)
        if here:
            return self.device.to_host(tensor.detach(), dtype, later=later)  # type: ignore[arg-type]
        moved = self.device.to_device(tensor if dtype is None else tensor.to(dtype), later=later)
        return moved.requires_grad_() if tensor.requires_grad and tensor.is_leaf and torch.is_grad_enabled() else moved

    def _on_host(self, func: Any, tensor: CudaTensor, rest: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError(
                "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory "
                "first."
            )
        if func is Tensor.tolist:
            self.device.wait("tolist")
            return tensor.value.tolist()
        if func is Tensor.__reduce_ex__:
            return self.device.to_host(tensor.detach(), None, later=False).__reduce_ex__(*rest)  # type: ignore[arg-type]
        return func(tensor.value, *rest, **kwargs)

    def _made(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        generator = kwargs.get("generator")
        if generator is not None:
            raise RuntimeError(f"Expected a 'cuda' device type for generator but found '{generator.device.type}'")
        kwargs["device"] = torch.device("cpu")
        if func in (torch.tensor, torch.as_tensor):
            if any(isinstance(arg, CudaTensor) for arg in args):
                return args[0]
            return self.device.to_device(func(*args, **kwargs), later=False)
        wants_gradient = kwargs.pop("requires_grad", False)
        args = tuple(x.value if isinstance(x, CudaTensor) else x for x in args)
        made = self.device.made(func, args, kwargs, func.__name__)
        return made.requires_grad_() if wants_gradient else made

    def _refuse_mixed(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if func in _MEET or not (here := _tensors((*args, *kwargs.values()))):
            return
        on_device = [x for x in here if isinstance(x, CudaTensor)]
        others = [x for x in here if not isinstance(x, CudaTensor) and x.ndim > 0]
        if on_device and others:
            name = getattr(func, "__name__", str(func))
            raise RuntimeError(
                f"Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
                f"(when checking arguments of {name}: {[list(x.shape) for x in here]})"
            )

    def _index(self, index: Any) -> Any:
        """Places named by tensors of the host are copied to the device first."""
        if isinstance(index, tuple):
            return tuple(self._index(one) for one in index)
        if isinstance(index, list):
            index = torch.tensor(index) if index and isinstance(index[0], int | bool) else index
        if isinstance(index, Tensor) and not isinstance(index, CudaTensor) and index.ndim:
            return self.device.to_device(index, later=False)
        return index


_MOVES = {Tensor.to, Tensor.cpu, Tensor.cuda}
_HOST_ONLY = {Tensor.numpy, Tensor.__array__, Tensor.tolist, Tensor.data_ptr, Tensor.__reduce_ex__}


def _target(
    func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[torch.device | None, torch.dtype | None, bool, bool]:
    """Device, dtype, non_blocking and copy of a call of `to`, `cpu` or `cuda`."""
    later = bool(kwargs.get("non_blocking", False))
    if func is Tensor.cpu:
        return torch.device("cpu"), None, later, False
    if func is Tensor.cuda:
        return CUDA, None, later, False
    device, dtype, flags = kwargs.get("device"), kwargs.get("dtype"), []
    for arg in args:
        if isinstance(arg, Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, torch.dtype):
            dtype = arg
        elif isinstance(arg, bool):
            flags.append(arg)
        elif arg is not None:
            device = arg
    later = flags[0] if flags else later
    copy = flags[1] if len(flags) > 1 else bool(kwargs.get("copy", False))
    return None if device is None else torch.device(device), dtype, later, copy


def _tensors(args: tuple[Any, ...]) -> list[Tensor]:
    found = []
    for arg in args:
        if isinstance(arg, Tensor):
            found.append(arg)
        elif isinstance(arg, tuple | list):
            found += [x for x in arg if isinstance(x, Tensor)]
    return found
