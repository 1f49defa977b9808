"""Influence of training examples on test examples, against the definition and where the truth is known."""

import numpy as np
import pytest
from scipy.stats import fisher_exact

from study.answer import influence as module
from study.answer.influence import influence


def drawn(networks: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """60 training and 40 test examples; test example 7 is right if 3 is given (half of the others), 9 if 11 is."""
    random = np.random.default_rng(seed)
    given = random.random((networks, 60)) < 0.7
    tested = random.random((networks, 40)) < np.linspace(0.1, 0.99, 40)
    tested[:, 7] = given[:, 3] | (random.random(networks) < 0.5)
    tested[:, 9] = given[:, 11]
    return given, tested


@pytest.mark.parametrize("pairs", [1 << 23, 100])
def test_it_is_the_definition_at_its_largest(pairs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAIRS", pairs)
    given, tested = drawn(50)
    given[:, 5] = True
    found = influence(given, tested)
    for i in range(60):
        inside = given[:, i]
        if i == 5:
            assert np.isnan(found.largest[i])
            continue
        each = tested[inside].mean(axis=0) - tested[~inside].mean(axis=0)
        assert found.largest[i] == pytest.approx(each.max())
        assert found.on[i] == each.argmax()
    n1, n0 = given[:, 3].sum(), (~given[:, 3]).sum()
    j = found.on[3]
    p1, p0 = ((tested[some, j].sum() + 0.5) / (some.sum() + 1) for some in (given[:, 3], ~given[:, 3]))
    assert found.errors[3] == pytest.approx((p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) ** 0.5)
    own = tested[given[:, 3], j].sum()
    table = [[own, tested[:, j].sum() - own], [n1 - own, n0 - tested[:, j].sum() + own]]
    assert found.chance[3] == pytest.approx(fisher_exact(table, alternative="greater").pvalue)
    assert not found.certain[5]


def test_few_networks_are_certain_of_nothing_among_very_many_pairs() -> None:
    random = np.random.default_rng(0)
    found = influence(random.random((20, 2000)) < 0.5, random.random((20, 1000)) < 0.5)
    assert (found.largest == 1).any(), "pure chance"
    assert not found.certain.any()


def test_what_influences_is_found_and_chance_is_not_taken_for_it() -> None:
    alarms = 0
    for seed in range(20):
        found = influence(*drawn(400, seed))
        assert (found.on[3], found.on[11]) == (7, 9)
        assert found.largest[3] == pytest.approx(0.5, abs=0.15)
        assert found.largest[11] == 1
        assert found.certain[[3, 11]].all()
        alarms += bool(np.delete(found.certain, [3, 11]).any())
    assert alarms <= 4, "one in twenty, about"
