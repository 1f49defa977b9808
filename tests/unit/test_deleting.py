"""Deleting a study leaves what is another's: of one that went on elsewhere, of its namesake on a shared server."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from study.cli import main
from study.errors import UsageError
from study.ledger import Ledger
from study.ledger.files import RESULTS, result_of
from study.storing import claims, restoring
from study.storing.claims import StorageClaim
from study.storing.own_files import foreign
from study.storing.safekeeping import check_storage, study_folder
from tests.unit.cli_ledgers import ledger

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]


@pytest.fixture
def left(tmp_path: Path) -> tuple[list[str], Ledger, StorageClaim]:
    """A study that this home has driven; how to delete it, and its claim."""
    made, storage = ledger(tmp_path / "home"), tmp_path / "storage"
    claim = claims.take(study_folder(str(storage), "small"), "small", made.uid, made.fence or 0)
    made.release()
    return ["delete", "small", "--yes", "--home", str(tmp_path / "home"), "--storage", str(storage)], made, claim


def is_there(tmp_path: Path) -> bool:
    return bool(study_folder(str(tmp_path / "storage"), "small").names()) and (tmp_path / "home" / "small").is_dir()


def test_what_a_driver_elsewhere_holds_is_not_deleted(
    left: tuple[list[str], Ledger, StorageClaim], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, _, claim = left
    claims.write(study_folder(str(tmp_path / "storage"), "small"), replace(claim, fence=2))  # by this living process
    assert main(command) == 4
    assert f"process {os.getpid()}" in capsys.readouterr().err
    assert is_there(tmp_path)


def test_what_has_gone_on_elsewhere_is_not_deleted_however_often_one_tries(
    left: tuple[list[str], Ledger, StorageClaim], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, made, claim = left
    claims.write(study_folder(str(tmp_path / "storage"), "small"), replace(claim, fence=2, held=False))
    run = made.config.run.model_copy(update={"storage": str(tmp_path / "storage")})
    made.config = made.config.model_copy(update={"run": run})
    for _ in range(3):
        with pytest.raises(UsageError, match="holds a later ledger"):
            check_storage(made)
        assert main(command) == 2
        assert "holds a later ledger" in " ".join(capsys.readouterr().err.split())
    assert is_there(tmp_path)


def test_a_storage_that_does_not_answer_keeps_everything(
    left: tuple[list[str], Ledger, StorageClaim],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    command, _, claim = left
    claims.write(study_folder(str(tmp_path / "storage"), "small"), claim.next_beat(held=False))

    def down(*_: object, **__: object) -> None:
        raise OSError("no route to host")

    with monkeypatch.context() as patched:
        patched.setattr(claims, "wait_until_free", down)
        assert main(command) == 2
    assert "nothing has been deleted" in " ".join(capsys.readouterr().err.split())
    assert is_there(tmp_path)
    assert main(command) == 0
    assert not is_there(tmp_path)
    assert restoring.folder_of(str(tmp_path / "storage"), "small").names() == []


def test_studies_of_one_name_on_one_server_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from mlflow.tracking import MlflowClient

    uri = f"sqlite:///{tmp_path / 'server.db'}"
    client = MlflowClient(tracking_uri=uri)
    experiment = client.create_experiment("small", artifact_location=str(tmp_path / "artifacts"))
    runs: dict[str, list[str]] = {}
    for home in ("one", "two"):
        made = ledger(tmp_path / home)
        made.release()
        tags: list[dict[str, Any]] = [{"ockham.uid": f"small/{made.uid}{rest}"} for rest in ("", "/0", "/1")]
        runs[home] = [client.create_run(experiment, tags=tag).info.run_id for tag in tags]
    by_hand = client.create_run(experiment).info.run_id
    command = ["delete", "small", "--yes", "--tracking-uri", uri, "--home"]

    def there() -> set[str]:
        return {run.info.run_id for run in client.search_runs([experiment])}

    assert main([*command, str(tmp_path / "one")]) == 0
    assert "4 of other studies stay" in capsys.readouterr().out
    assert there() == {*runs["two"], by_hand}
    client.delete_run(by_hand)
    assert main([*command, str(tmp_path / "two")]) == 0
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"


def test_what_somebody_else_put_into_its_folders_stays_and_is_named(
    left: tuple[list[str], Ledger, StorageClaim], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--storage` may be a folder that has long been in use; and a folder below it may bear the study's name."""
    command, _, claim = left
    home, storage = tmp_path / "home" / "small", tmp_path / "storage" / "small"
    claims.write(study_folder(str(tmp_path / "storage"), "small"), claim.next_beat(held=False))
    ours = [storage / "trials/0000/checkpoints/attempt-1.0-0.pt", storage / "ledger/fence-1-1.db", home / "study.yaml"]
    theirs = [
        storage / "wedding.jpg",
        storage / "trials/notes.txt",
        home / "thesis/chapter1.tex",
        home / "report/own.txt",
    ]
    for file in (*ours, *theirs):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("content")
    os.mkfifo(home / "pipe")
    (home / "album").symlink_to(tmp_path)
    assert main(command) == 0
    assert not any(file.exists() for file in ours)
    assert all(path.is_symlink() or path.is_fifo() for path in (home / "pipe", home / "album"))
    assert all(file.exists() for file in theirs)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file() and "small" in path.parts) == sorted(theirs)
    said = capsys.readouterr().out
    assert "wedding.jpg" in said
    assert "album, pipe, report/own.txt …" in said
    assert "Deleted /" not in said, "neither folder is gone"


