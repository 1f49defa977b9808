"""What a killed driver's Ray left in the home, swept by the next one."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from study.execution.on_ray import scratch
from study.execution.on_ray import session as ray_session
from tests.strangers import NOBODY, root_only

HOLDER = """
import sys, time
from pathlib import Path
from study.execution.on_ray import scratch
print(scratch.make_scratch(Path(sys.argv[1])).parent, flush=True)
time.sleep(600)
"""


@contextmanager
def driver(home: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Another process with a folder for its Ray in `home`; killed at the end."""
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(home)], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield process, Path(process.stdout.readline().strip())
        finally:
            process.kill()


def age(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        os.utime(path, (0, 0))


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder whose path is short enough for Ray's sockets."""
    with tempfile.TemporaryDirectory(prefix="h", dir="/tmp") as folder:
        yield Path(folder)


def test_what_a_killed_driver_left_goes_and_a_living_ones_stays(home: Path) -> None:
    with driver(home) as (killed, dead), driver(home) as (_, living):
        assert {dead.parent, living.parent} == {home / ".ray"}
        killed.kill()
        killed.wait()
        age(dead)
        age(living)
        again = scratch.make_scratch(home)
        assert sorted(living.parent.iterdir()) == sorted([living, again.parent])
        scratch.remove_scratch(again)
        assert list(living.parent.iterdir()) == [living]


def test_what_was_left_a_moment_ago_stays(home: Path) -> None:
    """Between its folder and its lock a driver is young."""
    with driver(home) as (killed, dead):
        killed.kill()
        killed.wait()
        scratch.sweep(dead.parent, "")
        assert dead.is_dir()


def test_two_that_sweep_at_once_do_not_hinder_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / scratch._LOCK).touch()
    age(tmp_path)
    really = scratch._is_left

    def swept_by_another(folder: Path) -> bool:
        shutil.rmtree(tmp_path / "1", ignore_errors=True)
        return really(folder)

    monkeypatch.setattr(scratch, "_is_left", swept_by_another)
    scratch.sweep(tmp_path, "")
    assert not list(tmp_path.iterdir())


def test_what_is_anybody_elses_stays_in_tmp(tmp_path: Path) -> None:
    dead = tmp_path / "ockham-x7_k2abc"
    (dead / "r").mkdir(parents=True)
    (dead / scratch._LOCK).touch()
    names = ("ockham-pictures", "ockham-1234-x7_k2abc", "2024", "notes")
    others = [tmp_path / name for name in names]
    for folder in others:
        (folder / "r").mkdir(parents=True)
    (tmp_path / "notes" / scratch._LOCK).touch()
    age(tmp_path)
    scratch.sweep(tmp_path, "ockham-")
    assert sorted(tmp_path.iterdir()) == sorted(others)


@root_only
def test_a_strangers_folder_with_a_lock_in_it_stays(tmp_path: Path) -> None:
    theirs = tmp_path / "ockham-x7_k2abc"
    theirs.mkdir()
    (theirs / scratch._LOCK).touch()
    age(tmp_path)
    os.chown(theirs, NOBODY, NOBODY)
    scratch.sweep(tmp_path, "ockham-")
    assert theirs.is_dir()


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
