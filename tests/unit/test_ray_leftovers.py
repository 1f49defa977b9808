"""What a killed driver's Ray left in the home, swept by the next one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from study.execution.on_ray import scratch
from study.execution.on_ray import session as ray_session
from tests.strangers import NOBODY, root_only


def test_two_that_sweep_at_once_do_not_hinder_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))

    def swept_by_another(_pid: int) -> bool:
        shutil.rmtree(tmp_path / "1", ignore_errors=True)
        return False

    monkeypatch.setattr(scratch.psutil, "pid_exists", swept_by_another)
    scratch.sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_lies_in_tmp_is_swept_by_the_number_of_its_driver(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    dead, living = (tmp_path / f"ockham-{number}-x7_k2abc" for number in (ended.pid, os.getpid()))
    theirs = tmp_path / f"ockham-{ended.pid}-pictures"
    others = [tmp_path / name for name in ("ockham-abc12345", "ockham-2024-notes", "2024", str(ended.pid), "dwarf-1-x")]
    for folder in (dead / "r", living / "r", theirs, *others):
        folder.mkdir(parents=True)
    (theirs / "cat.jpg").touch()
    for folder in tmp_path.iterdir():
        os.utime(folder, (0, 0))
    scratch.sweep(tmp_path, scratch._IN_TMP)
    assert sorted(tmp_path.iterdir()) == sorted([living, theirs, *others]), "what is anybody else's stays"


def test_a_process_that_ends_while_it_is_looked_at_is_no_error() -> None:
    """Ray's start runs helpers that live for milliseconds."""
    with subprocess.Popen([sys.executable, "-c", ""]) as helper:
        process = psutil.Process(helper.pid)
        helper.wait()
    assert ray_session._name(process) == ""
    assert ray_session._children(process) == []
    assert not ray_session._lives(process)


@root_only
def test_a_link_in_a_groups_home_leads_the_sweep_nowhere(tmp_path: Path) -> None:
    """Another member lays it: what has a number for a name would go, and the folder be closed."""
    (tmp_path / "photographs" / "2024").mkdir(parents=True)
    os.utime(tmp_path / "photographs" / "2024", (0, 0))
    (tmp_path / "photographs").chmod(0o755)
    (tmp_path / "h").mkdir()
    (tmp_path / "h" / ".ray").symlink_to(tmp_path / "photographs")
    os.chown(tmp_path / "h" / ".ray", NOBODY, NOBODY, follow_symlinks=False)
    made = scratch.make_scratch(tmp_path / "h")
    try:
        assert (tmp_path / "photographs" / "2024").is_dir()
        assert (tmp_path / "photographs").stat().st_mode & 0o777 == 0o755
        assert not made.is_relative_to(tmp_path)
        assert made.parent.stat().st_mode & 0o777 == 0o700
    finally:
        scratch.remove_scratch(made)


def test_a_folder_that_is_no_drivers_stops_no_sweep(tmp_path: Path) -> None:
    (tmp_path / "2024-notes").mkdir()
    scratch.sweep(tmp_path)
    assert (tmp_path / "2024-notes").is_dir()
