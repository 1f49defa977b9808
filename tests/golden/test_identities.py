"""What must not change from one version to the next, or earlier trials could neither be recognised nor repeated.

A change here is a decision: say in the commit why earlier studies may become others.
"""

import hashlib
from pathlib import Path

import torch

from search_spaces import catalog
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.seeding import derive_seed


def first_point(name: str) -> TrialConfig:
    space = catalog.get(name)
    return space.config({key: spanned.corners()[0] for key, spanned in space.span.items()})


def digest(tensor: torch.Tensor) -> str:
    return hashlib.sha256(tensor.numpy().tobytes()).hexdigest()[:16]


def test_fingerprints() -> None:
    assert TrialConfig().fingerprint() == "44136fa355b3678a"
    assert first_point("redundancy").fingerprint() == "b12bfe92b65de9fc"
    assert first_point("blog").fingerprint() == "7f6abdfc810132d0"


def test_seeds_and_streams() -> None:
    assert derive_seed(0, 3, "labels", 1) == 5749639454926533345
    assert derive_seed(0, 31, "labels", 1) != derive_seed(0, 3, "1", "labels", 1)


def test_split_and_noise_of_the_digits() -> None:
    config = TrialConfig.model_validate({"data": {"label_noise": 0.5}})
    data = trial_data(config, 3, Path("not-used"))
    assert data.labels[0, :20].tolist() == [0, 2, 4, 9, 2, 9, 0, 6, 3, 5, 8, 2, 9, 4, 4, 2, 0, 5, 2, 0]
    assert digest(data.labels) == "2ee839d2dfdb0a8b"
    assert digest(data.images) == "54afef4c8eb9f377"
