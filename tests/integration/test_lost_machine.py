"""A machine is lost with everything on its disk; another one goes on from the storage."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import study
from study.cli import main
from study.errors import LeaseHeld, StudyMismatch, UsageError
from study.execution.driver import run
from study.ledger import Ledger
from study.settings.freezing import freeze_config
from study.storing import claims, snapshots
from study.storing.safekeeping import study_folder
from tests.in_process import in_process, no_ray
from tests.integration import trials_for_tests
from tests.integration.driving import Lines, config, drive, lasting, on_ray_too, read_until, rows, runs, store
from tests.s3_for_tests import S3Server, s3_server
from tests.storage_for_tests import ended_in_snapshot

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
NAME, TRIALS = "study", 16


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture(params=[pytest.param("file", marks=pytest.mark.kills), "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "s3":
        return str(request.getfixturevalue("s3").uri(tmp_path.name))
    return (tmp_path / "storage").as_uri()


@pytest.mark.ends
def test_a_study_goes_on_where_nothing_of_it_is_left(
    tmp_path: Path, storage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, new, calm = (tmp_path / name for name in ("lost", "new", "calm"))
    driver = drive(lost, NAME, "slow_levels", TRIALS, storage)
    read_until(driver, "end", times=2)
    deadline = time.monotonic() + 60
    while len(before := ended_in_snapshot(storage, NAME)) < 2:
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.2)
    driver.kill()
    driver.communicate()
    assert 2 <= len(before) < TRIALS
    attempts = {row.number: row.attempts for row in rows(lost, NAME) if row.number in before}
    while lost.exists():  # Ray's own processes outlive the driver for a moment, and write
        shutil.rmtree(lost, ignore_errors=True)

    lines = Lines()
    monkeypatch.setattr(trials_for_tests, "LEVEL_S", 0)
    with no_ray():
        handle = study.resume(NAME, home=new, storage=storage, listener=lines, trial=trials_for_tests.slow_levels)
    assert handle.outcome is not None
    assert handle.outcome.exit_code == 0
    assert any("its ledger comes from a snapshot" in line for line in lines.lines)
    found = rows(new, NAME)
    assert [row.state for row in found] == ["COMPLETE"] * TRIALS
    assert {row.number: row.attempts for row in found if row.number in before} == attempts, "they did not run again"
    assert run(config(calm, NAME, TRIALS), trial=trials_for_tests.quick, doors=in_process()).exit_code == 0
    assert [lasting(row) for row in found] == [lasting(row) for row in rows(calm, NAME)]
    assert len(runs(store(new), NAME)) == TRIALS, "the tracking store was lost too, and was told everything again"
    assert len(handle.networks()) == len(study.load(NAME, home=calm).networks())

    there = study_folder(storage, NAME).names()
    assert not [name for name in there if "checkpoints" in name], "no trial needs them any more"
    assert len([name for name in there if name.endswith("networks.parquet")]) == TRIALS
    assert {"driver.json", "study.yaml"} <= set(there)
    assert [name for name in there if name.startswith("report/")]
    assert len([name for name in there if name.startswith("ledger/")]) == snapshots.KEEP
    assert ended_in_snapshot(storage, NAME) == set(range(TRIALS))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `home` and `storage` of a finished study of two trials."""
    folder = tmp_path_factory.mktemp("made")
    finishing = config(folder / "home", NAME, 2, storage=str(folder / "storage"))
    assert run(finishing, trial=trials_for_tests.quick, doors=in_process()).exit_code == 0
    return folder


