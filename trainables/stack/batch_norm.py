"""Batch norm of K networks."""

import torch
from torch import Tensor, nn
from torch.nn import functional

MOMENTUM = 0.1
_EPSILON = 1e-5


class StackedBatchNorm(nn.Module):
    """Each channel of each network is normalised over the batch, with statistics of its own.

    As `torch.nn.BatchNorm2d`: training uses the batch's mean and biased variance and moves the running ones (unbiased
    variance) by a tenth; evaluation uses the running ones. A training batch of a single value a channel says nothing
    about its spread: the running statistics are used for it and stay.

    Args:
        networks: K.
        channels: C.

    Attributes:
        momentum: Share of a batch in the running statistics.

    Shapes: weight, bias, running_mean, running_var [K, C].

    References:
        Ioffe & Szegedy 2015, arXiv:1502.03167.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, networks: int, channels: int) -> None:
        super().__init__()
        self.momentum = MOMENTUM
        self.weight = nn.Parameter(torch.ones(networks, channels))
        self.bias = nn.Parameter(torch.zeros(networks, channels))
        self.register_buffer("running_mean", torch.zeros(networks, channels))
        self.register_buffer("running_var", torch.ones(networks, channels))

    def forward(self, x: Tensor) -> Tensor:
        """[B, K · C, H, W] → the same shape."""
        return functional.batch_norm(
            x,
            self.running_mean.view(-1),
            self.running_var.view(-1),
            self.weight.view(-1),
            self.bias.view(-1),
            training=self.training and x.shape[0] * x.shape[2] * x.shape[3] > 1,
            momentum=self.momentum,
            eps=_EPSILON,
        )

    def unstack(self, network: int) -> nn.BatchNorm2d:
        """Network `network` as an ordinary layer with its own copy of parameters and statistics."""
        layer = nn.BatchNorm2d(self.weight.shape[1], _EPSILON, MOMENTUM, device=self.weight.device)
        state = {name: tensor[network] for name, tensor in self.state_dict().items()}
        layer.load_state_dict(state, strict=False)
        return layer
