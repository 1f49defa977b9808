"""Random mirroring and moving of images, as batched tensor code on their device."""

import torch
from torch import Tensor


def draw_changes(kind: str, count: int, side: int, draws: torch.Generator) -> Tensor:
    """What happens to each of `count` images: [count, 3] int64 on the CPU: rows down, columns right, mirrored.

    Args:
        kind: `flip`: mirrored left to right with probability ½. `crop`: moved by −side//8 … side//8 pixels along each
            axis (4 on 32 × 32, as usual on CIFAR). `flip+crop`: both.
        side: Of the images, the smaller one.
        draws: The generator.
    """
    most = side // 8
    moved = torch.randint(-most, most + 1, (count, 2), generator=draws)
    mirrored = torch.randint(2, (count, 1), generator=draws)
    return torch.cat([moved * ("crop" in kind), mirrored * ("flip" in kind)], dim=1)


def augment_images(images: Tensor, changes: Tensor) -> Tensor:
    """Each image changed in its own way; what comes in from outside is 0, the mean of the training images.

    Args:
        images: [..., C, H, W] normalised.
        changes: [..., 3] int64, as `draw_changes`; mirrored first, then moved.
    References:
        He et al. 2016, arXiv:1512.03385, section 4.2 (there raw zeros are padded, before the mean is subtracted).
    """
    flat, each = images.flatten(0, -4), changes.flatten(0, -2)
    height, width = images.shape[-2:]
    rows = torch.arange(height, device=images.device) - each[:, :1]
    columns = torch.arange(width, device=images.device) - each[:, 1:2]
    inside = (_is_within(rows, height)[:, :, None] & _is_within(columns, width)[:, None, :])[:, None]
    columns = torch.where(each[:, 2:] > 0, width - 1 - columns, columns)
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    taken = torch.take_along_dim(flat, rows[:, None, :, None], dim=2)
    taken = torch.take_along_dim(taken, columns[:, None, None, :], dim=3)
    return (taken * inside).view(images.shape)


def _is_within(places: Tensor, size: int) -> Tensor:
    return (places >= 0) & (places < size)
