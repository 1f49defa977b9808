"""Homes and folders that others had their hands in: what lies there waits for nobody, runs nothing, moves nothing."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from study.errors import Damaged, UsageError
from study.execution.on_ray.trial_log import TrialLog
from study.execution.results import networks_file
from study.ledger import Ledger, Proposal, files, gathered, intact
from study.ledger.files import NETWORKS, ListedFile, networks_of
from study.ledger.frames import network_frame
from study.ledger.place import Place
from study.operations.study_doctor import examine_study
from study.report import write_report
from study.settings.creation import write_study_file
from study.tracking.mlflow_store import _make_sqlite
from tests.studies_for_tests import a_ledger
from tests.unit.report_frames import Recipe, judged, make

pytestmark = pytest.mark.slow


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Trials 0 and 1 complete, each with a file of results. The lease is held."""
    made = a_ledger(tmp_path)
    made.propose([Proposal({"data.label_noise": 0.5, "model.width": 16})] * 2)
    for number in (0, 1):
        with networks_file(made.config.directory, number, [{"ratio": 1.0}]) as file:
            made.finish(number, made.start_attempt(number), "COMPLETE", results=[file])
    return made


def change(ledger: Ledger, statement: str) -> None:
    connection = sqlite3.connect(ledger.url.removeprefix("sqlite:///"))
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_ledger_that_lists_files_elsewhere_moves_none(ledger: Ledger, tmp_path: Path) -> None:
    """Somebody else's home, unpacked here: what was set aside would come back as any file of this user."""
    directory = ledger.config.directory
    (tmp_path / "profile").write_bytes(b"mine")
    (directory / "x").write_bytes(b"evil")
    (directory / "replaced").mkdir()
    evil = ListedFile.from_content("../profile", 1, b"evil")
    change(ledger, f"UPDATE ockham_files SET name = '{evil.name}', size = 4, sha256 = '{evil.sha256}'"
                    " WHERE number = 1")  # fmt: skip
    (directory / "profile").write_bytes(b"evil")  # where replaced/../profile is
    with pytest.raises(Damaged, match=r"it lists '\.\./profile' among results"):
        files.put_back(directory, ledger.files)
    assert (tmp_path / "profile").read_bytes() == b"mine"


@pytest.mark.parametrize(
    "program",
    [
        "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
        "CREATE TRIGGER liar AFTER UPDATE ON ockham_trials BEGIN DELETE FROM ockham_files; END",
    ],
)
def test_a_ledger_with_programs_in_it_is_none(ledger: Ledger, tmp_path: Path, program: str) -> None:
    ledger.release()
    ledger.close()
    change(ledger, program)
    with pytest.raises(Damaged, match=r"study.db has a (view|trigger) in it, '(endless|liar)'"):
        Place(home=tmp_path).open("tiny")


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
def test_a_store_that_mlflow_has_just_made_is_whole(tmp_path: Path) -> None:
    """It has a trigger of MLflow's own in it. One that does more than refuse is another's."""
    store = tmp_path / "mlflow.db"
    _make_sqlite(store)
    connection = sqlite3.connect(store)
    (trigger,) = connection.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger'").fetchone()
    assert intact.trouble_of(store) == ""
    for evil in (
        trigger.replace("SELECT RAISE", "DELETE FROM runs; SELECT RAISE"),
        trigger.replace("ON secrets", "ON runs").replace("secret_id", "run_uuid").replace("secret_name", "name"),
        trigger.replace("!= NEW.secret_name", "!= (SELECT count(*) FROM runs)"),
    ):
        connection.execute("DROP TRIGGER prevent_secrets_aad_mutation")
        connection.execute(evil)
        connection.commit()
        assert "has a trigger in it" in intact.trouble_of(store)
    connection.close()


@pytest.mark.parametrize("name", ["study.db", "study.db-wal", "study.db-shm", "study.db-journal", "study.yaml"])
def test_a_pipe_in_a_home_is_not_waited_for(ledger: Ledger, tmp_path: Path, name: str) -> None:
    """A thread that hung in it would end with the test."""
    ledger.release()
    ledger.close()
    write_study_file(ledger.config, ledger.uid)
    path = ledger.config.directory / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    said: list[str] = []

    def look() -> None:
        try:
            Place(home=tmp_path).open("tiny").close()
            said.extend(finding.finding for finding in examine_study(Place(home=tmp_path), "tiny", mend=False))
        except UsageError as error:
            said.append(str(error))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(60)
    assert not thread.is_alive(), "it waits for the pipe"
    assert any("a pipe" in one for one in said), said


@pytest.mark.parametrize("kind", [NETWORKS, "networks.gathered"])
def test_a_pipe_among_results_is_not_waited_for(ledger: Ledger, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathered, "WORTH", 1)
    directory = ledger.config.directory
    path = directory / (networks_of(1) if kind == NETWORKS else kind)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    if kind == NETWORKS:
        with pytest.raises(Damaged, match=r"trials/0001/networks\.parquet"):
            network_frame(directory, ledger.trials(), ledger.files())
        assert [*files.damaged_files(ledger.files(), directory)] == [networks_of(1)]
    else:
        assert len(network_frame(directory, ledger.trials(), ledger.files())) == 2


def test_a_folder_keeps_what_no_report_has_put_there(tmp_path: Path) -> None:
    own = tmp_path / "figures" / "my_measurements.csv"
    own.parent.mkdir()
    own.write_text("a year's work")
    (tmp_path / "letter").write_text("dear")
    (tmp_path / "index.html").symlink_to(tmp_path / "letter")
    config, trials, networks = make(Recipe())
    write_report(config, trials, networks, judged(config, trials, networks), tmp_path)
    assert own.read_text() == "a year's work"
    assert (tmp_path / "letter").read_text() == "dear"
    assert "<html" in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_leftover_with_a_strange_name_stops_nothing(ledger: Ledger) -> None:
    strange = ledger.config.directory / "study.mine.tmp"
    strange.touch()
    write_study_file(ledger.config, ledger.uid)
    assert strange.exists()


def test_a_trials_log_is_written_through_no_link_and_into_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "profile")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "log.txt"):
        with TrialLog(tmp_path / name) as log:
            log.write("trial 1")
    assert (tmp_path / "profile").read_text() == "mine"
    assert (tmp_path / "log.txt").read_text() == "trial 1"
