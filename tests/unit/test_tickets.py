"""Tickets in files: written by one trial, trained by another."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import config, records
from trainables.compression.combinations import check
from trainables.compression.course import new_workspace
from trainables.compression.tickets import Tickets, configured_tickets, winning_tickets
from trainables.config import TrialConfig
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress
from trainables.trial import TrialContext, run_to_level
from trainables.workspace import Workspace

SOURCE = {
    "compression__granularity": "weight",
    "compression__criterion": "magnitude_l1",
    "compression__recovery": "rewind",
    "compression__recovery_epochs": 4,
    "data__label_noise": 0.0,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tickets") / "tickets.safetensors"
    winning_tickets(finish(run_to_level(config(**SOURCE), TrialContext(0, Path("unused")), 2))).write(path)
    return path


def taking(file: Path, **fields: Any) -> TrialConfig:
    return config(**{**SOURCE, "compression__depth": 1, "compression__ticket": str(file), **fields})


def workspace_of(trial: TrialConfig, number: int = 5) -> Workspace:
    return new_workspace(trial, number, trial_data(trial, number, Path("unused")), Progress(trial, number, None))


def test_a_ticket_is_where_its_network_started_and_what_was_kept(file: Path) -> None:
    tickets = Tickets.read(file)
    source = config(**SOURCE)
    workspace = workspace_of(source, number=0)
    for name, tensor in workspace.initial().tensors().items():
        assert torch.equal(tickets.weights[name], tensor)
    layers = [name for name in workspace.initial().tensors() if name in tickets.masks]
    kept = [int(tickets.masks[name][0].sum()) for name in layers]
    assert kept == list(workspace.level_weights[2])


@pytest.mark.parametrize("recovery", ["reinit", "shuffled"])
@pytest.mark.parametrize("level", [1, 2])
def test_the_tickets_of_a_trial_of_controls_are_those_that_they_are_controls_of(recovery: str, level: int) -> None:
    def tickets_under(recovery: str) -> Tickets:
        trial = config(**{**SOURCE, "compression__recovery": recovery})
        return winning_tickets(finish(run_to_level(trial, TrialContext(0, Path("unused")), level)))

    expected, tickets = tickets_under("rewind"), tickets_under(recovery)
    assert all(torch.equal(tickets.masks[name], mask) for name, mask in expected.masks.items())
    assert all(torch.equal(tickets.weights[name], tensor) for name, tensor in expected.weights.items())


@pytest.mark.parametrize("recovery", ["rewind", "shuffled"])
def test_a_ticket_handed_on_is_the_same_ticket(file: Path, recovery: str) -> None:
    trial = taking(file, compression__recovery=recovery)
    first, again = Tickets.read(file), winning_tickets(finish(run_to_level(trial, TrialContext(5, Path("unused")), 1)))
    assert all(torch.equal(again.masks[name], mask) for name, mask in first.masks.items())
    assert all(torch.equal(again.weights[name], tensor) for name, tensor in first.weights.items())


@pytest.mark.parametrize("recovery", ["rewind", "shuffled"])
def test_another_trial_trains_it_with_its_own_data_and_optimizer(file: Path, recovery: str) -> None:
    trial = taking(file, compression__recovery=recovery, training__optimizer="adam", training__lr=1e-12)
    workspace = finish(run_to_level(trial, TrialContext(5, Path("unused")), 1))
    tickets = Tickets.read(file)
    masks = workspace.progress.kept_values["masks"]
    same = all(torch.equal(masks[name], mask) for name, mask in tickets.masks.items())
    assert same == (recovery == "rewind")
    for name, tensor in workspace.networks_here().tensors().items():
        expected = tickets.weights[name]
        if name in masks:
            expected = expected * masks[name]
        assert torch.allclose(tensor, expected, atol=1e-8), "the rate is next to 0: it stays where it started"
    row = workspace.progress.rows[-1]
    whole = sum(mask[0].numel() for mask in masks.values())
    kept = sum(int(mask[0].sum()) for mask in masks.values())
    assert row["parameters"] == 64 * 12 + 12 + 12 * 12 + 12 + 130 - whole + kept


def test_twins_have_the_same_ticket_and_the_scratch_arm_the_same_mask(file: Path) -> None:
    trial = taking(file, data__label_noise=0.5, replicates=2)
    tickets = configured_tickets(workspace_of(trial))
    assert tickets is not None
    assert all(torch.equal(mask[:2], mask[2:]) for mask in tickets.masks.values())
    rows = records(trial, number=5)[-1].networks
    sizes = {row["parameters"] for row in rows if row["level"] == 1}
    assert len(sizes) == 1
    assert {row["arm"] for row in rows} == {"replicate", "control", "scratch_replicate", "scratch_control"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model__width": 16}, r"layers.0.weight is \[64, 12\] there and \[64, 16\] in this trial"),
        ({"model__hidden_layers": 3}, "in this trial"),
        ({"replicates": 4}, "holds 3 tickets, the trial has 4 replicates; use replicates=3"),
    ],
)
def test_a_ticket_that_does_not_fit_fails_before_anything_is_trained(
    file: Path, fields: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        next(run_to_level(taking(file, **fields), TrialContext(5, Path("unused")), 1))


def test_what_is_no_ticket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        configured_tickets(workspace_of(taking(tmp_path / "absent.safetensors")))
    (tmp_path / "text.safetensors").write_text("no")
    with pytest.raises(ValueError, match="can't be read"):
        Tickets.read(tmp_path / "text.safetensors")
    Tickets({"a": torch.ones(1)}, {}).write(tmp_path / "empty.safetensors")
    with pytest.raises(ValueError, match="holds no tickets"):
        Tickets.read(tmp_path / "empty.safetensors")


def test_where_nothing_is_masked_there_is_no_ticket() -> None:
    with pytest.raises(ValueError, match="only pruning that masks"):
        winning_tickets(finish(run_to_level(config(), TrialContext(0, Path("unused")), 1)))


@pytest.mark.parametrize(
    "fields", [{"compression__granularity": "unit"}, {"compression__depth": 2}, {"compression__recovery": "finetune"}]
)
def test_a_ticket_is_trained_once_from_its_start(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="to be trained once"):
        check(taking(Path("x"), **fields))
