"""What is damaged is named; never another number, never a silent new start."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from study.errors import Damaged, UsageError
from study.execution.leftovers import sweep
from study.ledger import Ledger, Proposal, wal
from study.ledger.files import ListedFile, NewFile, networks_of
from study.ledger.frames import network_frame
from study.ledger.place import Place
from study.ledger.remains import refuse_remains
from study.operations.mending import mend_ledger
from study.operations.status import statuses
from study.settings.creation import open_or_create, write_study_file
from study.settings.repairing import look_for_damage
from study.storing.copying import Copier
from tests.studies_for_tests import a_ledger, a_study, dense

pytestmark = pytest.mark.slow

POINT = Proposal({"data.label_noise": 0.5, "model.width": 16})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Trials 0 and 1 complete, each with a file of results; 2 queued. The lease is held."""
    made = a_ledger(tmp_path)
    made.propose([POINT] * 3)
    for number in (0, 1):
        attempt = made.start_attempt(number)
        made.record(number, attempt, [dense(1, accuracy=0.25)])
        made.finish(number, attempt, "COMPLETE", results=[_file(made, number, b"results")])
    return made


def _file(ledger: Ledger, number: int, content: bytes) -> NewFile:
    name = networks_of(number)
    path = ledger.config.directory / name

    def place() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    return NewFile(ListedFile.from_content(name, number, content), place)


def _change(ledger: Ledger, statement: str) -> None:
    with sqlite3.connect(ledger.url.removeprefix("sqlite:///")) as connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("UPDATE ockham_trials SET metrics = replace(metrics, '0.25', '0.26') WHERE number = 1", Ledger.trials),
        ("UPDATE ockham_trials SET state = 'FAILED' WHERE number = 1", Ledger.trials),
        ("UPDATE ockham_trials SET params = replace(params, '16', '17') WHERE number = 1", Ledger.trials),
        ("UPDATE ockham_steps SET metrics = replace(metrics, '0.25', '0.26') WHERE number = 1", Ledger.curves),
        ("UPDATE ockham_attempts SET ended_ms = ended_ms + 1 WHERE number = 1", Ledger.attempt_times),
        ("UPDATE ockham_outbox SET payload = replace(payload, '0.25', '0.26')", Ledger.outbox),
    ],
)
def test_one_changed_digit_is_refused(ledger: Ledger, statement: str, read: object) -> None:
    assert callable(read)
    read(ledger)
    _change(ledger, statement)
    with pytest.raises(Damaged, match=r"trial [01] is not what was written\. .*ockham doctor tiny"):
        read(ledger)


def test_a_changed_configuration_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    _change(ledger, "UPDATE ockham_studies SET config = replace(config, '\"seed\": 0', '\"seed\": 1')")
    with pytest.raises(Damaged, match="its configuration is not what was written"):
        Place(home=tmp_path).open("tiny")


def test_a_damaged_message_is_written_again_from_the_trial(ledger: Ledger) -> None:
    before = [(row.kind, row.payload) for row in ledger.outbox() if row.number == 1]
    _change(ledger, "UPDATE ockham_outbox SET payload = '{' WHERE number = 1 AND kind = 'step'")
    assert look_for_damage(ledger, repair=False, say=print) == []
    assert [(row.kind, row.payload) for row in ledger.outbox() if row.number == 1] == before


def test_damaged_rows_stop_a_run_and_are_repaired_on_request(ledger: Ledger) -> None:
    _change(ledger, "UPDATE ockham_trials SET metrics = replace(metrics, '0.25', '0.26') WHERE number = 1")
    with pytest.raises(Damaged, match=r"trials 1 are not what was written.*--repair"):
        look_for_damage(ledger, repair=False, say=print)
    said: list[str] = []
    look_for_damage(ledger, repair=True, say=said.append)
    assert said == ["damaged trials that run again: 1"]
    assert [row.state for row in ledger.trials()] == ["COMPLETE", "QUEUED", "QUEUED"]
    assert [file.number for file in ledger.files()] == [0]


