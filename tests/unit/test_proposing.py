"""What is proposed: balance, coverage, and that every proposal can be computed again."""

import math
import pickle
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_spaces.named.redundancy import SPACE
from search_spaces.space import Choices, Range
from study.config import StudyConfig
from study.config.seen import expand
from study.errors import UsageError
from study.ledger import Proposal, TrialRow
from study.proposing import Proposer
from study.sampling.factorial import BalancedFactorial
from study.sampling.points import value
from tests.studies_for_tests import TUNED, a_study

pytestmark = pytest.mark.slow

EVERY_LAYOUT = ("design", "grid", "qmc", "random")


@pytest.mark.parametrize("seed", range(6))
def test_the_redundancy_study_is_exactly_balanced(seed: int) -> None:
    proposer = Proposer(StudyConfig(space=SPACE, seed=seed))
    trials = [proposer.propose(number).params for number in range(48)]
    for order in (1, 2):
        for names in combinations(SPACE.span, order):
            counts = Counter(tuple(trial[name] for name in names) for trial in trials[:24])
            assert len(counts) == math.prod(len(SPACE.span[name].corners()) for name in names)
            assert len(set(counts.values())) == 1, names
    for start in range(0, 48, 6):
        cells = {(t["data.label_noise"], t["compression.criterion"]) for t in trials[start : start + 6]}
        assert len(cells) == 6
    assert len({tuple(trial.values()) for trial in trials}) == 48


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=0, max_size=5), st.integers(0, 10**6))
def test_every_cell_comes_once_a_cycle_and_every_block_holds_all_leading_pairs(sizes: list[int], seed: int) -> None:
    factorial = BalancedFactorial(sizes, seed)
    count = min(2 * factorial.cells, 300)
    points = [factorial.point(index) for index in range(count)]
    for start in range(0, count, factorial.cells):
        cycle = points[start : start + factorial.cells]
        assert len(set(cycle)) == len(cycle)
    block = math.prod(sizes[:2])
    for start in range(0, count - block + 1, block):
        assert len({point[:2] for point in points[start : start + block]}) == block


@pytest.mark.parametrize("sizes", [(3, 4, 5, 2, 3), (2, 2, 2, 2, 2, 2, 2, 2), (4, 4, 4, 4)])
def test_beginnings_of_large_factorials_are_far_more_even_than_chance(sizes: tuple[int, ...]) -> None:
    factorial = BalancedFactorial(sizes, seed=0)
    draws = np.random.default_rng(0)
    for count in (24, 60, 120):
        planned = np.array([factorial.point(index) for index in range(count)])
        chance = np.stack([draws.integers(size, size=count) for size in sizes], axis=1)
        assert spread(planned, sizes, 1) <= 2
        assert spread(planned, sizes, 2) < 0.7 * spread(chance, sizes, 2)


def spread(points: "np.ndarray[tuple[int, int], np.dtype[np.int64]]", sizes: tuple[int, ...], order: int) -> int:
    """Largest difference between how often two levels (or pairs of levels) came."""
    worst = 0
    for factors in combinations(range(len(sizes)), order):
        shape = [sizes[factor] for factor in factors]
        index = np.ravel_multi_index([points[:, factor] for factor in factors], shape)
        counts = np.bincount(index, minlength=math.prod(shape))
        worst = max(worst, int(counts.max() - counts.min()))
    return worst


@pytest.mark.parametrize("sampler", EVERY_LAYOUT)
def test_a_laid_out_trial_depends_on_its_number_alone(sampler: str, tmp_path: Path) -> None:
    config = a_study(tmp_path, sampler=sampler, seed=3)
    forward = [Proposer(config).propose(number) for number in range(6)]
    proposer = Proposer(config.model_copy(update={"trials": 1}))
    backward = [pickle.loads(pickle.dumps(proposer)).propose(number) for number in reversed(range(6))]
    assert forward == backward[::-1]
    assert [proposal.number for proposal in forward] == list(range(6))
    assert {proposal.role for proposal in forward} == {"design"}


@pytest.mark.parametrize("sampler", ["design", "qmc", "random"])
def test_another_seed_is_another_plan(sampler: str, tmp_path: Path) -> None:
    span = {**TUNED, "data.label_noise": Choices(values=(0, 1))}
    one, two = (Proposer(a_study(tmp_path, sampler=sampler, span=span, seed=seed)) for seed in (1, 2))
    assert [one.propose(n).params for n in range(4)] != [two.propose(n).params for n in range(4)]


def test_a_design_balances_lists_while_ranges_fill_their_space(tmp_path: Path) -> None:
    span = {"model.width": Range(low=16, high=512, log=True), "data.label_noise": Choices(values=(0, 0.5, 1, 0.25))}
    proposer = Proposer(a_study(tmp_path, span=span))
    trials = [proposer.propose(number).params for number in range(64)]
    assert set(Counter(trial["data.label_noise"] for trial in trials).values()) == {16}
    octaves = Counter(min(int(math.log2(trial["model.width"] / 16)), 4) for trial in trials)
    assert all(11 <= octaves[octave] <= 15 for octave in range(5)), "64 points of a Sobol sequence over 5 octaves"


