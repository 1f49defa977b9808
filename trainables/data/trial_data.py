"""What the engine trains and evaluates on: images, labels as given, and what is true about them."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from trainables.config import TrialConfig
from trainables.data.conditions import input_kind_of, noise_of
from trainables.data.loading import load_split
from trainables.data.splits import subset_size
from trainables.data.task import Task, task_of
from trainables.seeding import Key, generator

# Images looked at together; all of them may be more than fits into memory.
_CHUNK = 1000


@dataclass(frozen=True)
class TrialData:
    """The data of one trial on its device.

    Networks are ordered replicates first, then controls: N = K without controls, 2K with them; control k (row K + k)
    is the twin of replicate k (row k). S is the number of different versions of the inputs: 2 when the condition
    corrupts them and there are controls (0: the replicates', 1: the true ones, for the controls), else 1. Of n training
    examples each network is given m, all of them unless `data.subset` says less; a control the same as its replicate.

    Args:
        task: What networks are asked for.
        images: [S, n, C, H, W] uint8 or float32, training inputs.
        subset: [N, m] int64, the examples that each network is given, in rising order; None: all.
        all_labels: [N, n, …], training labels as each network has them, also of examples that it is not given: [N, n]
            int64 classes, or the targets of a regression, [N, n, num_classes] float32.
        labels: [N, m, …], those of the examples that each network is given.
        true_labels: [n, …].
        truth: [N, m, …], true labels of the examples that each network is given.
        kept_mask: [N, m] bool, where the label given is the true one.
        val_images, val_labels: [S, n_val, C, H, W], [n_val, …]; labels always clean.
        test_images, test_labels: As for validation.
        source: [N] int64, the version of the inputs that each network sees, everywhere.
        mean, std: [C] float32 of the true training images, in their units.
        num_classes: Outputs of a network: classes, or the numbers of a regression's target.
        chance: [N] float64, the best score on the labels given without looking at the inputs.
        changed_share: [N] float64, share of training labels that differ from the truth.
        iid_test_labels: [K, n_test] int64 where the noise renames classes, so that each replicate's rule extends to
            the test split; None otherwise.
    """

    task: Task
    images: Tensor
    subset: Tensor | None
    all_labels: Tensor
    labels: Tensor
    true_labels: Tensor
    truth: Tensor
    kept_mask: Tensor
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

    def given_mask(self) -> Tensor:
        """[N, n] bool: which of the training examples each network is given."""
        where = self.all_labels.new_zeros(self.all_labels.shape[:2], dtype=torch.bool)
        return ~where if self.subset is None else where.scatter_(1, self.subset, True)

    def left_out(self) -> Tensor:
        """[N, n − m] int64: the training examples that each network is not given, in rising order."""
        return (~self.given_mask()).nonzero()[:, 1].view(len(self.all_labels), -1)


def trial_data(config: TrialConfig, key: Key, data_dir: Path, device: str | torch.device = "cpu") -> TrialData:
    """The data of a trial: the study's split, corrupted by draws named after (seed, key, replicate).

    The split depends on `config.seed` alone, so all trials of a study share it; under true inputs and on the CPU its
    tensors are shared between the trials of a process too: never write to them.

    Raises:
        DataUnavailable: The data set is neither in `data_dir` nor to be had.
        ValueError: The split asked for is larger than the data set.
    """
    task, split = task_of(config.data), load_split(config.data, config.seed, data_dir)
    true_labels = _repeat(torch.from_numpy(split.train_labels), config.data.copies)
    train = _repeat(torch.from_numpy(split.train_images), config.data.copies)
    mean, std = pixel_statistics(train)

    noise, kind, share = noise_of(config.data), input_kind_of(config.data), config.data.label_noise

    def versions(images: Tensor, part: str) -> Tensor:
        if kind.keeps_inputs:
            return images[None]
        corrupted = kind.inputs(images, mean, std, config.seed, key, part)
        return torch.stack([corrupted, images]) if config.has_control else corrupted[None]

    given = [
        task.noisy(true_labels, noise, share, split.num_classes, _draws(config, key, k))
        for k in range(config.replicates)
    ]
    twins = [true_labels] * (config.replicates if config.has_control else 0)
    all_labels = torch.stack(given + twins)
    subset = _subset(config, key, len(true_labels), len(all_labels))
    labels, truth = select_subset(all_labels, subset), select_subset(true_labels.expand_as(all_labels), subset)
    kept = (labels == truth).reshape(*labels.shape[:2], -1).all(dim=2)
    test_labels = torch.from_numpy(split.test_labels)
    source = torch.zeros(len(labels), dtype=torch.int64)
    if not kind.keeps_inputs:
        source[config.replicates :] = 1
    names = [noise.renaming(share, split.num_classes, _draws(config, key, k)) for k in range(config.replicates)]
    iid = [renamed[test_labels] for renamed in names if renamed is not None]
    return TrialData(
        task=task,
        images=versions(train, "train").to(device),
        subset=None if subset is None else subset.to(device),
        all_labels=all_labels.to(device),
        labels=labels.to(device),
        true_labels=true_labels.to(device),
        truth=truth.to(device),
        kept_mask=kept.to(device),
        val_images=versions(torch.from_numpy(split.val_images), "val").to(device),
        val_labels=torch.from_numpy(split.val_labels).to(device),
        test_images=versions(torch.from_numpy(split.test_images), "test").to(device),
        test_labels=test_labels.to(device),
        source=source.to(device),
        mean=mean.to(device),
        std=std.to(device),
        num_classes=split.num_classes,
        chance=task.chance(labels, split.num_classes),
        changed_share=1 - kept.double().mean(dim=1),
        iid_test_labels=torch.stack(iid).to(device) if iid else None,
    )


def _repeat(tensor: Tensor, copies: int) -> Tensor:
    """[copies · n, …]: all examples, and all of them again."""
    return tensor if copies == 1 else tensor.repeat(copies, *[1] * (tensor.ndim - 1))


def pixel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, in units of the images; a constant channel has deviation 1.

    Exact for bytes.

    Args:
        images: [n, C, H, W] uint8 or float32.
    Returns:
        [C] float32 each.
    """
    if images.dtype != torch.uint8:
        variance, mean = torch.var_mean(images.double(), dim=(0, 2, 3), correction=0)
        return mean.float(), torch.where(variance > 0, variance.sqrt(), torch.ones_like(variance)).float()
    values = torch.arange(256, dtype=torch.float64)
    counts = torch.zeros(images.shape[1], 256, dtype=torch.float64)
    for part in torch.split(images, _CHUNK):
        counts += torch.stack([part[:, c].reshape(-1).bincount(minlength=256) for c in range(images.shape[1])])
    share = counts / counts.sum(dim=1, keepdim=True)
    mean = share @ values
    variance = (share * (values - mean[:, None]) ** 2).sum(dim=1)
    std = torch.where(variance > 0, variance.sqrt(), torch.ones_like(variance))
    return mean.float(), std.float()


def _draws(config: TrialConfig, key: Key, replicate: int) -> torch.Generator:
    """Where noisy labels are drawn from, before they are cut to a subset: an example's label depends on no subset."""
    if config.data.noise_draw == "study":
        return generator(config.seed, "study", "labels")
    return generator(config.seed, key, "labels", replicate)


def select_subset(labels: Tensor, subset: Tensor | None) -> Tensor:
    """[N, m, …] of [N, n, …]."""
    return labels if subset is None else labels[torch.arange(len(labels), device=labels.device)[:, None], subset]


def _subset(config: TrialConfig, key: Key, count: int, networks: int) -> Tensor | None:
    """[N, m] int64, rising, of a control that of its replicate; None where all examples are given."""
    if config.data.subset == 1:
        return None
    size = subset_size(config.data, count)
    drawn = [
        torch.randperm(count, generator=generator(config.seed, key, "subset", k)) for k in range(config.replicates)
    ]
    own = torch.stack([order[:size].sort().values for order in drawn])
    return own[torch.arange(networks) % config.replicates]
