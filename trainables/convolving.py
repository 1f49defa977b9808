"""Whether a GPU is faster with the convolutions of all networks in one call or with one network after another."""

import math
from collections.abc import Callable
from time import perf_counter

import torch

from trainables.precision import computing
from trainables.stack.model import StackedModel
from trainables.stack.spatial import StackedConv
from trainables.workspace import Workspace

_ROUNDS = 3
# Grouped unless the other way is clearly faster: close calls would fall one way now and the other way next time.
_CLEARLY = 0.9
_found: dict[tuple[object, ...], bool] = {}


def one_by_one(workspace: Workspace, chosen: bool | None) -> bool | None:
    """How the trial's convolutions are computed on its GPU; None: on a CPU, which knows, and where there are none.

    Measured at the first trial of a kind in this process: a training step of the dense networks both ways, each
    captured as a graph as training does. Sums differ in their last bits between the two, so what was chosen belongs to
    the trial: it is kept in its checkpoints, in the name under which its dense networks are kept, and in its notes,
    from where an export has it.

    Args:
        chosen: Before, for this trial; None: nothing was.
    """
    device = workspace.data.images.device
    if device.type != "cuda" or workspace.networks == 1:
        return None
    stack = workspace.initial()
    sizes = [tuple(layer.weight.shape) for layer in stack.modules() if isinstance(layer, StackedConv)]
    if not sizes:
        return None
    if chosen is not None:
        return chosen
    recipe = workspace.config.training
    batch = min(recipe.batch_size, workspace.train_inputs.count)
    kind = (
        torch.cuda.get_device_name(device),
        *sizes,
        workspace.input_shape,
        batch,
        recipe.precision,
        workspace.together,
    )
    if kind not in _found:
        _found[kind] = _faster(workspace, stack, batch)
    return _found[kind]


def _faster(workspace: Workspace, stack: StackedModel, batch: int) -> bool:
    some = list(range(min(workspace.together, workspace.networks)))
    x = workspace.train_inputs.select(some).slice(0, batch)
    targets, loss = workspace.data.labels[some, :batch], workspace.train_examples.loss()
    spent = {}
    for way in (False, True):
        model = stack.select(some).train()
        model.together, model.one_by_one = None, way
        with computing(workspace.config.training.precision, x.device):
            spent[way] = seconds(lambda model=model: model.gradients(x, targets, loss))  # type: ignore[misc]
    return spent[True] < _CLEARLY * spent[False]


def seconds(step: Callable[[], object]) -> float:
    """How long the fastest of some replays of a step takes on the GPU."""
    step()  # libraries set themselves up
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        kept = step()
    best = math.inf
    for _ in range(_ROUNDS):
        torch.cuda.synchronize()
        started = perf_counter()
        graph.replay()
        torch.cuda.synchronize()
        best = min(best, perf_counter() - started)
    del kept
    return best