@pytest.mark.parametrize("table", ["trials", "attempts"])
def test_no_later_change_of_a_row_hides_a_changed_digit(ledger: Ledger, table: str) -> None:
    """What a dead driver left is put back into the queue before anyone looks for damage."""
    ledger.start_attempt(2)
    column = {"trials": "created_ms", "attempts": "started_ms"}[table]
    _change(ledger, f"UPDATE ockham_{table} SET {column} = {column} + 1 WHERE number = 2")
    assert sweep(ledger) == [2]
    ledger.start_attempt(2)
    assert sweep(ledger) == [2]
    with pytest.raises(Damaged, match=r"trials 2 are not what was written.*--repair"):
        look_for_damage(ledger, repair=False, say=print)
    look_for_damage(ledger, repair=True, say=print)
    assert look_for_damage(ledger, repair=False, say=print) == []
    attempt = ledger.start_attempt(2)
    assert ledger.finish(2, attempt, "COMPLETE") == ledger.trial(2)


def test_a_trial_whose_task_is_lost_is_not_run_as_another_one(ledger: Ledger) -> None:
    _change(ledger, "UPDATE ockham_trials SET proposed = replace(proposed, '16', '32') WHERE number = 1")
    with pytest.raises(Damaged, match="what trial 1 was to do is lost"):
        look_for_damage(ledger, repair=True, say=print)


@pytest.mark.parametrize("content", [None, b"", b"resul", b"resultz"])
def test_a_file_of_results_that_is_gone_or_different_is_named(ledger: Ledger, content: bytes | None) -> None:
    path = ledger.config.directory / networks_of(1)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (wrong,) = look_for_damage(ledger, repair=False, say=print)
    assert wrong.startswith("trials/0001/networks.parquet ")
    with pytest.raises(Damaged, match=r"trials/0001/networks.parquet .*ockham resume tiny --home .* --repair"):
        network_frame(ledger.config.directory, ledger.trials()[1:2], ledger.files())
    look_for_damage(ledger, repair=True, say=print)
    assert ledger.trial(1).state == "QUEUED"


def test_an_earlier_version_lists_no_files_and_has_no_checksums(ledger: Ledger) -> None:
    _change(ledger, "DELETE FROM ockham_files")
    _change(ledger, "UPDATE ockham_trials SET seal = NULL, duration_s = 7")
    (ledger.config.directory / networks_of(1)).unlink()
    assert look_for_damage(ledger, repair=False, say=print) == []
    assert ledger.trial(1).duration_s == 7
    assert ledger.count_unsealed() == 3


@pytest.mark.parametrize("mark", ["study.yaml", "trials", "snapshots"])
def test_a_folder_without_its_ledger_is_no_new_study(tmp_path: Path, mark: str) -> None:
    (tmp_path / "tiny" / mark).mkdir(parents=True)
    with pytest.raises(Damaged, match=rf"holds a study \({mark}\), but its ledger study.db is gone"):
        open_or_create(a_study(tmp_path), print)
    assert [path.name for path in (tmp_path / "tiny").iterdir()] == [mark]
    with pytest.raises(Damaged, match="knows no 'tiny'"):
        refuse_remains(tmp_path / "tiny", "postgresql://host/db")


def test_another_studys_ledger_in_the_folder_is_refused(tmp_path: Path) -> None:
    mine, other = a_ledger(tmp_path / "a"), a_ledger(tmp_path / "b")
    write_study_file(mine.config, other.uid)
    with pytest.raises(Damaged, match=rf"two studies of the name 'tiny' \({mine.uid} and {other.uid}\)"):
        Place(home=tmp_path / "a").open("tiny")


def test_a_lost_ledger_comes_back_from_its_copy(ledger: Ledger, tmp_path: Path) -> None:
    before = ledger.trials()
    copier = Copier(ledger, print)
    copier.start()
    copier.finish()
    ledger.release()
    ledger.close()
    path = tmp_path / "tiny" / "study.db"
    for left in path.parent.glob("study.db*"):
        left.unlink()
    with pytest.raises(Damaged, match=r"ockham doctor tiny --home .* --mend"):
        Place(home=tmp_path).open("tiny")
    assert mend_ledger(Place(home=tmp_path), "tiny", print)
    mended = Place(home=tmp_path).open("tiny")
    assert mended.trials() == before
    assert (mended.uid, mended.acquire()) == (ledger.uid, 2)
    assert not mend_ledger(Place(home=tmp_path), "tiny", print), "nothing to mend any more"


def test_without_a_copy_there_is_nothing_to_mend_with(ledger: Ledger, tmp_path: Path) -> None:
    ledger.release()
    ledger.close()
    (tmp_path / "tiny" / "study.db").write_bytes(b"SQLite format 3\0" + bytes(5000))
    with pytest.raises(UsageError, match=r"nothing of the ledger .* can be used.*given up with: rm -r /"):
        mend_ledger(Place(home=tmp_path), "tiny", print)


