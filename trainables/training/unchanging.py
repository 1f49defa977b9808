"""Which parameters of dense networks stay as they were drawn."""

from typing import Literal

import torch
from torch import Tensor

from trainables.looking.places import module_of, weight_names
from trainables.stack.model import StackedModel


def unchanging(stack: StackedModel, trains: Literal["all", "first"]) -> dict[str, Tensor]:
    """Masks of gradients as `Training` takes them: parameter → False everywhere, for those that do not learn.

    Args:
        trains: `first`: weights and biases of the first layer alone.
    """
    if trains == "all":
        return {}
    first = module_of(weight_names(stack)[0])
    return {
        name: torch.zeros_like(parameter, dtype=torch.bool)
        for name, parameter in stack.named_parameters()
        if module_of(name) != first
    }
