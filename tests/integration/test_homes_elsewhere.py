"""A home that was copied with `cp -r`, or moved with `mv`, goes on where it lies, and nowhere else."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from study.cli import main
from tests.in_process import no_ray
from tests.integration.test_cli_launch import SMALL, ockham

pytestmark = [pytest.mark.slow, pytest.mark.ends]


def everything(home: Path) -> dict[str, tuple[int, str]]:
    """Each file with when it was written and what is in it."""
    files = [path for path in sorted(home.rglob("*")) if path.is_file()]
    return {str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()) for path in files}


def artifacts(home: Path) -> list[Path]:
    return sorted(path for path in (home / "mlartifacts").rglob("*") if path.is_file())


def test_a_copy_and_a_move_go_on_by_themselves(tmp_path: Path) -> None:
    first, copy, moved = tmp_path / "h1", tmp_path / "h2", tmp_path / "h3"
    where = ["--home", str(first), "--data-dir", str(first / "sets")]
    with no_ray():
        assert main(["launch", "--name", "small", "--trials", "1", *where, *SMALL]) == 0
    (first / "sets").mkdir(exist_ok=True)
    subprocess.run(["cp", "-r", str(first), str(copy)], check=True)
    before = everything(first)

    resumed = ockham(copy, "resume", "small", "--trials", "+1", "--no-progress", program="tests.in_process")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert f"{copy} is a copy of {first}, where small still is" in " ".join(resumed.stdout.split())
    assert everything(first) == before
    assert artifacts(copy)

    before = everything(copy)
    subprocess.run(["mv", str(first), str(moved)], check=True)
    resumed = ockham(moved, "resume", "small", "--no-progress")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert " is a copy of " not in resumed.stdout
    assert not first.exists(), "an old place is not made again"
    assert everything(copy) == before
    assert artifacts(moved)
