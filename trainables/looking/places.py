"""Where in a stack the weights, and what follows them, are."""

from trainables.stack.model import StackedModel, UnitGroup


def batch_norms(group: UnitGroup) -> tuple[str, ...]:
    """Names of the batch-norm modules that normalise the group's channels, in the order of the network."""
    return tuple(module_of(cut.tensor) for cut in group.others if cut.tensor.endswith(".running_mean"))


def last_makers(group: UnitGroup) -> tuple[str, ...]:
    """Names of the modules whose outputs, through a ReLU, are the units' activations.

    Where channels are normalised that is the batch norm, else the layer that makes them. Of channels that a residual
    connection adds it is all summands, each as if it went through a ReLU of its own.
    """
    return batch_norms(group) or group.makers


def own_biases(stack: StackedModel, group: UnitGroup) -> tuple[str, ...]:
    """Names of the biases added where the incoming weights are."""
    present = stack.tensors()
    return tuple(name for name in (f"{maker}.bias" for maker in group.makers) if name in present)


def weight_names(stack: StackedModel) -> tuple[str, ...]:
    """Names of all matrices and kernels, from input to output: what single-weight pruning may zero.

    Biases and batch norm are never pruned; the last name is the classifier's.
    """
    return tuple(name for name, p in stack.named_parameters() if name.endswith(".weight") and p.ndim >= 3)


def module_of(tensor: str) -> str:
    """`layers.0.weight` → `layers.0`."""
    return tensor.rpartition(".")[0]