def test_one_corrupt_study_hides_no_other(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "study.db").write_bytes(b"not a database at all" * 100)
    found, unreadable = statuses(Place(home=tmp_path))
    assert [status.name for status in found] == ["tiny"]
    assert "study.db: file is not a database" in str(unreadable["torn"])
    assert f"ockham doctor torn --home {tmp_path}" in str(unreadable["torn"]), "can be pasted"


def test_a_log_in_use_is_no_damage(ledger: Ledger) -> None:
    """Another process writes while this one looks."""
    path = Path(ledger.url.removeprefix("sqlite:///"))
    for _ in range(5):
        ledger.heartbeat()
        assert wal.damage(path) == ""


def test_a_log_is_what_sqlite_takes_it_for(ledger: Ledger, tmp_path: Path) -> None:
    """Cut off or flipped anywhere, against SQLite itself, which starts from a log and no index."""
    path = Path(ledger.url.removeprefix("sqlite:///"))
    for number in range(30):
        ledger.record(2, ledger.start_attempt(2), [dense(number, accuracy=number / 64)])
    log = path.with_name("study.db-wal").read_bytes()
    assert len(log) > 100_000
    for place in range(33, len(log), 9973):
        flipped = bytearray(log)
        flipped[place] ^= 4
        for damaged in (log[:place], bytes(flipped)):
            copy = _copied(path, tmp_path / "taken", wal=damaged, shm=None)
            before = wal._log(copy.with_name("study.db-wal"))
            with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as connection:
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
                index = wal._index(copy)
            assert (before.last_sound if before else 0) == (index.committed_frames if index else 0), place


def test_a_log_that_lost_something_is_damaged_whoever_looks_how_often(ledger: Ledger, tmp_path: Path) -> None:
    path = Path(ledger.url.removeprefix("sqlite:///"))
    log, shm = (path.with_name(f"study.db-{tail}").read_bytes() for tail in ("wal", "shm"))
    for damaged in (log[: len(log) * 2 // 3], log[:40], log[:-5000] + bytes([log[-5000] ^ 1]) + log[-4999:]):
        copy = _copied(path, tmp_path / "damaged", wal=damaged, shm=shm)
        for _ in range(2):
            assert "study.db-wal is damaged or cut off" in wal.damage(copy)
    assert "gone" in wal.damage(_copied(path, tmp_path / "damaged", wal=b"", shm=shm))
    assert wal.damage(_copied(path, tmp_path / "whole", wal=log, shm=shm)) == ""
    assert wal.damage(_copied(path, tmp_path / "whole", wal=log, shm=None)) == ""


def test_what_a_killed_writer_left_is_no_damage(ledger: Ledger, tmp_path: Path) -> None:
    """It had appended a transaction, and was killed before it counted it; another process then wrote a shorter one."""
    path = Path(ledger.url.removeprefix("sqlite:///"))
    log, shm = (path.with_name(f"study.db-{tail}").read_bytes() for tail in ("wal", "shm"))

    def then(name: str, statement: str) -> tuple[bytes, bytes]:
        copy = _copied(path, tmp_path / name, wal=log, shm=None)
        with closing(sqlite3.connect(copy)) as connection:
            connection.execute(statement)
            connection.commit()
            return tuple(copy.with_name(f"study.db-{tail}").read_bytes() for tail in ("wal", "shm"))  # type: ignore[return-value]

    longer, _ = then("longer", "CREATE TABLE noise AS SELECT *, zeroblob(20000) FROM ockham_trials")
    shorter, counted = then("shorter", "UPDATE ockham_leases SET heartbeat = heartbeat + 1")
    assert len(longer) > len(shorter) > len(log)
    assert wal.damage(_copied(path, tmp_path / "uncounted", wal=longer, shm=shm)) == ""
    stale = shorter + longer[len(shorter) :]
    assert wal.damage(_copied(path, tmp_path / "stale", wal=stale, shm=counted)) == ""


def _copied(database: Path, folder: Path, *, wal: bytes, shm: bytes | None) -> Path:
    """A database as it was at its last checkpoint, with a log and an index."""
    folder.mkdir(exist_ok=True)
    copy = folder / "study.db"
    copy.write_bytes(database.read_bytes())
    for tail, content in (("wal", wal), ("shm", shm)):
        copy.with_name(f"study.db-{tail}").unlink(missing_ok=True)
        if content is not None:
            copy.with_name(f"study.db-{tail}").write_bytes(content)
    return copy
