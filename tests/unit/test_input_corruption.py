"""Input corruption: what survives of an image."""

import torch

from trainables.data.conditions import INPUT_KINDS
from trainables.data.trial_data import pixel_statistics

IMAGES = torch.randint(0, 256, (50, 3, 4, 5), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
MEAN, STD = pixel_statistics(IMAGES)


def corrupted(inputs: str, number: int = 1, part: str = "train") -> torch.Tensor:
    return INPUT_KINDS.get(inputs)().inputs(IMAGES, MEAN, STD, 7, number, part)


def positions(images: torch.Tensor) -> torch.Tensor:
    """[n, H · W, C], each pixel with its channels, sorted within the image."""
    pixels = images.flatten(2).transpose(1, 2).long()
    code = pixels @ torch.tensor([65536, 256, 1])
    return code.sort(dim=1).values


def test_true_inputs_are_not_copied() -> None:
    assert corrupted("true") is IMAGES


def test_shuffled_pixels_share_one_permutation_over_images_and_splits() -> None:
    train, test = corrupted("shuffled_pixels"), corrupted("shuffled_pixels", part="test")
    assert torch.equal(train, test)
    assert torch.equal(positions(train), positions(IMAGES))
    # One permutation: the same place of every image comes from one place.
    first = train.flatten(2)[:, :, 0]
    assert any(torch.equal(first, IMAGES.flatten(2)[:, :, place]) for place in range(20))
    assert not torch.equal(train, corrupted("shuffled_pixels", number=2))


def test_random_pixels_permute_each_image_by_itself() -> None:
    train = corrupted("random_pixels")
    assert torch.equal(positions(train), positions(IMAGES))
    first = train.flatten(2)[:, :, 0]
    assert not any(torch.equal(first, IMAGES.flatten(2)[:, :, place]) for place in range(20))
    assert not torch.equal(train, corrupted("random_pixels", part="test"))


def test_gaussian_keeps_no_trace_but_the_moments() -> None:
    images = torch.full((2000, 1, 6, 6), 90, dtype=torch.uint8)
    noise = INPUT_KINDS.get("gaussian")().inputs(images, torch.tensor([90.0]), torch.tensor([20.0]), 0, 0, "train")
    mean, std = pixel_statistics(noise)
    # 72,000 draws: 5 standard errors, so a false alarm about once in a million runs of another seed.
    assert abs(mean.item() - 90) < 5 * 20 / 72_000**0.5
    assert abs(std.item() - 20) < 5 * 20 / (2 * 72_000) ** 0.5


def test_pixel_statistics_are_exact_and_never_zero() -> None:
    values = IMAGES.double().transpose(0, 1).flatten(1)
    torch.testing.assert_close(MEAN, values.mean(dim=1).float())
    torch.testing.assert_close(STD, values.std(dim=1, correction=0).float())
    assert pixel_statistics(torch.zeros(2, 1, 2, 2, dtype=torch.uint8))[1].item() == 1
