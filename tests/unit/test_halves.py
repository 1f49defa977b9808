"""Two halves of the networks: their scores differ as their errors say where networks are independent, else by more."""

import numpy as np
import pytest

from study.answer.halves import agreement_of_halves
from study.answer.memorisation import example_scores
from study.answer.votes import Votes


def votes(networks: int, examples: int, *, repeats: int = 1, seed: int = 0) -> Votes:
    """Networks that are right with chances of each example's own; each is there `repeats` times in a row."""
    random = np.random.default_rng(seed)
    inside, out = random.uniform(0.5, 0.9, examples), random.uniform(0.1, 0.6, examples)
    given = random.random((networks, examples)) < 0.7
    right = random.random((networks, examples)) < np.where(given, inside, out)
    given, right = (np.repeat(part, repeats, axis=0) for part in (given, right))
    label = np.zeros(examples, dtype=np.int64)
    return Votes(given, right, right, label, label)


def test_scores_of_independent_networks_differ_by_one_standard_error() -> None:
    found = agreement_of_halves(votes(200, 4000))
    assert found is not None
    assert found.examples == 4000
    # The standard deviation of a root mean square over 4,000 examples is about 1/√8000 = .011.
    assert found.deviation == pytest.approx(1.0, abs=0.05)
    assert found.correlation is not None
    assert 0.5 < found.correlation < 1.0


def test_it_is_the_formula_on_every_second_network() -> None:
    every = votes(40, 300, seed=1)
    found = agreement_of_halves(every)
    one, other = (
        example_scores(
            Votes(
                every.given_mask[start::2], every.right[start::2], every.truly[start::2], every.label, every.true_label
            )
        )
        for start in (0, 1)
    )
    z = (one["memorisation"] - other["memorisation"]) / np.sqrt(one["se"] ** 2 + other["se"] ** 2)
    assert found is not None
    assert found.examples == z.notna().sum()
    assert found.deviation == pytest.approx(float(np.sqrt((z**2).mean())))
    assert found.correlation == pytest.approx(one["memorisation"].corr(other["memorisation"]))
    assert f"differ by {found.deviation:.2f} standard errors" in found.as_text()


def test_networks_that_are_counted_twice_differ_by_more_than_they_say_and_copies_by_nothing() -> None:
    pairs = votes(100, 2000, repeats=2)  # one of each pair in either half
    same = agreement_of_halves(pairs)
    assert same is not None
    assert same.deviation == 0.0
    fours = agreement_of_halves(votes(100, 2000, repeats=4, seed=2))
    assert fours is not None
    assert fours.deviation == 0.0
    blocks = votes(600, 2000, repeats=2, seed=3)
    order = np.arange(1200).reshape(300, 2, 2).transpose(0, 2, 1).ravel()  # a network twice in one half
    twice = agreement_of_halves(
        Votes(blocks.given_mask[order], blocks.right[order], blocks.truly[order], blocks.label, blocks.true_label)
    )
    assert twice is not None
    assert twice.deviation == pytest.approx(np.sqrt(2), abs=0.08)


def test_too_few_networks_and_one_score_for_all() -> None:
    assert agreement_of_halves(votes(3, 50)) is None
    all_right = np.ones((8, 20), dtype=bool)
    given = np.tile(np.arange(8)[:, None] % 4 < 2, (1, 20))
    label = np.zeros(20, dtype=np.int64)
    found = agreement_of_halves(Votes(given, all_right, all_right, label, label))
    assert found is not None
    assert found.correlation is None
    assert found.deviation == 0.0
    assert "correlate" not in found.as_text()
