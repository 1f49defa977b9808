"""Tensors that say they lie on `cuda:0` and hold their values on the CPU."""

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from tests.counting_device.device import CountingDevice

CUDA = torch.device("cuda", 0)


class CudaTensor(Tensor):
    """A tensor of the counting device. Autograd takes it for one of the CPU, where it needs no context.

    Attributes:
        value: The same tensor, on the CPU.
        owner: The device that counts what is done with it.
    """

    value: Tensor
    owner: "CountingDevice"

    @staticmethod
    def __new__(cls, value: Tensor, owner: "CountingDevice") -> "CudaTensor":
        """Wraps a tensor of the CPU, not copied."""
        made: CudaTensor = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            value.shape,
            strides=value.stride(),
            storage_offset=value.storage_offset(),
            dtype=value.dtype,
            device="cpu",
            requires_grad=False,
        )
        made.value, made.owner = value.detach(), owner
        return made

    @property
    def device(self) -> torch.device:  # type: ignore[override]
        """`cuda:0`, or whichever number the device has."""
        return torch.device("cuda", self.owner.index)

    @property
    def is_cuda(self) -> bool:  # type: ignore[override]
        """True."""
        return True

    def __repr__(self, **_: Any) -> str:
        return f"cuda:{self.owner.index} {self.value!r}"

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) not in memo:
            copied = self.detach().clone().requires_grad_(self.requires_grad)
            if getattr(self, "_is_param", False):
                copied._is_param = True
            memo[id(self)] = copied
        return memo[id(self)]  # type: ignore[no-any-return]

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensor = next(arg for arg in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(arg, cls))
        return tensor.owner.compute(func, args, kwargs or {})


def value_of(x: Any) -> Any:
    """The tensor of the CPU behind one of the device; anything else as it is."""
    return x.value if isinstance(x, CudaTensor) else x
