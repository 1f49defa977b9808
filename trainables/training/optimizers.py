"""PyTorch's optimizers in functional form, so that their state can be cut to some networks, saved and put back.

The functional form with its fused kernels is the fastest of torch's on CPU (measured on a stack of five 64-64-64-10
networks: 30 µs a step, `torch.optim.SGD(fused=True).step()` 65, foreach 95) and bit for bit the same arithmetic.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.optim.sgd import sgd

from trainables.config import TrainingConfig

Tensors = list[Tensor]


class Optimizer(ABC):
    """State of one optimizer over a stack's parameters; every state tensor is shaped like its parameter or a scalar."""

    def __init__(self, recipe: TrainingConfig, parameters: Sequence[Tensor]) -> None:
        self.recipe = recipe
        self.state = self._fresh(parameters)

    @abstractmethod
    def _fresh(self, parameters: Sequence[Tensor]) -> dict[str, Tensors]:
        """State before the first step."""

    @abstractmethod
    def step(
        self,
        places: Sequence[int],
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        lr: float | Tensor,
        networks: slice | None = None,
    ) -> None:
        """One update of the parameters at these places, in place; call under `torch.no_grad`.

        Args:
            networks: Of which of the K networks parameters and gradients are (None: of all); one call after another
                then gets all of them, the last ones last.
        """

    def _state_of(self, name: str, places: Sequence[int], networks: slice | None) -> list[Tensor]:
        """This state of the parameters at these places."""
        tensors = [self.state[name][place] for place in places]
        return tensors if networks is None else [tensor[networks] for tensor in tensors]

    def select(self, networks: Tensor) -> None:
        """Keeps the state of these networks only, in this order."""
        self.state = {
            name: [t.index_select(0, networks) if t.ndim else t for t in tensors]
            for name, tensors in self.state.items()
        }


class SGD(Optimizer):
    """`torch.optim.SGD` with momentum (dampening 0)."""

    def _fresh(self, parameters: Sequence[Tensor]) -> dict[str, Tensors]:
        # A buffer of zeros makes the first step what torch's missing buffer makes it: momentum · 0 + gradient.
        return {"momentum": [torch.zeros_like(p) for p in parameters] if self.recipe.momentum else []}

    def step(
        self,
        places: Sequence[int],
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        lr: float | Tensor,
        networks: slice | None = None,
    ) -> None:
        """v ← momentum · v + g, g = gradient + weight_decay · w; w ← w − lr · v, Nesterov: lr · (g + momentum · v)."""
        buffers: list[Tensor | None] = [None] * len(places)
        if self.recipe.momentum:
            buffers = [*self._state_of("momentum", places, networks)]
        sgd(
            [*parameters],
            [*gradients],
            buffers,
            fused=True,
            foreach=False,
            weight_decay=self.recipe.weight_decay,
            momentum=self.recipe.momentum,
            lr=lr,
            dampening=0.0,
            nesterov=self.recipe.nesterov,
            maximize=False,
        )


class Adam(Optimizer):
    """Optimizers with Adam's two moments: beta1 = `momentum`, beta2 = 0.999, eps = 1e-8.

    Args:
        update: Torch's functional form of the step.
    """

    def __init__(self, recipe: TrainingConfig, parameters: Sequence[Tensor], update: Callable[..., None]) -> None:
        super().__init__(recipe, parameters)
        self._update = update

    def _fresh(self, parameters: Sequence[Tensor]) -> dict[str, Tensors]:
        return {
            "first": [torch.zeros_like(p) for p in parameters],
            "second": [torch.zeros_like(p) for p in parameters],
            "steps": [torch.zeros((), device=p.device) for p in parameters],
        }

    def step(
        self,
        places: Sequence[int],
        parameters: Sequence[Tensor],
        gradients: Sequence[Tensor],
        lr: float | Tensor,
        networks: slice | None = None,
    ) -> None:
        """One step of torch's."""
        steps = [self.state["steps"][place] for place in places]
        if networks is not None and networks.stop < len(self.state["first"][places[0]]):
            # All networks share one number of steps, which the last ones count on.
            steps = [count.clone() for count in steps]
        self._update(
            [*parameters],
            [*gradients],
            self._state_of("first", places, networks),
            self._state_of("second", places, networks),
            [],
            steps,
            fused=True,
            foreach=False,
            amsgrad=False,
            beta1=self.recipe.momentum,
            beta2=0.999,
            lr=lr,
            weight_decay=self.recipe.weight_decay,
            eps=1e-8,
            maximize=False,
        )
