"""What watching other examples than those trained on says of a training."""

import torch
from torch import Tensor

from trainables.training.loop import Training


def early_stop(training: Training) -> dict[str, Tensor]:
    """`early_stop_epoch` [K]: the epoch after which each network's validation loss was smallest, as far as watched.

    References:
        The early-stopping iteration of Frankle & Carbin 2019, arXiv:1803.03635 (theirs counts steps).
    """
    epochs = [epoch for _, epoch in training.best]
    return {"early_stop_epoch": torch.tensor(epochs, dtype=torch.float64)} if epochs else {}
