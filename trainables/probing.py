"""Whether a GPU really computes: one small calculation of each kind that trials make, held against the CPU."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from trainables.device import prepare
from trainables.precision import check, computing
from trainables.seeding import generator

# Relative error by which products in each precision may differ from those of float64.
_ALLOWED = {"fp32": 1e-5, "tf32": 5e-3, "bf16": 5e-2}


def probe(device: torch.device) -> dict[str, str]:
    """Kind of calculation → what is wrong with it, "" if nothing: products of each precision, convolutions, graphs.

    Kinds that the GPU is too old for are left out. Also starts the libraries that the first trial would wait for.
    """
    prepare(device)
    found = {}
    for precision, allowed in _ALLOWED.items():
        try:
            check(precision, device)
        except ValueError:
            continue
        found[f"{precision} products"] = _wrong(partial(_product, device, precision), allowed)
    found["convolutions"] = _wrong(partial(_convolution, device), _ALLOWED["fp32"])
    found["graphs"] = _wrong(partial(_graph, device), _ALLOWED["fp32"])
    return found


def _wrong(compute: Callable[[], tuple[Tensor, Tensor]], allowed: float) -> str:
    try:
        said, exact = compute()
    except RuntimeError as error:
        return (str(error).splitlines() or [type(error).__name__])[0]
    off = float((said.cpu().double() - exact).norm() / exact.norm())
    return "" if off <= allowed else f"relative error {off:.1e}, at most {allowed:.0e} is right"


def _draw(*shape: int) -> Tensor:
    return torch.randn(shape, generator=generator(0, "probe", *shape))


def _product(device: torch.device, precision: str) -> tuple[Tensor, Tensor]:
    one, other = _draw(2, 64, 96), _draw(2, 96, 32)
    with computing(precision, device):
        said = torch.bmm(one.to(device), other.to(device)).float()
    return said, one.double() @ other.double()


def _convolution(device: torch.device) -> tuple[Tensor, Tensor]:
    images, kernels = _draw(4, 6, 9, 9), _draw(4, 3, 3, 3)
    exact = functional.conv2d(images.double(), kernels.double(), groups=2)
    return functional.conv2d(images.to(device), kernels.to(device), groups=2), exact


def _graph(device: torch.device) -> tuple[Tensor, Tensor]:
    """A product captured with one factor, replayed with another."""
    one, other, later = (_draw(16 + n, 16)[:16] for n in range(3))
    place, factor = one.to(device), other.to(device)
    _ = place @ factor
    graph = torch.cuda.CUDAGraph()
    # Without a stream of its own device a graph listens to the current one, whatever computes.
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
        said = place @ factor
    place.copy_(later)
    graph.replay()
    return said, later.double() @ other.double()
