"""Crash points: named in one place, idle unless asked for, deadly once."""

import re
import subprocess
import sys
from pathlib import Path

from study.crash_points import POINTS, VARIABLE

ROOT = Path(__file__).parents[2]
LOOP = """
from study.crash_points import crash_if_asked
for passed in range(5):
    print(passed, flush=True)
    crash_if_asked("asked")
    crash_if_asked("drained")
"""


def test_every_point_that_can_be_reached_has_its_name_in_the_list() -> None:
    sources = [path.read_text() for folder in ("study", "trainables") for path in (ROOT / folder).rglob("*.py")]
    named = {name for text in sources for name in re.findall(r'(?:crash_if_asked|_on_moment)\("([^"{]+)"\)', text)}
    writes = {f"{what} {when}" for when in ("uncommitted", "committed") for what in writes_of_the_ledger()}
    assert named <= set(POINTS)
    assert set(POINTS) <= named | writes
    assert len(POINTS) == len(set(POINTS))


def writes_of_the_ledger() -> set[str]:
    """As the ledger names its transactions."""
    sources = [path.read_text() for path in (ROOT / "study" / "ledger").glob("*.py")]
    return {name for text in sources for name in re.findall(r'\b(?:writing|write)\("([^"]+)"', text)}


def test_nothing_happens_unless_asked_for() -> None:
    assert passes("") == (0, 5)
    assert passes("networks written:1") == (0, 5)


def test_it_kills_at_the_time_asked_for_and_one_process_only(tmp_path: Path) -> None:
    mark = tmp_path / "with: a colon"
    assert passes("asked") == (-9, 1)
    assert passes(f"drained:3:{mark}") == (-9, 3)
    assert mark.exists()
    assert passes(f"drained:3:{mark}") == (0, 5)


def passes(asked: str) -> tuple[int, int]:
    """Exit code of a process that comes to two points five times, and how often it got there."""
    command, environment = [sys.executable, "-c", LOOP], {VARIABLE: asked}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    return ran.returncode, len(ran.stdout.splitlines())
