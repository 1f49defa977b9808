"""How alike the answers of layers are, and how many dimensions they take."""

from collections.abc import Sequence

import torch
from torch import Tensor

from trainables.looking.weights import squared_singular_values


def gram(answers: Tensor) -> Tensor:
    """[K, n, n] float64, inner products of answers [K, n, d], U-centred, with 0 on the diagonal.

    Of two such matrices the inner product over n(n − 3) is the unbiased estimator of their HSIC.

    References:
        Song et al. 2012, equation 5; Székely & Rizzo 2014, definition 2 (U-centring).
    """
    n = answers.shape[1]
    centred = answers.double() - answers.double().mean(1, keepdim=True)
    made = centred @ centred.mT
    made.diagonal(dim1=1, dim2=2).zero_()
    sums = made.sum(2)
    made -= sums[:, :, None] / (n - 2)
    made -= sums[:, None] / (n - 2)
    made += (sums.sum(1) / ((n - 1) * (n - 2)))[:, None, None]
    made.diagonal(dim1=1, dim2=2).zero_()
    return made


def cka(first: Tensor, second: Tensor) -> Tensor:
    """[K], linear CKA from two `gram`s; nan where one layer answers the same to everything.

    References:
        Kornblith et al. 2019, arXiv:1905.00414; unbiased: Nguyen et al. 2021, arXiv:2010.15327.
    """
    return cka_table([first, second])[:, 0, 1]


def cka_table(grams: Sequence[Tensor]) -> Tensor:
    """[K, layers, layers], the linear CKA of all pairs of `gram`s."""
    flat = [one.flatten(1) for one in grams]
    rows = [torch.stack([(one * other).sum(1) for other in flat[: place + 1]], 1) for place, one in enumerate(flat)]
    whole = torch.stack([torch.nn.functional.pad(row, (0, len(flat) - row.shape[1])) for row in rows], 1)
    whole = whole + whole.tril(-1).mT
    own = whole.diagonal(dim1=1, dim2=2)
    product = own[:, :, None] * own[:, None]
    return torch.where(product > 0, whole / product.clamp(min=1e-300).sqrt(), torch.nan)


def effective_dimension(answers: Tensor) -> Tensor:
    """[K], (Σλ)²/Σλ² of the covariance of answers [K, n, d]; nan where nothing varies."""
    centred = answers.double() - answers.double().mean(1, keepdim=True)
    by_units = centred.shape[1] >= centred.shape[2]
    product = centred.mT @ centred if by_units else centred @ centred.mT
    trace, squares = product.diagonal(dim1=1, dim2=2).sum(1), product.square().sum((1, 2))
    return torch.where(squares > 0, trace.square() / squares.clamp(min=1e-300), torch.nan)


def collapse(answers: Tensor, labels: Tensor, classes: int) -> Tensor:
    """[K], tr(Σ_W Σ_B⁺)/C: how far answers of a class scatter, against how far the classes are apart.

    Args:
        answers: [K, n, d].
        labels: [K, n] int64.
        classes: C; those without examples do not count.
    References:
        Papyan et al. 2020, arXiv:2008.08186.
    """
    x = answers.double()
    belongs = torch.nn.functional.one_hot(labels, classes).double()
    counts = belongs.sum(1)
    means = (belongs.mT @ x) / counts.clamp(min=1)[..., None]
    there = (counts > 0).double()
    number = there.sum(1)
    centre = (means * there[..., None]).sum(1) / number[:, None]
    between = (means - centre[:, None]) * there[..., None]
    within = x - torch.take_along_dim(means, labels[..., None], dim=1)
    of_classes = between.mT @ between / number[:, None, None]
    scatter = within.mT @ within / x.shape[1]
    inverse = torch.linalg.pinv(of_classes, rtol=1e-6, hermitian=True)
    found = (scatter * inverse).sum((1, 2)) / number
    return torch.where((of_classes != 0).any(2).any(1), found, torch.nan)


def components(answers: Tensor) -> Tensor:
    """[K], the share of principal components that explain 95 % of the variance of [K, n, units]."""
    centred = answers - answers.mean(1, keepdim=True)
    values = squared_singular_values(centred).flip(1)
    total = values.sum(1, keepdim=True)
    explained = values.cumsum(1) / total.clamp(min=1e-300)
    needed = (explained < 0.95).sum(1) + 1
    return torch.where(total[:, 0] > 0, needed.double() / answers.shape[2], torch.nan)
