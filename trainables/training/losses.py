"""Losses with their gradients, without a graph: at small sizes a third of a step's time goes into it otherwise.

Shapes: K networks, B examples, C classes (or outputs).
"""

import torch
from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
    """Cross-entropy against labels; each network's loss is its mean over the batch, in nats.

    Args:
        logits: [K, B, C].
        labels: [K, B] int64.
        smoothing: s; the gradient is that against (1 − s) · label + s/C (as `torch.nn.functional.cross_entropy`'s), the
            loss remains that against the label, so that losses and stop rules mean the same everywhere.
    Returns:
        [K, B] loss of each example; [K, B, C] gradient of the sum over K of the mean over B.
    References:
        Szegedy et al. 2016, arXiv:1512.00567.
    """
    if logits.is_cuda:
        return _fused_cross_entropy(logits.detach(), labels, smoothing)
    # Classes before examples: a softmax over a short last axis is 15 times slower.
    log_p = torch.log_softmax(logits.detach().mT.contiguous(), dim=1)
    index = labels[:, None]
    losses = log_p.gather(1, index).neg_()[:, 0]
    minus_label = losses.new_full((1, 1, 1), smoothing - 1.0).expand(index.shape)
    gradient = log_p.exp_().scatter_add_(1, index, minus_label)
    if smoothing:
        gradient.sub_(smoothing / logits.shape[2])
    gradient.mul_(1 / labels.shape[1])
    return losses, gradient.mT


def _fused_cross_entropy(logits: Tensor, labels: Tensor, smoothing: float) -> tuple[Tensor, Tensor]:
    """The same by PyTorch's own kernels, which on a GPU are few and always add in the same order."""
    aten, wanted = torch.ops.aten, labels.flatten()
    log_p = torch.log_softmax(logits.flatten(0, 1), dim=1)
    losses, weight = aten.nll_loss_forward(log_p, wanted, None, 0, -100)
    each = losses.new_full((1,), (1 - smoothing) / labels.shape[1]).expand(len(wanted))
    of_log_p = aten.nll_loss_backward(each, log_p, wanted, None, 0, -100, weight)
    if smoothing:
        of_log_p.sub_(smoothing / (logits.shape[2] * labels.shape[1]))
    gradient = aten._log_softmax_backward_data(of_log_p, log_p, 1, log_p.dtype)
    return losses.view(labels.shape), gradient.view(logits.shape)


def soft_cross_entropy(logits: Tensor, targets: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """T² · cross-entropy of softmax(logits/T) against given probabilities, mean over the batch.

    Args:
        logits: [K, B, C].
        targets: [K, B, C], the teacher's softmax at the same temperature.
        temperature: T > 0.
    Returns:
        As `cross_entropy`.
    References:
        Hinton et al. 2015, arXiv:1503.02531; T² keeps gradients of one size over temperatures.
    """
    log_p = torch.log_softmax(logits.detach().mT.contiguous() / temperature, dim=1)
    wanted = targets.mT
    losses = (log_p * wanted).sum(dim=1).mul_(-(temperature**2))
    gradient = log_p.exp_().sub_(wanted).mul_(temperature / logits.shape[1])
    return losses, gradient.mT


def squared_error(outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error without ½, mean over outputs; each network's loss is its mean over the batch.

    Args:
        outputs: [K, B, C].
        targets: [K, B, C] float32.
    Returns:
        [K, B] loss of each example; [K, B, C] gradient of the sum over K of the mean over B.
    """
    off = outputs.detach() - targets
    return off.square().mean(dim=2), off.mul_(2 / (off.shape[1] * off.shape[2]))
