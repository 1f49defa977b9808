"""Streams that are closed or full, homes that can't be written, full disks: a clear word, or no matter at all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.cli import main
from study.clock import WallClock
from study.config import RunConfig
from study.errors import NoRoom, UsageError
from study.execution.results import networks_file
from study.ledger import read_only
from study.ledger.place import Place
from study.tracking.optuna_projection import OptunaProjection
from tests.studies_for_tests import a_ledger
from tests.unit import cli_ledgers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
FULL = Path("/dev/full")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the study `small`, which nobody runs."""
    made = tmp_path_factory.mktemp("home")
    ledger = cli_ledgers.ledger(made)
    ledger.release()
    ledger.close()
    return made


def _shell(redirected: str, *command: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "study.cli", *command]
    line = ["sh", "-c", f'"$@" {redirected}', "sh", *words]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("form", ["table", "json"])
def test_where_nothing_can_be_printed_that_is_said(home: Path, form: str) -> None:
    ended = _shell(">/dev/full", "trials", "small", "--format", form, "--home", str(home))
    assert ended.returncode == 2
    assert " ".join(ended.stderr.split()).startswith("Error: what this says can't be written where it is sent to (No ")


@pytest.mark.skipif(os.name != "posix", reason="needs a POSIX shell")
def test_a_closed_stream_is_no_matter(home: Path) -> None:
    assert _shell("2>&-", "status", "nobody", "--home", str(home)).returncode == 2
    ended = _shell("2>&- 0<&-", "status", "--home", str(home))
    assert (ended.returncode, "small" in ended.stdout) == (0, True)
    assert (_shell(">&-", "status", "--home", str(home)).returncode, ended.stderr) == (0, "")


def test_a_home_that_no_ledger_could_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"home: .*is no UTF-8; give a folder whose name is"):
        RunConfig(home=tmp_path / os.fsdecode(b"h\xffe"))


@pytest.fixture
def reader(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home, as who may only read it finds it (root may always write, so the question is answered for it)."""
    monkeypatch.setattr(read_only, "writable", lambda _: False)
    return home


def test_who_may_only_read_a_home_reads_it(reader: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {path: path.read_bytes() for path in (reader / "small").rglob("*") if path.is_file()}
    assert main(["status", "small", "--json", "--home", str(reader)]) == 0
    assert '"COMPLETE": 1' in capsys.readouterr().out
    assert main(["report", "small", "--home", str(reader), "--out", str(reader / "elsewhere")]) == 0
    ledger = Place(home=reader).open("small")
    assert [row.state for row in ledger.trials()] == ["COMPLETE", "FAILED", "RUNNING", "QUEUED"]
    with pytest.raises(UsageError, match="can be read only"):
        ledger.acquire()
    ledger.close()
    assert {path: path.read_bytes() for path in before} == before


def test_a_report_that_can_t_be_written_offers_another_place(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "small" / "report").write_text("in the way")
    assert main(["report", "small", "--home", str(home)]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "the report can't be written to" in said
    assert f"ockham report small --home {home} --out DIR" in said
    (home / "small" / "report").unlink()


@pytest.mark.skipif(not FULL.exists(), reason="needs a device that is always full")
def test_networks_wait_for_room(tmp_path: Path) -> None:
    """The file is a link to a device that is full, until there is room."""
    folder = tmp_path / "trials" / "0000"
    folder.mkdir(parents=True)
    unfinished = folder / f"networks.{os.getpid()}.tmp"
    unfinished.symlink_to(FULL)
    with pytest.raises(NoRoom, match=r"networks.*can't be written \(No space left"):  # noqa: SIM117
        with networks_file(tmp_path, 0, [{"level": 1}], lambda: True):
            pass

    class MakingRoom(WallClock):
        def sleep(self, seconds: float) -> None:
            unfinished.unlink()

    with networks_file(tmp_path, 0, [{"level": 1}], clock=MakingRoom()) as file:
        file.place()
    assert (folder / "networks.parquet").stat().st_size > 100


def test_a_folder_in_the_place_of_optunas_lock_is_no_matter(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    (tmp_path / "tiny" / "study.db.optuna.lock").mkdir()
    OptunaProjection(ledger).sync()
    assert (tmp_path / "tiny" / "study.db.optuna.lock").is_file()


def _limited(kib: int, *command: str) -> subprocess.CompletedProcess[str]:
    line = ["sh", "-c", f'ulimit -v {kib} && "$@"', "sh", sys.executable, "-m", "study.cli", *command]
    return subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system that holds a process to ulimit -v")
@pytest.mark.parametrize("kib", [2**20, 6 * 2**20], ids=["PyTorch would not load", "Ray would not live"])
def test_a_low_limit_of_memory_is_refused_before_anything_starts(kib: int, tmp_path: Path) -> None:
    ended = _limited(kib, "launch", "redundancy", "--home", str(tmp_path / "home"))
    said = " ".join(ended.stderr.split())
    assert (ended.returncode, ended.stdout) == (2, "")
    assert said.startswith(f"Error: ulimit -v {kib}: Ray and PyTorch map more memory than that")
    assert said.endswith("ulimit -v unlimited")
    assert not (tmp_path / "home").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a system that holds a process to ulimit -v")
def test_a_command_that_needs_pytorch_says_which_limit_it_met(home: Path) -> None:
    assert _limited(2**20, "status", "--home", str(home)).returncode == 0
    ended = _limited(2**19, "doctor", "--home", str(home))
    said = " ".join(ended.stderr.split())
    assert (ended.returncode, said) == (
        2,
        f"Error: ulimit -v {2**19} is too little for this command; lift it: ulimit -v unlimited",
    )
