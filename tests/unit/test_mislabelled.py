"""The estimated share of wrong labels: it covers the truth as often as it says, and is not the memorised share."""

import numpy as np
import pytest

from study.answer.memorisation import memorisation
from study.answer.mislabelled import mislabelled_shares
from study.answer.votes import Votes


def votes(wrong: float, *, seed: int = 0, networks: int = 60, count: int = 600, told: float = 0.05) -> Votes:
    """Networks that fit what they are given; left out they say the true label unless the example is rare.

    One example in ten is rare: its true label is said by no network that was not given it. A network that was not given
    a wrong label says it with probability `told`; at .95 wrong and right labels look alike.
    """
    random = np.random.default_rng(seed)
    true = np.zeros(count, dtype=np.int64)
    label = np.where(random.random(count) < wrong, 1, true)
    rare = random.random(count) < 0.1
    given = random.random((networks, count)) < 0.7
    luck = random.random((networks, count))
    right = np.where(label == true, np.where(rare, luck < 0.2, luck < 0.95), luck < told)
    right = np.where(given, True, right)
    return Votes(given, right, np.where(label == true, right, ~right), label, true)


@pytest.mark.parametrize("wrong", [0.05, 0.3, 0.9])
def test_the_interval_covers_the_realised_share(wrong: float) -> None:
    covered, widths = 0, []
    for seed in range(40):
        one = votes(wrong, seed=seed, count=1500)
        (found,) = mislabelled_shares([(one, False)])
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= one.has_changed_label.mean() <= found.high
        widths.append(found.high - found.low)
    assert covered >= 34
    assert np.mean(widths) < 0.25


def test_without_wrong_labels_it_is_none_of_them_though_rare_ones_are_memorised() -> None:
    clean, noisy = votes(0.0, seed=1), votes(0.2, seed=2)
    found, _ = mislabelled_shares([(clean, False), (noisy, False)])
    assert found.value is not None
    assert found.low == 0
    assert found.value < 0.05
    share = memorisation(clean).share.value
    assert share is not None
    assert share > 0.1, "which the memorised share is not"


def test_renamed_classes_are_no_wrong_labels() -> None:
    clean, noisy = votes(0.0, seed=1), votes(0.2, seed=2)
    renamed = Votes(clean.given_mask, clean.right, ~clean.right, 1 - clean.label, clean.true_label)
    found, *_ = mislabelled_shares([(renamed, True), (noisy, False), (clean, False)])
    assert found.value is not None
    assert found.value < 0.05
    assert found.low == 0


def test_where_wrong_and_right_labels_look_alike_nothing_is_said() -> None:
    (found,) = mislabelled_shares([(votes(0.9, told=0.88), False)])
    assert found.low == 0
    assert found.high == 1


def test_without_known_changes_there_is_none() -> None:
    assert mislabelled_shares([(votes(0.0), False)])[0].value is None
