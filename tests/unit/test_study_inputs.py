"""What trials read from files stays what it was: recorded at launch, compared when the study goes on."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces.space import SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from study.ledger import Ledger, Proposal
from study.operations.adding import add
from study.operations.exporting import NetworkChoice, export
from study.settings.inputs import settle_inputs
from study.settings.resume_request import NO_REQUEST, ResumeRequest
from tests.unit.test_data_identity import idx, overwrite_keeping_times, write_mnist
from tests.unit.test_image_folder import COLOURS, write
from trainables.datasets.gaussian import Gaussian
from trainables.errors import DataUnavailable
from trainables.input_files import CODE, require_inputs, whole_digest
from trainables.registry import Entry


def a_study(home: Path, base: dict[str, Any], **fields: Any) -> StudyConfig:
    run = {"home": home / "home", "data_dir": home / "data"}
    space = SearchSpace.model_validate({"base": base})
    return StudyConfig.model_validate({"name": "tiny", "trials": 2, "space": space, "run": run, **fields})


def begun(config: StudyConfig) -> Ledger:
    """Launched: inputs settled, one trial running, one queued."""
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    settle_inputs(ledger, NO_REQUEST)
    ledger.propose([Proposal({}), Proposal({})])
    ledger.start_attempt(0)
    return ledger


def mnist(home: Path) -> dict[str, Any]:
    write_mnist(home / "data")
    return {"data.name": "mnist", "data.split": (40, 10, 20)}


def folder(home: Path) -> dict[str, Any]:
    write(home / "images", COLOURS, 3)
    return {"data.name": "image_folder", "data.image_folder.path": str(home / "images")}


def ticket(home: Path) -> dict[str, Any]:
    (home / "ticket.safetensors").write_bytes(b"a ticket")
    return {
        "data.name": "digits",
        "compression.granularity": "weight",
        "compression.depth": 1,
        "compression.recovery": "rewind",
        "compression.recovery_epochs": 1,
        "compression.ticket": str(home / "ticket.safetensors"),
    }


def relabelled(home: Path) -> str:
    overwrite_keeping_times(home / "data/MNIST/raw/train-labels-idx1-ubyte", idx(np.full(60, 7, dtype=np.uint8)))
    return "data.name=mnist: MNIST/raw/train-labels-idx1-ubyte was changed"


def moved_about(home: Path) -> str:
    (home / "images/a/0.png").unlink()
    (home / "images/a/1.png").rename(home / "images/b/1b.png")
    return r"path=.*/images: a/0.png is gone, a/1.png is gone, b/1b.png is new$"


def another_ticket(home: Path) -> str:
    overwrite_keeping_times(home / "ticket.safetensors", b"b ticket")
    return r"compression.ticket=.*/ticket.safetensors: ticket.safetensors was changed"


CASES = [(mnist, relabelled), (folder, moved_about), (ticket, another_ticket)]


@pytest.mark.parametrize(("made", "changed"), CASES, ids=["idx files", "folder", "ticket"])
def test_a_study_goes_on_with_what_it_was_launched_with_or_not_at_all(made: Any, changed: Any, tmp_path: Path) -> None:
    ledger = begun(a_study(tmp_path, made(tmp_path)))
    settle_inputs(ledger, NO_REQUEST)
    said = changed(tmp_path)
    with pytest.raises(UsageError, match=rf"(?ms)read is not what it was.*{said}.*another --name"):
        settle_inputs(ledger, NO_REQUEST)


def test_a_study_with_nothing_left_to_run_is_left_alone(tmp_path: Path) -> None:
    ledger = begun(a_study(tmp_path, mnist(tmp_path)))
    ledger.finish(0, 1, "COMPLETE")
    ledger.finish(1, ledger.start_attempt(1), "FAILED")
    relabelled(tmp_path)
    settle_inputs(ledger, NO_REQUEST)
    for wish in (ResumeRequest(trials="+1"), ResumeRequest(retry_failed=True)):
        with pytest.raises(UsageError, match="was changed"):
            settle_inputs(ledger, wish)


def test_what_is_added_is_compared_and_recorded(tmp_path: Path) -> None:
    ledger = begun(a_study(tmp_path, {"data.name": "digits"}))
    add(ledger, [mnist(tmp_path)])
    assert "data.name=mnist" in ledger.inputs()
    relabelled(tmp_path)
    with pytest.raises(UsageError, match="train-labels-idx1-ubyte was changed"):
        add(ledger, [mnist_again := {"data.name": "mnist", "data.split": (30, 10, 20)}])
    assert mnist_again
    assert ledger.added_waiting() == 1


def test_an_export_from_other_data_is_refused_by_the_file_s_name(tmp_path: Path) -> None:
    ledger = begun(a_study(tmp_path, mnist(tmp_path)))
    ledger.finish(0, 1, "COMPLETE")
    relabelled(tmp_path)
    with pytest.raises(UsageError, match="train-labels-idx1-ubyte was changed"):
        export(ledger, NetworkChoice(0, 0), tmp_path / "network.safetensors")


def test_a_worker_trains_on_nothing_else(tmp_path: Path) -> None:
    """Also on another machine, where only that machine's files can be looked at."""
    config = a_study(tmp_path, mnist(tmp_path))
    ledger = begun(config)
    recorded = {name: whole_digest(files) for name, files in ledger.inputs().items()}
    trial = config.space.config({}, 0)
    require_inputs(trial, tmp_path / "data", recorded)
    relabelled(tmp_path)
    with pytest.raises(DataUnavailable, match=r"not those that the study was launched with.*ockham resume"):
        require_inputs(trial, tmp_path / "data", recorded)
    require_inputs(trial, tmp_path / "data", {})


