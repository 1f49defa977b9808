"""Realised shares of label noise against their expectation.

Draws are seeded, so a run repeats itself; with a tolerance of 4.5 standard errors a change of generator raises a false
alarm about 7 times in a million, for each assertion.
"""

import pytest
import torch

from trainables.data.conditions import NOISES
from trainables.seeding import generator

N, CLASSES = 200_000, 10
LABELS = torch.arange(N) % CLASSES


def changed(kind: str, share: float) -> torch.Tensor:
    labels = NOISES.get(kind)().labels(LABELS, share, CLASSES, generator(0, kind, int(share * 100)))
    return labels != LABELS


@pytest.mark.parametrize("share", [0.05, 0.25, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["uniform", "wrong", "permuted"])
def test_the_share_of_changed_labels_is_the_expected_one(kind: str, share: float) -> None:
    expected = share if kind == "wrong" else share * (1 - 1 / CLASSES)
    # Binomial; `permuted` varies less, as its number of shuffled labels is fixed.
    error = (expected * (1 - expected) / N) ** 0.5
    assert abs(changed(kind, share).double().mean().item() - expected) <= 4.5 * error + 1e-12


def test_uniform_noise_draws_every_class_alike() -> None:
    labels = NOISES.get("uniform")().labels(LABELS, 1.0, CLASSES, generator(1))
    joint = torch.bincount(LABELS * CLASSES + labels, minlength=CLASSES**2).double()
    chi2 = ((joint - N / CLASSES**2) ** 2 / (N / CLASSES**2)).sum().item()
    # 90 degrees of freedom (rows fixed): above 156.6 once in 50,000 draws.
    assert chi2 < 156.6


def test_wrong_noise_draws_every_other_class_alike() -> None:
    labels = NOISES.get("wrong")().labels(LABELS, 1.0, CLASSES, generator(2))
    offsets = ((labels - LABELS) % CLASSES).bincount(minlength=CLASSES).double()
    assert offsets[0] == 0
    chi2 = ((offsets[1:] - N / 9) ** 2 / (N / 9)).sum().item()
    # 8 degrees of freedom: above 35.3 about once in 40,000 draws.
    assert chi2 < 35.3
