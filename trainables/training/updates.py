"""From gradients to new weights: masks, clipping, penalties, the optimizer."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from trainables.config import TrainingConfig
from trainables.moving import to_device
from trainables.stack.model import Loss, StackedModel
from trainables.training.recipes import optimizer_of

# As in torch.nn.utils.clip_grad_norm_.
_EPSILON = 1e-6


class Updates:
    """What a step of a stack does after (or, layer by layer, during) the backward pass.

    Args:
        recipe: Optimizer, decay, `clip_norm`, `l1`.
        model: K networks.
        masks: Parameter → bool of its shape, False where weights are 0 and stay so: their gradients are 0, hence with
            all optimizers their state and steps are too.
        traces: Whether `movement` is kept.

    Attributes:
        movement: Parameter → −Σ w·g over all steps so far, [K, …], g the gradient of the loss alone; {} if not kept.
    """

    def __init__(
        self, recipe: TrainingConfig, model: StackedModel, masks: Mapping[str, Tensor], *, traces: bool = False
    ) -> None:
        self.recipe = recipe
        self.optimizer = optimizer_of(recipe).over(recipe, list(model.parameters()))
        places = {name: place for place, (name, _) in enumerate(model.named_parameters())}
        tensors = model.tensors()
        self._all_masks = {places[name]: mask.to(tensors[name].dtype) for name, mask in masks.items()}
        self._masks = self._all_masks
        self.movement = {n: torch.zeros_like(p) for n, p in model.named_parameters()} if traces else {}
        self._traced = list(self.movement.values())
        self._rows = torch.arange(model.networks, device=next(model.parameters()).device)

    def only(self, networks: Sequence[int]) -> None:
        """From now on steps are of these of the K networks; the optimizer's state is another matter."""
        self._masks = {place: mask[list(networks)] for place, mask in self._all_masks.items()}
        self._rows = to_device(list(networks), self._rows.device)

    def step(
        self, model: StackedModel, x: Tensor, targets: Tensor, loss: Loss, lr: float | Tensor
    ) -> tuple[Tensor, Tensor]:
        """One batch at the rate `lr` (of a GPU, in its memory); arguments and results as of `StackedModel.descend`."""
        parameters = list(model.parameters())

        def update(places: Sequence[int], gradients: Sequence[Tensor], networks: slice | None) -> None:
            with torch.no_grad():
                used: list[Tensor] = [parameters[place] for place in places]
                if networks is not None:
                    used = [parameter[networks] for parameter in used]
                if self.recipe.l1:
                    for parameter, gradient in zip(used, gradients, strict=True):
                        gradient.add_(parameter.sign(), alpha=self.recipe.l1)
                self.optimizer.step(places, used, gradients, lr, networks)

        def apply_masks(places: Sequence[int], gradients: Sequence[Tensor], networks: slice | None) -> None:
            for place, gradient in zip(places, gradients, strict=True):
                if place in self._masks:
                    mask = self._masks[place]
                    gradient.mul_(mask if networks is None else mask[networks])
            if self._traced:
                rows = self._rows if networks is None else self._rows[networks]
                with torch.no_grad():
                    for place, gradient in zip(places, gradients, strict=True):
                        weights = parameters[place] if networks is None else parameters[place][networks]
                        self._traced[place].index_add_(0, rows, weights * gradient, alpha=-1)

        if self.recipe.clip_norm is None:

            def use(places: Sequence[int], gradients: Sequence[Tensor], networks: slice | None) -> None:
                apply_masks(places, gradients, networks)
                update(places, gradients, networks)

            return model.descend(x, targets, loss, use)
        logits, losses, gradients = model.gradients_in_pieces(x, targets, loss)
        apply_masks(range(len(gradients)), gradients, None)
        clip(gradients, self.recipe.clip_norm)
        update(range(len(gradients)), gradients, None)
        return logits, losses


def clip(gradients: Sequence[Tensor], most: float) -> None:
    """Scales each network's gradient, in place, so that its Euclidean norm over all parameters is at most `most`.

    Args:
        gradients: [K, …] each.
    """
    squares = torch.stack([gradient.flatten(1).square().sum(1) for gradient in gradients]).sum(0)
    factor = (most / (squares.sqrt() + _EPSILON)).clamp_(max=1)
    for gradient in gradients:
        gradient.mul_(factor.view(-1, *[1] * (gradient.ndim - 1)))