def test_examples_made_by_other_code_are_not_mixed_with_earlier_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = a_study(tmp_path, {"data.name": "gaussian"})
    ledger = begun(config)
    now = Gaussian.revision
    monkeypatch.setattr(Gaussian, "revision", now + 1)
    with pytest.raises(UsageError, match=rf"other code .*\(revision {now} then, revision {now + 1} now\)"):
        settle_inputs(ledger, NO_REQUEST)


@pytest.mark.parametrize("revision", [1, 2])
def test_a_study_from_before_inputs_were_recorded_had_first_revisions(
    revision: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Gaussian, "revision", revision)
    ledger = begun(a_study(tmp_path, {"data.name": "gaussian"}))
    connection = sqlite3.connect(ledger.url.removeprefix("sqlite:///"))
    connection.execute("DELETE FROM ockham_inputs")
    connection.commit()
    connection.close()
    if revision == 1:
        settle_inputs(ledger, NO_REQUEST)
        assert ledger.inputs() == {"data.name=gaussian": {CODE: "revision 1"}}
    else:
        with pytest.raises(UsageError, match=r"\(revision 1 then, revision 2 now\)"):
            settle_inputs(ledger, NO_REQUEST)


def test_folders_stand_for_their_files_where_there_are_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainables.input_files._MOST_FILES", 8)
    ledger = begun(a_study(tmp_path, folder(tmp_path)))
    ((_, files),) = ledger.inputs().items()
    assert sorted(files) == [CODE, "a/", "b/", "c/"]
    assert len(json.dumps(files)) < 300
    settle_inputs(ledger, NO_REQUEST)
    (tmp_path / "images/a/0.png").unlink()
    with pytest.raises(UsageError, match=r"images: a/ was changed\n"):
        settle_inputs(ledger, NO_REQUEST)


def test_every_field_that_names_a_file_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one of an entry, which says so in its annotation."""
    from typing import Annotated

    from trainables.compression.methods import prune
    from trainables.config import TrialConfig
    from trainables.input_files import named_files
    from trainables.parts import NAMED_FILE

    class WithFile(prune.ENTRY):  # type: ignore[valid-type, misc]
        weights: Annotated[str | None, NAMED_FILE] = None

    assert issubclass(WithFile, Entry)
    monkeypatch.setattr(prune, "ENTRY", WithFile)
    compression = {"prune": {"weights": "/x/w.bin"}, "ticket": "/x/t.safetensors"}
    compression |= {"granularity": "weight", "depth": 1, "recovery": "rewind", "recovery_epochs": 1}
    config = TrialConfig.model_validate({"compression": compression})
    assert dict(named_files(config)) == {
        "compression.ticket": Path("/x/t.safetensors"),
        "compression.prune.weights": Path("/x/w.bin"),
    }
