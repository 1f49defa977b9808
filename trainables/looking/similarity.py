"""How alike the answers of layers are, and how many dimensions they take."""

import torch
from torch import Tensor


def gram(answers: Tensor) -> Tensor:
    """[K, n, n] float64, inner products of answers [K, n, d], 0 on the diagonal: what the unbiased HSIC is made of."""
    centred = answers.double() - answers.double().mean(1, keepdim=True)
    made = centred @ centred.mT
    made.diagonal(dim1=1, dim2=2).zero_()
    return made


def hsic(first: Tensor, second: Tensor) -> Tensor:
    """[K], the unbiased estimator of the Hilbert–Schmidt independence criterion from two `gram`s.

    References:
        Song et al. 2012, equation 5.
    """
    n = first.shape[1]
    rows, columns = first.sum(2), second.sum(2)
    trace = (first * second).sum((1, 2))
    sums = rows.sum(1) * columns.sum(1) / ((n - 1) * (n - 2))
    return (trace + sums - 2 / (n - 2) * (rows * columns).sum(1)) / (n * (n - 3))


def cka(first: Tensor, second: Tensor) -> Tensor:
    """[K], linear CKA from two `gram`s; nan where one layer answers the same to everything.

    References:
        Kornblith et al. 2019, arXiv:1905.00414; unbiased: Nguyen et al. 2021, arXiv:2010.15327.
    """
    product = hsic(first, first) * hsic(second, second)
    return torch.where(product > 0, hsic(first, second) / product.clamp(min=1e-300).sqrt(), torch.nan)


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
    values = torch.linalg.eigvalsh(centred.mT @ centred).flip(1).clamp(min=0)
    total = values.sum(1, keepdim=True)
    explained = values.cumsum(1) / total.clamp(min=1e-300)
    needed = (explained < 0.95).sum(1) + 1
    return torch.where(total[:, 0] > 0, needed.double() / values.shape[1], torch.nan)
