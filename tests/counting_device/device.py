"""What the counting device counts and refuses, operation by operation."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from tests.counting_device.arithmetic import in_precision, require_one_layout
from tests.counting_device.tensors import CudaTensor, value_of

aten = torch.ops.aten
# They make or look at tensors without a kernel.
_FREE = {
    "empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "detach", "_unsafe_view",
    "_reshape_alias", "alias", "lift_fresh", "is_same_size", "sym_size", "sym_stride", "sym_numel", "stride", "size",
    "numel", "dim", "is_contiguous", "_local_scalar_dense", "record_stream", "set_", "resize_",
}  # fmt: skip
# How often the host waits in an operation, because its result's size or an error code is read.
_WAITS = {
    "_local_scalar_dense": 1, "nonzero": 1, "masked_select": 1, "equal": 1, "_unique2": 1, "unique_dim": 1,
    "unique_consecutive": 1, "bincount": 2, "_linalg_svd": 1, "_linalg_eigh": 1, "linalg_qr": 1, "_linalg_solve_ex": 1,
    "multinomial": 1, "item": 1,
}  # fmt: skip


@dataclass
class Counts:
    """What was asked of the device.

    Attributes:
        kernels: Operations that start at least one; by name.
        launches: Calls that start kernels: one each, and one for a whole graph.
        waits: Times that the host waited for the device: values read, blocking copies.
        copies: Tensors copied from or to the host.
        allocations: Operations that took memory.
    """

    kernels: Counter[str] = field(default_factory=Counter)
    launches: int = 0
    waits: int = 0
    copies: int = 0
    allocations: int = 0

    @property
    def total(self) -> int:
        """Kernels of all names."""
        return self.kernels.total()

    def since(self, before: "Counts") -> "Counts":
        """What came after `before`."""
        kernels = Counter(self.kernels)
        kernels.subtract(before.kernels)
        return Counts(
            +kernels,
            self.launches - before.launches,
            self.waits - before.waits,
            self.copies - before.copies,
            self.allocations - before.allocations,
        )

    def copy(self) -> "Counts":
        """As they are now."""
        return Counts(Counter(self.kernels), self.launches, self.waits, self.copies, self.allocations)


Recorded = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], list[Tensor]]


class CountingDevice:
    """One device.

    Attributes:
        counts: So far.
        allocating: Called before each operation that takes memory, with its name; may raise, as a full device does.
        capturing: What the graph that is being captured consists of; None: none is.
        before: Memory that the graph works on, and what it held; a graph's own memory held nothing.
        pending: Copies to the host that nobody has waited for yet: their target (full of nonsense) and their source.
        waited: Called with a word where the host waits; for those who want to know where.
        memory_bytes: That it says it has.
        capability: That it says it has.
        index, current: Its number, the last of this machine; that of the device that is meant where none is named.
        share: Of its memory, that the process may take.
    """

    def __init__(self, memory_bytes: int = 80 << 30, capability: tuple[int, int] = (9, 0), index: int = 0) -> None:
        self.counts = Counts()
        self.allocating: Callable[[str], None] | None = None
        self.waited: Callable[[str], None] | None = None
        self.capturing: list[Recorded] | None = None
        self.before: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}
        self.pending: list[tuple[Tensor, Tensor]] = []
        self.memory_bytes, self.capability = memory_bytes, capability
        self.index, self.current, self.share = index, 0, 1.0

    @contextmanager
    def counting(self) -> Iterator[Counts]:
        """What happens in the block, complete at its end."""
        before, found = self.counts.copy(), Counts()
        yield found
        vars(found).update(vars(self.counts.since(before)))

    def wrap(self, value: Tensor) -> CudaTensor:
        """A tensor of the CPU as one of this device, not copied."""
        return CudaTensor(value, self)

    def wait(self, why: str) -> None:
        """The host waits until everything is done."""
        if self.capturing is not None:
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing ({why})")
        self.counts.waits += 1
        if self.waited is not None:
            self.waited(why)
        self.settle()

    def settle(self) -> None:
        """Copies to the host arrive."""
        for target, source in self.pending:
            target.copy_(source)
        self.pending.clear()

    def allocate(self, name: str) -> None:
        """Memory is taken."""
        self.counts.allocations += 1
        if self.allocating is not None:
            self.allocating(name)

    def launch(self, name: str, kernels: int = 1) -> None:
        """Kernels are started by one call."""
        self.counts.launches += 1
        self.counts.kernels[name] += kernels

    def made(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
        """A new tensor of the device, from a function that makes one on the CPU."""
        self.allocate(name)
        if name not in _FREE:
            self.launch(name)
        made = func(*args, **kwargs)
        self.record(func, args, kwargs, made)
        return tree_map(lambda x: self.wrap(x) if isinstance(x, Tensor) else x, made)

    def record(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], made: Any) -> None:
        """Adds an operation to the graph that is being captured, if one is."""
        if self.capturing is not None:
            outs = [x for x in tree_leaves(made) if isinstance(x, Tensor)]
            self.capturing.append((func, args, kwargs, outs))
            for out in outs:
                self.before.setdefault(out.untyped_storage().data_ptr(), (out.untyped_storage(),) * 2)

    def _keep(self, args: Any) -> None:
        """Notes what memory held before a graph that is being captured works on it."""
        for x in tree_leaves(args):
            if isinstance(x, Tensor) and (place := x.untyped_storage().data_ptr()) not in self.before:
                self.before[place] = x.untyped_storage(), x.untyped_storage().clone()

    def compute(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One operation on tensors of the device."""
        name, looks, free, writes = _nature(func)
        if name == "copy_" and isinstance(args[0], CudaTensor) != isinstance(args[1], CudaTensor):
            return self._copied(args, kwargs)
        if name.startswith("_fused_"):
            require_one_layout(args)
        for _ in range(_waits(name, args)):
            self.wait(name)
        if not looks and not free:
            self.launch(name)
        if not looks and not writes and name != "_local_scalar_dense":
            self.allocate(name)
        wrappers: dict[int, CudaTensor] = {}
        plain_args = tuple(_unwrapped(x, wrappers) for x in args)
        plain_kwargs = {key: _unwrapped(x, wrappers) for key, x in kwargs.items()}
        if kwargs.get("device") is not None:
            plain_kwargs["device"] = torch.device("cpu")
        if self.capturing is not None and not looks:
            self._keep((plain_args, plain_kwargs))
        made = in_precision(name, func, plain_args, plain_kwargs)
        if not looks:
            self.record(lambda *a, **k: in_precision(name, func, a, k), plain_args, plain_kwargs, made)
        return self._wrapped(name, made, wrappers)

    def _wrapped(self, name: str, made: Any, wrappers: dict[int, CudaTensor]) -> Any:
        """A result as tensors of the device: those that were written to are themselves."""
        if isinstance(made, list | tuple):
            return type(made)(self._wrapped(name, x, wrappers) for x in made)
        if not isinstance(made, Tensor):
            return made
        same = wrappers.get(id(made))
        if same is None:
            return self.wrap(made)
        if same.shape != made.shape:
            raise NotImplementedError(f"{name} changed the shape of its argument in place")
        return same

    def _copied(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A copy in place between host and device."""
        target, source = args[0], args[1]
        self.counts.copies += 1
        later = bool(args[2]) if len(args) > 2 else kwargs.get("non_blocking", False)
        if not later:
            self.wait("copy_")
        elif self.capturing is not None:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing (copy from the host)")
        value_of(target).copy_(value_of(source))
        return target

    def to_device(self, tensor: Tensor, *, later: bool) -> CudaTensor:
        """A copy of a tensor of the host."""
        self.counts.copies += 1
        self.allocate("to")
        if self.capturing is not None:
            raise RuntimeError("CUDA error: operation not permitted when stream is capturing (copy from the host)")
        if not later:
            self.wait("to the device")
        return self.wrap(tensor.detach().clone())

    def to_host(self, tensor: CudaTensor, dtype: torch.dtype | None, *, later: bool) -> Tensor:
        """A copy on the host; what has not been waited for is nonsense."""
        self.counts.copies += 1
        found = tensor.value.to(dtype or tensor.dtype, copy=True)
        if not later:
            self.wait("to the host")
            return found
        nonsense = torch.empty_like(found)
        nonsense.fill_(torch.nan if found.is_floating_point() else 77 if found.dtype != torch.bool else True)
        self.pending.append((nonsense, found))
        return nonsense


class Operations(TorchDispatchMode):
    """Hands every operation on a tensor of the device to it."""

    def __init__(self, device: CountingDevice) -> None:
        super().__init__()
        self.device = device

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # nothing is compiled here, and the compiler takes seconds to import

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """One operation, of whatever device."""
        kwargs = kwargs or {}
        if _of_device((*args, *kwargs.values())):
            return self.device.compute(func, args, kwargs)
        return func(*args, **kwargs)


def _of_device(args: tuple[Any, ...]) -> bool:
    return any(
        isinstance(arg, CudaTensor) or (isinstance(arg, tuple | list) and _of_device(tuple(arg))) for arg in args
    )


@cache
def _nature(func: Any) -> tuple[str, bool, bool, bool]:
    """An operation's name, whether it only gives another view, needs no kernel, writes to its arguments."""
    schema = func._schema
    name = schema.name.partition("::")[2]
    looks = bool(schema.returns) and all(r.alias_info is not None and not r.alias_info.is_write for r in schema.returns)
    return name, looks, name in _FREE, schema.is_mutable


def _unwrapped(x: Any, wrappers: dict[int, CudaTensor]) -> Any:
    """An argument on the CPU; notes which tensor of the device it was."""
    if isinstance(x, CudaTensor):
        wrappers[id(x.value)] = x
        return x.value
    if isinstance(x, list | tuple):
        return [_unwrapped(one, wrappers) for one in x]
    return x


def _waits(name: str, args: tuple[Any, ...]) -> int:
    if name == "index":  # places where a mask is True have to be counted
        return sum(1 for x in args[1] if x is not None and x.dtype in (torch.bool, torch.uint8))
    if name in ("index_put", "index_put_"):
        masks = [x for x in args[1] if x is not None and x.dtype in (torch.bool, torch.uint8)]
        return 0 if value_of(args[2]).numel() == 1 and len(masks) == 1 else len(masks)
    if name == "repeat_interleave":
        return 1 if isinstance(args[0], Tensor) and len(args) == 1 else 0
    return _WAITS.get(name, 0)


@contextmanager
def counting_device(
    memory_bytes: int = 80 << 30, capability: tuple[int, int] = (9, 0), index: int = 0
) -> Iterator[CountingDevice]:
    """`cuda` is a device that counts, for the duration of the block, in this thread; arguments as its attributes."""
    from tests.counting_device.cuda import patched
    from tests.counting_device.functions import Functions

    device = CountingDevice(memory_bytes, capability, index)
    with patched(device), Functions(device), Operations(device):
        yield device
