"""Scores of K networks whose weights are replaced by projections, and where they come back."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from trainables.looking.look import Look
from trainables.pausing import Pausing
from trainables.stack.model import StackedModel

_SHARE = 0.95
# U [K, rows, M], singular values [K, M] and Vᵀ [K, M, columns], float64.
Decomposition = tuple[Tensor, Tensor, Tensor]


def powers_up_to(most: int) -> list[int]:
    """0, 1, 2, 4, 8 … and `most`."""
    counts = [0]
    while 2 ** (len(counts) - 1) < most:
        counts.append(2 ** (len(counts) - 1))
    return [*counts, most]


def decompose(matrices: Mapping[str, Tensor]) -> Pausing[dict[str, Decomposition]]:
    """Layer → the singular value decomposition of its matrices [K, rows, columns]; may pause after each matrix."""
    found: dict[str, Decomposition] = {}
    for layer, matrix in matrices.items():
        parts = []
        for own in matrix.double():
            parts.append(torch.linalg.svd(own, full_matrices=False))
            yield
        u, s, v = (torch.stack(part) for part in zip(*parts, strict=True))
        found[layer] = u, s, v
    return found


def curve(look: Look, counts: Sequence[int], made: Callable[[int], StackedModel]) -> Pausing[Tensor]:
    """[K, counts] float64, the score on the sample of what `made` returns for each count."""
    scores = []
    for count in counts:
        scores.append(look.scores(made(count)))
        yield
    return torch.stack(scores, 1)


def first_count(scores: Tensor, counts: Sequence[int], whole: Tensor, chance: Tensor) -> Tensor:
    """[K] float64, the first count from which on 95 % of the score above chance are there; nan where there is none.

    Args:
        scores: [K, counts].
        whole: [K], scores of the networks as they are; nan too where these are no better than chance.
        chance: [K].
    """
    chance = chance.to(scores.device)
    enough = scores >= (chance + _SHARE * (whole - chance))[:, None]
    # Curves need not rise: what counts is that the score stays.
    stays = enough.flip(1).cummin(1).values.flip(1)
    first = stays.double().argmax(1)
    found = torch.tensor(list(counts), dtype=torch.float64, device=scores.device)[first]
    return torch.where(stays.any(1) & (whole > chance), found, torch.nan)
