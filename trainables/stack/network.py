"""K networks built from one plan."""

import math
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

from trainables.stack.model import Cut, Loss, StackedModel, UnitGroup
from trainables.stack.plan import Shape, sizes_of, trace, units_of
from trainables.stack.spatial import ErrorFunction, StackedConv, build_steps
from trainables.stack.step import Plan, SizedStep, Start
from trainables.stack.tied import StackedTiedUnits, recognise

# Device → convolutions of fewer multiply-adds than this in the mean (of one network, on one example) run grouped, the
# others one network after another. For the CPU measured with 4 networks and batches of 50, grouped against one by one:
# ResNet-20 of width 4 is 2.9 times as fast on 8 × 8 images (8 k multiply-adds) and 1.5 times on 28 × 28 (93 k), of
# width 16 on 8 × 8 1.6 times (121 k); but LeNet-5 0.8 times (179 k), ResNet-20 on 16 × 16 0.9 times (482 k), Conv-2 of
# width 16 on 28 × 28 0.6 times (960 k).
GROUPED_BELOW = {"cpu": 150_000.0, "cuda": math.inf}


class StackedNetwork(StackedModel):
    """The networks of a plan: convolutions, batch norm, pooling, residual blocks, affine maps.

    Plans with convolutions run as grouped convolutions or one network after another, whichever is faster. On a GPU a
    trial measures it (`trainables.convolving`); on a CPU they run one after another, unless the convolutions are so
    small that calling them takes the time (`tests/benchmarks/convolutions.py`). One after another, a training step also
    goes back through each network before it turns to the next one, so that only one network's activations are in
    memory, and in the cache.

    Networks are built in evaluation mode; `Training` alone leaves it, for as long as its steps take.

    Args:
        plan: The steps.
        widths: Units of each group of the plan.
        input_shape: [C, H, W] of one example.
        num_classes: Outputs.
        init_scale: Factor on the initial weights of convolutions and affine maps (where batch norm follows it
            changes how fast they learn, not what they put out).
        draws: One generator a network.
        init: As `layers.deviation`.
    """

    def __init__(
        self,
        plan: Plan,
        widths: Shape,
        input_shape: Shape,
        num_classes: int,
        *,
        init_scale: float,
        draws: Sequence[torch.Generator],
        init: str = "he",
    ) -> None:
        super().__init__()
        step_sizes = trace(plan, sizes_of(plan, widths, num_classes), input_shape)
        self._groups = _groups(plan, step_sizes)
        self.steps = build_steps(plan, {one.path: one for one in step_sizes}, "", Start(init_scale, draws, init))
        self._spatial = any(isinstance(layer, StackedConv) for layer in self.modules())
        self._ties = any(isinstance(layer, StackedTiedUnits) for layer in self.modules())
        self.eval()

    @property
    def groups(self) -> tuple[UnitGroup, ...]:
        """The groups of the plan."""
        return self._groups

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of a network on an example, about: weights once, those of convolutions at each pixel."""
        convolutions = [layer for layer in self.modules() if isinstance(layer, StackedConv)]
        extra = sum(layer.multiply_adds - layer.weight[0].numel() for layer in convolutions)
        return self.parameters_per_network + extra

    @property
    def largest_layer(self) -> int:
        """As of `StackedModel`: of convolutions channels times pixels."""
        convolutions = [layer for layer in self.modules() if isinstance(layer, StackedConv)]
        return max([super().largest_layer, *(layer.weight.shape[1] * layer.pixels for layer in convolutions)])

    def forward(self, x: Tensor) -> Tensor:
        """[K, B, C, H, W] → logits [K, B, classes]."""
        if not self._one_by_one(x):
            return self._run_together(x)
        parts = [
            functional_call(self, tensors, (x[k : k + 1],))
            for k, tensors in enumerate(self._singles(differentiable=True))
        ]
        return torch.cat(parts)

    def gradients(self, x: Tensor, targets: Tensor, loss: Loss) -> tuple[Tensor, Tensor, list[Tensor]]:
        """As `StackedModel.gradients`."""
        if not self._one_by_one(x):
            return super().gradients(x, targets, loss)
        all_logits, all_losses, all_gradients = [], [], []
        for k, tensors in enumerate(self._singles(differentiable=False)):
            logits = functional_call(self, tensors, (x[k : k + 1],))
            losses, gradient = loss(logits, targets[k : k + 1])
            parameters = [tensor for tensor in tensors.values() if tensor.requires_grad]
            all_gradients.append(torch.autograd.grad((logits,), parameters, (gradient.to(logits.dtype),)))
            all_logits.append(logits.detach())
            all_losses.append(losses)
        joint = [torch.cat(gradients) for gradients in zip(*all_gradients, strict=True)]
        return torch.cat(all_logits), torch.cat(all_losses), joint

    def respond(self, sums: Tensor) -> Tensor:
        """ReLUs, or erf units where the plan has them."""
        return next((layer(sums) for layer in self.modules() if isinstance(layer, ErrorFunction)), sums.relu())

    def unstack(self, network: int) -> nn.Sequential:
        """An ordinary network in evaluation mode."""
        return self.steps.unstack(network).eval()

    def _one_by_one(self, x: Tensor) -> bool:
        if not self._spatial or self.networks == 1:
            return False
        if self.one_by_one is not None:
            return self.one_by_one
        sizes = [layer.multiply_adds for layer in self.modules() if isinstance(layer, StackedConv)]
        return sum(sizes) / len(sizes) >= GROUPED_BELOW.get(x.device.type, math.inf)

    def _run_together(self, x: Tensor) -> Tensor:
        if self._ties:
            recognise(self, x)
        if self._spatial:
            x = x[0] if x.shape[0] == 1 else x.transpose(0, 1).flatten(1, 2)
            if self.networks == 1 and not x.is_cuda:
                # Up to a quarter faster there than channels first (ResNet-20 on 32 × 32), nowhere slower.
                x = x.contiguous(memory_format=torch.channels_last)
        logits: Tensor = self.steps(x)
        return logits

    def _singles(self, *, differentiable: bool) -> Iterator[dict[str, Tensor]]:
        """Parameters (first) and buffers of each network, as a stack of one.

        They share memory with this stack's. If `differentiable`, derivatives reach its parameters; else the
        parameters are leaves of their own.
        """
        parameters = dict(self.named_parameters())
        split = {name: torch.split(parameter, 1) for name, parameter in parameters.items()} if differentiable else {}
        buffers = dict(self.named_buffers())
        for k in range(self.networks):
            singles = (
                {name: parts[k] for name, parts in split.items()}
                if differentiable
                else {name: p.detach()[k : k + 1].requires_grad_() for name, p in parameters.items()}
            )
            yield singles | {name: buffer[k : k + 1] for name, buffer in buffers.items()}


def _groups(plan: Plan, sized: Sequence[SizedStep]) -> tuple[UnitGroup, ...]:
    incoming: dict[str, list[Cut]] = {name: [] for name in units_of(plan)}
    others: dict[str, list[Cut]] = {name: [] for name in incoming}
    for one in sized:
        for cut in one.cuts():
            if cut.units in incoming:
                place = Cut(f"steps.{one.path}.{cut.tensor}", cut.axis, cut.repeat)
                (incoming if cut.incoming else others)[cut.units].append(place)
    return tuple(UnitGroup(name, tuple(incoming[name]), tuple(others[name])) for name in incoming)
