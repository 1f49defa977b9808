"""A data set as it was read or made: arrays, before anything is split, corrupted or put on a device."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Bytes for pictures, numbers at their own scale for what is computed.
Images = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64] | npt.NDArray[np.float32]


@dataclass(frozen=True)
class RawData:
    """A whole data set, true labels and true inputs, possibly memory-mapped.

    Args:
        images: [n, C, H, W] uint8 (0 … 255), or float32 that networks see as they are: what training and validation
            (and test, if it has no own) are drawn from.
        labels: [n] int64 in 0 … num_classes − 1; where the task is regression [n, num_classes] float32, of about mean 0
            and variance 1.
        test_images, test_labels: The standard test split in the same form, or None where the set has none.
        num_classes: Outputs of a network: classes, at least 2, or the numbers of a regression's target.
    """

    images: Images
    labels: Labels
    test_images: Images | None
    test_labels: Labels | None
    num_classes: int
