"""What a trial gets of its data: splits, pairing, labels."""

from pathlib import Path
from typing import Any

import pytest
import torch

from trainables.config import TrialConfig
from trainables.data.loading import load_split, prepare
from trainables.data.trial_data import TrialData, trial_data
from trainables.noises.renamed import Renamed
from trainables.seeding import generator

NOWHERE = Path("no-data-needed")


def digits(number: int = 0, replicates: int = 3, control: bool = True, seed: int = 0, **data: Any) -> TrialData:
    config = TrialConfig.model_validate({"data": data, "replicates": replicates, "control": control, "seed": seed})
    return trial_data(config, number, NOWHERE)


def test_shapes_and_orders_of_a_noisy_trial() -> None:
    data = digits(label_noise=0.5)
    assert data.images.shape == (1, 1000, 1, 8, 8)
    assert data.images.dtype == torch.uint8
    assert data.val_images.shape == (1, 400, 1, 8, 8)
    assert data.test_images.shape == (1, 397, 1, 8, 8)
    assert data.labels.shape == data.kept_mask.shape == (6, 1000)
    assert torch.equal(data.labels[3:], data.true_labels.expand(3, -1)), "controls see the truth"
    assert data.kept_mask[3:].all()
    assert torch.equal(data.kept_mask, data.labels == data.true_labels)
    assert len({tuple(row.tolist()) for row in data.labels[:3]}) == 3, "replicates draw their own noise"
    torch.testing.assert_close(data.changed_share, (data.labels != data.true_labels).double().mean(dim=1))
    counts = torch.stack([row.bincount(minlength=10) for row in data.labels])
    torch.testing.assert_close(data.chance, counts.max(dim=1).values / 1000, check_dtype=False)
    assert data.source.tolist() == [0] * 6
    assert data.iid_test_labels is None


def test_clean_data_have_no_controls() -> None:
    data = digits(label_noise=0)
    assert data.labels.shape == (3, 1000)
    assert data.changed_share.tolist() == [0, 0, 0]


def test_corrupted_inputs_leave_the_controls_the_true_ones() -> None:
    data, true = digits(inputs="random_pixels"), digits()
    assert data.images.shape[0] == data.val_images.shape[0] == data.test_images.shape[0] == 2
    assert data.source.tolist() == [0, 0, 0, 1, 1, 1]
    for name in ("images", "val_images", "test_images"):
        assert torch.equal(getattr(data, name)[1], getattr(true, name)[0])
        assert not torch.equal(getattr(data, name)[0], getattr(true, name)[0])
    assert torch.equal(data.mean, true.mean)
    alone = digits(inputs="random_pixels", control=False)
    assert alone.images.shape[0] == 1
    assert torch.equal(alone.images[0], data.images[0])


def test_more_replicates_leave_the_first_ones_alone() -> None:
    assert torch.equal(digits(label_noise=1, replicates=5).labels[:3], digits(label_noise=1, replicates=3).labels[:3])


def test_trials_share_the_split_and_draw_their_own_noise() -> None:
    one, two = digits(number=1, label_noise=1), digits(number=2, label_noise=1)
    assert torch.equal(one.images, two.images)
    assert not torch.equal(one.labels, two.labels)
    again = digits(number=1, label_noise=1)
    assert torch.equal(one.labels, again.labels)
    assert not torch.equal(one.true_labels, digits(seed=1, label_noise=1).true_labels)


def test_renamed_labels_extend_to_the_test_split() -> None:
    data = digits(number=4, label_noise=0.5, noise_kind="renamed")
    assert data.iid_test_labels is not None
    for k in range(3):
        names = Renamed().renaming(0.5, 10, generator(0, 4, "labels", k))
        assert torch.equal(data.labels[k], names[data.true_labels])
        assert torch.equal(data.iid_test_labels[k], names[data.test_labels])


def test_a_smaller_training_size_is_a_subset_with_the_same_validation_and_test() -> None:
    small, large = digits(train_size=100), digits()
    assert torch.equal(small.images[0], large.images[0, :100])
    assert torch.equal(small.val_images, large.val_images)
    assert torch.equal(small.test_labels, large.test_labels)


def test_a_process_reads_a_split_once() -> None:
    noisy, clean = TrialConfig.model_validate({"data": {"label_noise": 1}}), TrialConfig()
    assert load_split(noisy.data, 0, NOWHERE) is load_split(clean.data, 0, NOWHERE)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"split": (1500, 200, 200)}, "asks for 1,900 examples, but digits has 1,797"),
        ({"train_size": 1001}, "more than the 1,000 training examples of digits"),
        ({"name": "image_folder"}, "needs data.image_folder.path"),
    ],
)
def test_too_much_is_refused_before_any_work(data: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        prepare(TrialConfig.model_validate({"data": data}).data, NOWHERE)


def test_prepare_says_what_trials_will_have() -> None:
    assert prepare(TrialConfig.model_validate({"data": {"train_size": 50}}).data, NOWHERE) == (50, 400, 397)


def test_mnist_is_fifty_five_five_and_ten_thousand(mnist_dir: Path) -> None:
    config = TrialConfig.model_validate({"data": {"name": "mnist", "train_size": 64}, "replicates": 1})
    assert prepare(TrialConfig.model_validate({"data": {"name": "mnist"}}).data, mnist_dir) == (55_000, 5_000, 10_000)
    data = trial_data(config, 0, mnist_dir)
    assert data.images.shape == (1, 64, 1, 28, 28)
    assert data.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    with pytest.raises(ValueError, match="asks for 10,001 test examples, but mnist has 10,000"):
        prepare(TrialConfig.model_validate({"data": {"name": "mnist", "split": (1, 1, 10_001)}}).data, mnist_dir)


def test_copies_of_an_example_have_noisy_labels_of_their_own() -> None:
    data = digits(label_noise=0.5, copies=3)
    assert data.images.shape == (1, 3000, 1, 8, 8)
    assert torch.equal(data.images[0, :1000], data.images[0, 2000:])
    assert torch.equal(data.true_labels[:1000], data.true_labels[1000:2000])
    assert data.labels.shape == (6, 3000)
    assert not torch.equal(data.labels[0, :1000], data.labels[0, 1000:2000])
    assert torch.equal(data.labels[3], data.true_labels)
    assert data.changed_share[0].item() == pytest.approx(0.45, abs=0.05)
    assert data.val_images.shape == (1, 400, 1, 8, 8)
    assert torch.equal(digits(label_noise=0.5, copies=1).labels, digits(label_noise=0.5).labels)
