"""Draws keyed by what they are for, and studies whose instruments meet the same dense networks."""

import sqlite3
from pathlib import Path

import pytest
import torch

from search_spaces import catalog
from search_spaces.space import Choices, Range, SearchSpace
from study.config import StudyConfig
from study.ledger import Ledger, Proposal
from study.proposing import Proposer
from tests import engine
from tests.studies_for_tests import a_ledger, a_study
from trainables.data.trial_data import trial_data
from trainables.trial import TrialContext

CROSSING = {
    "data.label_noise": Choices(values=(0.5, 1)),
    "compression.method": Choices(values=("prune", "distill")),
    "compression.criterion": Choices(values=("random", "magnitude_l2"), when={"compression.method": ("prune",)}),
}


def crossing(home: Path, **fields: object) -> StudyConfig:
    space = SearchSpace(base={"compression.distill.epochs": 2}, span=CROSSING, crossed=("compression",))
    return StudyConfig.model_validate({"name": "crossed", "trials": 9, "space": space, "run": {"home": home}, **fields})


def test_a_trial_without_a_cell_has_the_draws_that_it_always_had() -> None:
    context, config = TrialContext(3, Path("unused")), engine.config()
    assert context.key(config) == 3, "tests/golden holds the draws under it"


def test_a_key_in_a_cell_says_all_that_shapes_the_dense_networks_and_nothing_else() -> None:
    def key(cell: str = "cell 3", **fields: object) -> object:
        return TrialContext(7, Path("unused"), cell=cell).key(engine.config(**fields))

    same = {"compression.criterion": "random"}, {"compression.depth": 4}, {"replicates": 5}, {"control": False}
    assert {key(**fields) for fields in same} == {key()}
    others = {"model.width": 13}, {"training.lr": 0.2}, {"data.label_noise": 1.0}
    assert len({key(), key(cell="cell 4"), *(key(**fields) for fields in others)}) == 5


def test_trials_of_a_cell_get_the_same_labels_whatever_their_number_and_instrument() -> None:
    def labels(number: int, cell: str | None, **fields: object) -> torch.Tensor:
        config = engine.config(**fields)
        return trial_data(config, TrialContext(number, Path("unused"), cell=cell).key(config), Path("unused")).labels

    first = labels(0, "cell 1")
    assert torch.equal(first, labels(5, "cell 1", **{"compression.criterion": "random"}))
    assert torch.equal(first[:3], labels(1, "cell 1", replicates=4)[:3]), "more replicates leave the earlier ones"
    assert not torch.equal(first, labels(0, "cell 2"))
    assert not torch.equal(labels(0, None), labels(1, None))


@pytest.mark.parametrize("sampler", ["design", "grid", "qmc", "random"])
def test_a_cell_meets_every_instrument_once(tmp_path: Path, sampler: str) -> None:
    trials = 6 if sampler == "grid" else 9
    proposer = Proposer(crossing(tmp_path, sampler=sampler, trials=trials))
    found = [proposer.propose(number) for number in range(trials)]
    for block in range(0, trials, 3):
        cell = found[block : block + 3]
        assert {proposal.cell for proposal in cell} == {f"cell {block // 3}"}
        assert len({proposal.params["data.label_noise"] for proposal in cell}) == 1
        instruments = [(p.params["compression.method"], p.params.get("compression.criterion")) for p in cell]
        assert sorted(map(str, instruments)) == [
            "('distill', None)", "('prune', 'magnitude_l2')", "('prune', 'random')",
        ]  # fmt: skip


def test_the_criteria_study_trains_one_cell_and_the_default_one_a_cell_a_trial(tmp_path: Path) -> None:
    def cells(name: str, trials: int) -> list[str | None]:
        config = StudyConfig(name=name, space=catalog.get(name), trials=trials)
        proposer = Proposer(config)
        return [proposer.propose(number).cell_as(number, config.draws) for number in range(trials)]

    assert cells("criteria", 72) == ["cell 0"] * 36 + ["cell 1"] * 36
    assert cells("redundancy", 24) == [f"trial {number}" for number in range(24)]
    seen = {repr(Proposer(StudyConfig(space=catalog.get("criteria"))).propose(number).params) for number in range(36)}
    assert len(seen) == 36


def test_what_was_put_in_by_hand_has_a_cell_of_its_own_and_the_blocks_go_on(tmp_path: Path) -> None:
    config = crossing(tmp_path)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    proposer = Proposer(config)
    ledger.propose([proposer.propose(number) for number in range(2)])
    ledger.propose([Proposal({"data.label_noise": 1.0}, number=2, added=True)])
    ledger.propose([proposer.propose(number, added=1) for number in (3, 4)])
    assert [row.cell for row in ledger.trials()] == ["cell 0", "cell 0", "trial 2", "cell 0", "cell 1"]


def test_a_study_from_before_there_were_cells_keeps_its_draws(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    connection = sqlite3.connect(path)
    connection.executescript((Path(__file__).parents[1] / "golden" / "ledgers" / "version_3.sql").read_text())
    connection.close()
    stored = Ledger.open(f"sqlite:///{path}", "tiny")
    assert stored.config.draws == "number"
    asked = stored.config.model_copy(
        update={"draws": "cell", "space": stored.config.space.model_copy(update={"crossed": ("compression",)})}
    )
    stored.close()
    again = Ledger.create(f"sqlite:///{path}", asked)
    assert (again.config.draws, again.config.space.crossed) == ("number", ())
    again.acquire()
    assert (again.config.draws, again.config.space.crossed) == ("number", ())
    (row,) = again.propose([Proposer(again.config).propose(again.next_number())])
    assert [row.cell for row in again.trials()] == [None] * (row.number + 1)
    again.close()


def test_what_is_crossed_is_part_of_a_study_and_the_draws_are_not(tmp_path: Path) -> None:
    config = crossing(tmp_path)
    plain = config.model_copy(update={"space": config.space.model_copy(update={"crossed": ()})})
    assert "crossed" not in plain.identity()["space"], "studies that cross nothing stay what they were"
    assert config.fingerprint() != plain.fingerprint()
    assert plain.fingerprint() == plain.model_copy(update={"draws": "number"}).fingerprint()
    assert a_ledger(tmp_path, 1).trial(0).cell == "trial 0"
    assert a_study(tmp_path).draws == "cell"


@pytest.mark.parametrize(
    ("crossed", "message"),
    [
        ("model.width", "model.width shapes the dense networks"),
        ("compression.critreion", r"no field 'compression.critreion'\. Did you mean 'compression.criterion'"),
        ("compression.target_ratio", "needs a list of values, not a range"),
    ],
)
def test_what_can_not_be_crossed_is_refused(crossed: str, message: str) -> None:
    span = {"compression.target_ratio": Range(low=4.0, high=16.0)}
    with pytest.raises(ValueError, match=message):
        SearchSpace(span=span, crossed=(crossed,))