def test_a_study_folder_that_is_a_link_is_refused_before_anything_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlflow.tracking import MlflowClient

    made = ledger(tmp_path / "home")
    made.release()
    uri = f"sqlite:///{tmp_path / 'home' / 'mlflow.db'}"
    MlflowClient(tracking_uri=uri).create_experiment("small", artifact_location=str(tmp_path / "artifacts"))
    (tmp_path / "home" / "small").rename(tmp_path / "elsewhere")
    (tmp_path / "home" / "small").symlink_to(tmp_path / "elsewhere")
    for _ in range(2):
        assert main(["delete", "small", "--yes", "--home", str(tmp_path / "home")]) == 2
    assert "is a link" in capsys.readouterr().err
    assert (tmp_path / "elsewhere" / "study.db").is_file()
    experiment = MlflowClient(tracking_uri=uri).get_experiment_by_name("small")
    assert experiment is not None
    assert experiment.lifecycle_stage == "active"


def test_files_of_runs_by_hand_stay_in_the_homes_artifacts(tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    home = tmp_path / "home"
    made = ledger(home)
    made.release()
    client = MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")
    experiment = client.create_experiment("small", artifact_location=(home / "mlartifacts" / "small").as_uri())
    mine = client.create_run(experiment, tags={"ockham.uid": f"small/{made.uid}"}).info.run_id
    theirs = client.create_run(experiment).info.run_id
    for run in (mine, theirs):
        client.log_text(run, "content", "file.txt")
    assert main(["delete", "small", "--yes", "--home", str(home)]) == 0
    kept = [path.relative_to(home / "mlartifacts") for path in (home / "mlartifacts").rglob("*.txt")]
    assert kept == [Path("small") / theirs / "artifacts" / "file.txt"]


def test_a_deletion_that_was_interrupted_can_be_repeated(
    left: tuple[list[str], Ledger, StorageClaim], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, _, claim = left
    claims.write(study_folder(str(tmp_path / "storage"), "small"), claim.next_beat(held=False))

    def interrupted(_: Ledger) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "delete", interrupted)
        assert main(command) == 130
    assert (tmp_path / "home" / "small" / "study.db").is_file()
    assert main(command) == 0
    assert not (tmp_path / "home" / "small").exists()
    assert not (tmp_path / "storage" / "small").exists()


@pytest.mark.parametrize("name", ["mlartifacts", "data", "Data", "mlflow.db"])
def test_names_that_a_home_needs_itself_are_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["launch", "redundancy", "--name", name, "--home", str(tmp_path / "home")]) == 2
    assert f"--name {name}" in capsys.readouterr().err


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
@pytest.mark.parametrize("where", ["home", "storage"])
def test_a_folder_with_somebodys_files_is_no_new_studys(
    where: str, dry_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / where / "photos").mkdir(parents=True)
    (tmp_path / where / "photos" / "wedding.jpg").touch()
    home = ["--home", str(tmp_path / "home"), "--storage", str(tmp_path / "storage")]
    assert main(["launch", "redundancy", "--name", "photos", "--no-progress", *home, *dry_run]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--{where}" in said
    assert "wedding.jpg" in said
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["wedding.jpg"]


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_what_is_left_of_another_study_is_no_new_studys(
    dry_run: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ledger(tmp_path / "home")
    made.release()
    (tmp_path / "home" / "small" / "study.db").unlink()
    trial = tmp_path / "home" / "small" / "trials" / "0000"
    trial.mkdir(parents=True)
    (trial / "log.txt").touch()
    assert main(["launch", "redundancy", "--name", "small", "--home", str(tmp_path / "home"), *dry_run]) == 2
    assert "small" in capsys.readouterr().err
    assert (trial / "log.txt").is_file()


def test_all_that_trials_leave_is_the_studys() -> None:
    """Results of every kind, and what is set aside while they are replaced."""
    names = [result_of(7, kind) for kind in RESULTS]
    assert foreign([*names, *(f"replaced/{name}" for name in names), "trials/0007/log.txt"]) == []
    assert foreign(["trials/0007/mine.parquet"]) == ["trials/0007/mine.parquet"]


def test_a_persons_files_are_not_taken_for_leftovers() -> None:
    mine = ["notes/thesis.tmp", "cache.tmp", "snapshots/holiday.jpg", "ledger/accounts.db", "trials/0007/mine.tmp"]
    assert foreign(mine) == mine
    left = ["study.12.tmp", "claims.12.tmp", "networks.tmp-12-34", "trials/0007/networks.12.tmp", "driver.tmp-1-2"]
    left += [
        "ledger/fence-000001-000002.tmp-12-34",
        "trials/0007/layers.fetched.tmp",
        "snapshots/fence-000001-000002.db",
    ]
    assert foreign(left) == []
