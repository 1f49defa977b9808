"""What the engine trains and evaluates on: images, labels as given, and what is true about them."""

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class TrialData:
    """The data of one trial on its device.

    Networks are ordered replicates first, then controls: N = K without controls, 2K with them; control k (row K + k)
    is the twin of replicate k (row k). S is the number of different versions of the inputs: 2 when the condition
    corrupts them and there are controls (0: the replicates', 1: the true ones, for the controls), else 1.

    Args:
        images: [S, n, C, H, W] uint8, training inputs.
        labels: [N, n] int64, training labels as given to each network.
        true_labels: [n] int64.
        kept: [N, n] bool, where the label given is the true one.
        val_images, val_labels: [S, n_val, C, H, W] uint8, [n_val] int64; labels always clean.
        test_images, test_labels: As for validation.
        source: [N] int64, the version of the inputs that each network sees, everywhere.
        mean, std: [C] float32 of the true training images, in units of uint8: inputs are (image − mean) / std.
        num_classes: Number of classes C.
        chance: [N] float64, the largest class share among the labels given.
        changed_share: [N] float64, share of training labels that differ from the truth.
        iid_test_labels: [K, n_test] int64 under `renamed` noise, where each replicate's rule extends to the test
            split; None otherwise.
    """

    images: Tensor
    labels: Tensor
    true_labels: Tensor
    kept: Tensor
    val_images: Tensor
    val_labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    source: Tensor
    mean: Tensor
    std: Tensor
    num_classes: int
    chance: Tensor
    changed_share: Tensor
    iid_test_labels: Tensor | None
