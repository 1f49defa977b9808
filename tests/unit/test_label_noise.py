"""Label noise: what each kind may and may not do."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainables.data.conditions import NOISES
from trainables.noises.renamed import Renamed
from trainables.seeding import generator

KINDS = ("uniform", "wrong", "permuted", "renamed")
LABELS = torch.arange(1000) % 10
NUMBERS = torch.stack([torch.arange(1000.0), -torch.arange(1000.0)], dim=1)


def noisy(kind: str, share: float, draw: int = 0) -> torch.Tensor:
    return NOISES.get(kind)().labels(LABELS, share, 10, generator(0, draw))


@pytest.mark.parametrize("kind", KINDS)
def test_no_noise_changes_nothing_and_the_input_is_left_alone(kind: str) -> None:
    assert torch.equal(noisy(kind, 0.0), LABELS)
    noisy(kind, 1.0)
    assert torch.equal(LABELS, torch.arange(1000) % 10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_generator_gives_the_same_labels_and_another_one_others(kind: str) -> None:
    assert torch.equal(noisy(kind, 0.5), noisy(kind, 0.5))
    assert not torch.equal(noisy(kind, 0.5), noisy(kind, 0.5, draw=1))


@pytest.mark.parametrize("kind", ["uniform", "wrong"])
def test_noise_is_nested(kind: str) -> None:
    little, much = noisy(kind, 0.2), noisy(kind, 0.6)
    changed = little != LABELS
    assert torch.equal(little[changed], much[changed])


def test_wrong_at_one_leaves_no_label_right() -> None:
    assert (noisy("wrong", 1.0) != LABELS).all()


@given(share=st.floats(0, 1))
def test_permuted_keeps_the_class_counts_and_touches_at_most_its_share(share: float) -> None:
    labels = noisy("permuted", share)
    assert torch.equal(labels.bincount(minlength=10), LABELS.bincount(minlength=10))
    assert int((labels != LABELS).sum()) <= int(share * 1000 + 0.5)


@given(share=st.floats(0.001, 1), classes=st.integers(2, 20), draw=st.integers(0, 5))
def test_renaming_is_a_bijection_that_moves_its_share_of_classes(share: float, classes: int, draw: int) -> None:
    names = Renamed().renaming(share, classes, generator(draw))
    assert sorted(names.tolist()) == list(range(classes))
    assert int((names != torch.arange(classes)).sum()) == max(2, int(share * classes + 0.5))


def test_renamed_labels_follow_one_rule() -> None:
    labels = noisy("renamed", 0.5)
    assert torch.equal(labels, Renamed().renaming(0.5, 10, generator(0, 0))[LABELS])
    assert int((labels != LABELS).sum()) == 500


def test_expected_iid_accuracy_by_the_formulas() -> None:
    expected = {kind: NOISES.get(kind)().iid_accuracy(0.5, 0.9, 10) for kind in KINDS}
    assert expected.pop("uniform") == pytest.approx(0.5 * 0.9 + 0.05)
    assert expected.pop("wrong") == pytest.approx(0.5 * 0.9 + 0.5 * 0.1 / 9)
    assert set(expected.values()) == {None}


def noisy_pairs(kind: str, share: float, draw: int = 0) -> torch.Tensor:
    return NOISES.get(kind)().numbers(NUMBERS, share, generator(0, draw))


@pytest.mark.parametrize("kind", ["uniform", "permuted"])
def test_noisy_numbers_are_numbers_of_other_examples(kind: str) -> None:
    before = NUMBERS.clone()
    assert torch.equal(noisy_pairs(kind, 0.0), NUMBERS)
    noisy = noisy_pairs(kind, 0.7)
    assert torch.equal(noisy, noisy_pairs(kind, 0.7))
    assert not torch.equal(noisy, noisy_pairs(kind, 0.7, draw=1))
    assert torch.equal(noisy[:, 0], -noisy[:, 1]), "the outputs of an example stay together"
    assert set(noisy[:, 0].tolist()) <= set(NUMBERS[:, 0].tolist())
    assert float((noisy != NUMBERS).all(dim=1).double().mean()) == pytest.approx(0.7, abs=0.05)
    assert torch.equal(NUMBERS, before)


def test_permuted_numbers_are_the_same_numbers() -> None:
    for share in (0.3, 1.0):
        noisy = noisy_pairs("permuted", share)
        assert torch.equal(noisy[:, 0].sort().values, NUMBERS[:, 0])
        assert int((noisy != NUMBERS).any(dim=1).sum()) <= share * 1000


def test_noise_of_numbers_is_nested() -> None:
    little, much = noisy_pairs("uniform", 0.2), noisy_pairs("uniform", 0.6)
    changed = (little != NUMBERS).any(dim=1)
    assert torch.equal(little[changed], much[changed])
    little, much = noisy_pairs("permuted", 0.2), noisy_pairs("permuted", 0.6)
    untouched = (much == NUMBERS).all(dim=1)
    assert float((little[untouched] == NUMBERS[untouched]).double().mean()) > 0.99