def test_a_huge_factorial_is_still_proposed(tmp_path: Path) -> None:
    names = ("model.width", "training.epochs", "training.batch_size", "compression.depth", "replicates")
    span = {name: Choices(values=tuple(range(1, 13))) for name in names}
    trials = [Proposer(a_study(tmp_path, span=span)).propose(number).params for number in (0, 1, 5000)]
    assert len({tuple(trial.values()) for trial in trials}) == 3
    assert all(set(trial) == set(names) for trial in trials)


def test_a_grid_is_every_cell_once_and_no_more(tmp_path: Path) -> None:
    proposer = Proposer(a_study(tmp_path, sampler="grid"))
    cells = [tuple(proposer.propose(number).params.values()) for number in range(6)]
    assert cells == [(noise, width) for noise in (0, 0.5, 1) for width in (16, 32)]
    with pytest.raises(UsageError, match="6 cells"):
        proposer.propose(6)
    with pytest.raises(UsageError, match=r"6 cells.*--trials 6"):
        Proposer(a_study(tmp_path, sampler="grid", trials=7))
    with pytest.raises(UsageError, match=r"model\.width spans a range"):
        Proposer(a_study(tmp_path, sampler="grid", span=TUNED, trials=2))


def test_explicit_configurations_come_first(tmp_path: Path) -> None:
    own = ({"model.width": 7}, {"model.width": 9, "data.label_noise": 0.1})
    proposer = Proposer(a_study(tmp_path, configurations=own))
    assert [proposer.propose(number).params for number in range(2)] == [*own]
    assert proposer.propose(2).params == Proposer(a_study(tmp_path)).propose(0).params


@pytest.mark.parametrize(
    "spanned",
    [Range(low=1, high=4), Range(low=1, high=4, log=True), Range(low=0.5, high=2.0), Choices(values=(None, "a", 3))],
)
def test_values_cover_their_range_and_never_leave_it(spanned: Range | Choices) -> None:
    values = [value(spanned, unit) for unit in (0.0, *np.linspace(0, 1, 999, endpoint=False), np.nextafter(1, 0))]
    if isinstance(spanned, Choices):
        assert set(values) == set(spanned.values)
    elif isinstance(spanned.low, int):
        assert set(values) == {1, 2, 3, 4}
        assert all(type(found) is int for found in values)
    else:
        assert min(values) == 0.5
        assert 1.99 < max(values) <= 2.0


def ended(proposal: Proposal) -> TrialRow:
    """The row of a trial that ended, with an optimum at width 64 and one failure in seven."""
    number = proposal.number or 0
    score = -abs(math.log(proposal.params["model.width"] / 64))
    metrics = {"contrast/auc": score, "control/val/accuracy": -proposal.params["training.lr"]}
    return TrialRow(
        number=number,
        state="FAILED" if number % 7 == 3 else "COMPLETE",
        role="explore",
        params={},
        metrics=metrics if number % 5 else {},
        notes={},
        attempts=1,
        uid="",
        mlflow_run_id=None,
        fingerprint="",
        duration_s=1.0,
        error=None,
        proposed=proposal.params,
        seen=proposal.seen,
    )


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3"])
def test_an_interrupted_adaptive_study_with_one_slot_goes_on_as_if_nothing_had_happened(
    sampler: str, tmp_path: Path
) -> None:
    config = a_study(tmp_path, sampler=sampler, span=TUNED)
    straight, broken = [Proposer(config), Proposer(config)]
    rows: list[TrialRow] = []
    for number in range(120):
        proposal = straight.propose(number, rows)
        if number % 29 == 0:
            broken = Proposer(config)
        # a resumed study knows how n − 1 ended before it asks for n, an undisturbed one asks while n − 1 runs
        assert broken.propose(number, rows[: number - 1] if number % 2 else rows) == proposal
        assert proposal.seen == (f"0-{number - 2}" if number > 2 else "0" if number == 2 else "")
        rows.append(ended(proposal))


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "nsga3"])
def test_every_adaptive_proposal_can_be_replayed_from_what_it_had_seen(sampler: str, tmp_path: Path) -> None:
    config = a_study(tmp_path, sampler=sampler, span=TUNED)
    proposer, draws = Proposer(config), np.random.default_rng(0)
    proposals: list[Proposal] = []
    running: list[TrialRow] = []
    rows: list[TrialRow] = []
    for number in range(160):
        proposals.append(proposer.propose(number, rows))
        running.append(ended(proposals[-1]))
        if len(running) == 4:  # slots
            rows.append(running.pop(int(draws.integers(4))))
    by_number = {row.number: row for row in rows}
    for number in (5, 70, 130, 159):
        seen = [by_number[known] for known in expand(proposals[number].seen or "")]
        assert Proposer(config).propose(number, seen) == proposals[number]
    assert len({repr(proposal.params) for proposal in proposals[-40:]}) > 20, "it does not repeat itself"


def test_tpe_learns(tmp_path: Path) -> None:
    proposer = Proposer(a_study(tmp_path, sampler="tpe", span=TUNED))
    rows: list[TrialRow] = []
    for number in range(80):
        rows.append(ended(proposer.propose(number, rows)))
    early, late = (
        [abs(math.log2(row.proposed["model.width"] / 64)) for row in part] for part in (rows[:10], rows[-20:])
    )
    assert np.mean(late) < 0.5 * np.mean(early)


def test_an_adaptive_sampler_needs_something_to_choose(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nothing to choose"):
        Proposer(a_study(tmp_path, sampler="tpe", span={}))
