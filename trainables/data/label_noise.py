"""Label noise: wrong training labels (or other targets), drawn for each replicate.

Noise is nested: with the same generator, the examples put through the noise at a small `share` are among those at a
larger one, with the same draws, so that noise levels are compared on the same luck.
"""

import torch
from torch import Tensor

from trainables.config import NoiseKind


def noisy_labels(labels: Tensor, kind: NoiseKind, share: float, num_classes: int, draws: torch.Generator) -> Tensor:
    """`labels` after the noise.

    Args:
        labels: [n] int64, true labels.
        kind: `uniform`: each label is replaced with probability `share` by a draw from all classes (Zhang et al. 2017);
            `wrong`: by a draw from the other classes; `permuted`: the labels of round(share · n) examples are shuffled
            among themselves; `renamed`: see `renaming`, a placebo that stays a rule.
        share: In 0 … 1; at 0 nothing changes.
        num_classes: At least 2.
        draws: CPU generator, the only source of randomness.
    Returns:
        [n] int64, a new tensor. Expected share of changed labels: uniform share · (1 − 1/C), wrong share, permuted
        less than share (a label can meet itself), renamed the share of the renamed classes.
    References:
        Zhang et al. 2017, arXiv:1611.03530.
    """
    if kind == "renamed":
        return renaming(share, num_classes, draws)[labels]
    n = len(labels)
    selector = torch.rand(n, generator=draws, dtype=torch.float64)
    if kind == "permuted":
        return _permuted(labels, selector, share, draws)
    if kind == "uniform":
        drawn = torch.randint(num_classes, (n,), generator=draws)
    else:
        drawn = (labels + torch.randint(1, num_classes, (n,), generator=draws)) % num_classes
    return torch.where(selector < share, drawn, labels)


def noisy_numbers(targets: Tensor, kind: NoiseKind, share: float, draws: torch.Generator) -> Tensor:
    """Targets of a regression after the noise.

    Args:
        targets: [n, outputs] float32, true targets.
        kind: `uniform`: each target is replaced with probability `share` by that of an example drawn from all n, itself
            included; `permuted`: the targets of round(share · n) examples are shuffled among themselves.
        share: In 0 … 1; at 0 nothing changes.
        draws: CPU generator, the only source of randomness.
    Returns:
        [n, outputs] float32, a new tensor. An example's outputs stay together.
    """
    n = len(targets)
    selector = torch.rand(n, generator=draws, dtype=torch.float64)
    if kind == "permuted":
        return _permuted(targets, selector, share, draws)
    drawn = targets[torch.randint(n, (n,), generator=draws)]
    return torch.where((selector < share)[:, None], drawn, targets)


def _permuted(labels: Tensor, selector: Tensor, share: float, draws: torch.Generator) -> Tensor:
    """[n, …]: the labels of the round(share · n) examples that `selector` puts first shuffled among themselves."""
    n = len(labels)
    chosen = selector.argsort()[: int(share * n + 0.5)].sort().values
    order = torch.rand(n, generator=draws, dtype=torch.float64)
    noisy = labels.clone()
    noisy[chosen] = labels[chosen[order[chosen].argsort()]]
    return noisy


def renaming(share: float, num_classes: int, draws: torch.Generator) -> Tensor:
    """[C] int64, the new name of each class: round(share · C) of them, at least 2 if share > 0, renamed in a cycle.

    The rule from inputs to labels changes its names and stays as learnable as it was: a placebo for memorisation.
    """
    names = torch.arange(num_classes)
    order = torch.randperm(num_classes, generator=draws)
    count = max(2, int(share * num_classes + 0.5)) if share > 0 else 0
    cycle = order[:count]
    names[cycle] = cycle.roll(-1)
    return names


def expected_iid_accuracy(kind: NoiseKind, share: float, clean_accuracy: float, num_classes: int) -> float | None:
    """Expected accuracy on test labels as noisy as the training labels, from the accuracy on clean ones.

    None where no formula holds: under `permuted` (not independent draws) and under `renamed`, where the labels
    themselves are known (`TrialData.iid_test_labels`).
    """
    if share == 0:
        return clean_accuracy
    if kind == "uniform":
        return (1 - share) * clean_accuracy + share / num_classes
    if kind == "wrong":
        return (1 - share) * clean_accuracy + share * (1 - clean_accuracy) / (num_classes - 1)
    return None
