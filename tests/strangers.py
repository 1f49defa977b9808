"""A second user of the machine, `nobody`, who attacks what is there; only root can be two users."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534
_HEAD = "import json, os, sys\nfrom pathlib import Path\narguments = sys.argv[1:]\n"
_TRIED = """
def tried(act):
    try:
        act()
    except OSError as error:
        return type(error).__name__
    return "done"
"""

root_only = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can act as another user"
)


def as_nobody(code: str, *arguments: str | Path) -> Any:
    """Runs Python code as `nobody`; what it assigns to `result`, through JSON.

    It finds `arguments`, `Path`, and `tried(act)`: "done" or the name of the OSError.
    """
    ended = subprocess.run(
        [_python(), "-I", "-c", f"{_HEAD}{_TRIED}{code}\nprint(json.dumps(result))", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={},
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@contextmanager
def nobodys_process(code: str) -> Iterator["subprocess.Popen[str]"]:
    """Python code that `nobody` runs meanwhile; its input is closed at the end, upon which it should end."""
    process = subprocess.Popen(
        [_python(), "-I", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        cwd="/",
        env={},
    )
    try:
        yield process
    finally:
        process.communicate(timeout=60)


@contextmanager
def public_folder() -> Iterator[Path]:
    """A folder that everybody may enter and read, as a home directory is on many machines."""
    path = Path(tempfile.mkdtemp(prefix="t", dir="/tmp"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@cache
def _python() -> str:
    """An interpreter that `nobody` may run: that of a virtual environment may lie in root's own folder."""
    for python in (os.path.realpath(sys.executable), shutil.which("python3", path="/usr/bin:/usr/local/bin")):
        if python and _may_run(python):
            return python
    pytest.skip("there is no Python here that another user may run")


def _may_run(python: str) -> bool:
    try:
        subprocess.run(
            [python, "-I", "-c", ""], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", check=True, env={}
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