@pytest.fixture
def finished(made: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    shutil.copytree(made / "storage", tmp_path / "storage")
    shutil.copytree(made / "home" / NAME, tmp_path / "home" / NAME)
    return tmp_path


def test_what_the_storage_says_is_heeded(finished: Path) -> None:
    tmp_path, storage = finished, str(finished / "storage")
    first, second = tmp_path / "home", tmp_path / "second"
    ledger = Ledger.open(f"sqlite:///{first / NAME / 'study.db'}", NAME)
    lease = ledger.lease()
    folder = study_folder(storage, NAME)
    claim = claims.read(folder)
    assert lease is not None
    assert claim is not None
    assert (claim.uid, claim.fence, claim.held) == (ledger.uid, lease.fence, False)

    # The newest copy is damaged: the one before it is taken.
    names = [name for name in folder.names() if name.startswith("ledger/")]
    content = bytearray(folder.read(names[-1]) or b"")
    content[len(content) // 2] ^= 1
    folder.write(names[-1], [bytes(content)])
    outcome = run(config(second, NAME, 4, storage=storage), trial=trials_for_tests.quick, doors=in_process())
    assert outcome.exit_code == 0
    assert [row.state for row in rows(second, NAME)] == ["COMPLETE"] * 4
    restored = Ledger.open(f"sqlite:///{second / NAME / 'study.db'}", NAME).lease()
    assert restored is not None
    assert restored.fence > lease.fence

    # The first machine comes back: its ledger is behind, and it is told so.
    with pytest.raises(UsageError, match="holds a later ledger"):
        run(config(first, NAME, 6, storage=storage), trial=trials_for_tests.quick)
    # A study of the same name that was never there.
    other = config(tmp_path / "other", NAME, 2)
    Ledger.create(other.ledger_url, freeze_config(other, print)).close()
    with pytest.raises(UsageError, match="holds another study"):
        run(config(tmp_path / "other", NAME, 4, storage=storage), trial=trials_for_tests.quick)
    # Another identity in a home without one is refused and leaves nothing.
    third = config(tmp_path / "third", NAME, 2, storage=storage).model_copy(update={"seed": 7})
    with pytest.raises(StudyMismatch, match="seed"):
        run(third, trial=trials_for_tests.quick)
    assert not (tmp_path / "third" / NAME).exists()
    # All copies damaged.
    for name in folder.names():
        if name.startswith("ledger/"):
            folder.write(name, [b"nothing"])
    with pytest.raises(UsageError, match="none of the snapshots"):
        study.resume(NAME, home=tmp_path / "fourth", storage=storage)


def test_a_driver_that_lives_elsewhere_is_not_replaced(finished: Path) -> None:
    storage = str(finished / "storage")
    folder = study_folder(storage, NAME)
    claim = claims.read(folder)
    assert claim is not None
    here = claim.next_beat(held=True)
    claims.write(folder, here)
    with pytest.raises(LeaseHeld, match=f"process {os.getpid()}"):
        study.resume(NAME, home=finished / "second", storage=storage)

    elsewhere = claims.StorageClaim(**{**here.__dict__, "holder": {**here.holder, "boot": "another", "host": "node-3"}})
    claims.write(folder, elsewhere)
    said: list[str] = []
    free = claims.wait_until_free(folder, NAME, wait_s=0.1, say=said.append)
    assert free == elsewhere, "no heartbeat: it is dead"
    assert "node-3" in said[0]

    beats = threading.Timer(0.2, lambda: claims.write(folder, elsewhere.next_beat()))
    beats.start()
    with pytest.raises(LeaseHeld, match="node-3"):
        claims.wait_until_free(folder, NAME, wait_s=2.0, say=said.append)
    beats.join()


@on_ray_too
def test_a_driver_that_was_replaced_elsewhere_stops(ray: bool, tmp_path: Path) -> None:
    storage = (tmp_path / "storage").as_uri()
    driver = drive(tmp_path / "home", NAME, "long_nap", 4, storage, ray=ray)
    read_until(driver, "start", times=2)
    folder = study_folder(storage, NAME)
    claim = claims.read(folder)
    assert claim is not None
    later = claims.StorageClaim(**{**claim.__dict__, "fence": claim.fence + 1, "token": "later", "beat": 0})
    claims.write(folder, later)
    said, _ = driver.communicate(timeout=90)
    assert driver.returncode != 0
    assert "was taken over by" in said
    assert claims.read(folder) == later, "its last words did not replace the successor's claim"


def test_deleting_a_study_empties_its_folder_on_the_storage(finished: Path) -> None:
    storage = str(finished / "storage")
    (study_folder(storage, "other")).write("kept", [b"x"])
    assert study_folder(storage, NAME).names()
    assert main(["delete", NAME, "--yes", "--home", str(finished / "home"), "--storage", storage]) == 0
    assert study_folder(storage, NAME).names() == []
    assert study_folder(storage, "other").names() == ["kept"]
