"""Ends that a study may be given from outside, for real: each in its own words, 130, with nothing left behind.

python -m tests.torture.interruptions [KIND …] [--times N]
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.integration.driving import drive, read_until, survivors
from tests.torture.victims import family

TRIALS = 4


def sigterm_to_all(driver: psutil.Process) -> None:
    """What systemd sends when it stops a service: SIGTERM to every process of it."""
    for process in [*driver.children(recursive=True), driver]:
        _send(process.pid, signal.SIGTERM)


def sigterm_to_the_group(driver: psutil.Process) -> None:
    """What a scheduler sends."""
    os.killpg(driver.pid, signal.SIGTERM)


def raylet(driver: psutil.Process) -> None:
    """It is killed."""
    _kill(driver, "raylet")


def gcs_server(driver: psutil.Process) -> None:
    """It is killed."""
    _kill(driver, "gcs_server")


def five_interrupts(driver: psutil.Process) -> None:
    """An impatient Ctrl-C, to the whole group as a terminal sends it."""
    for _ in range(5):
        os.killpg(driver.pid, signal.SIGINT)
        time.sleep(0.15)


KINDS: dict[str, Callable[[psutil.Process], None]] = {
    end.__name__: end for end in (sigterm_to_all, sigterm_to_the_group, raylet, gcs_server, five_interrupts)
}


def _kill(driver: psutil.Process, name: str) -> None:
    for process in driver.children(recursive=True):
        if process.name() == name:
            _send(process.pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def interrupted(home: Path, kind: str, delay_s: float) -> tuple[int, str, list[str]]:
    """Exit code, what was said after the blow, and what is still there after ten seconds."""
    process = drive(home, kind, "long_nap", TRIALS)
    read_until(process, "start", times=2)
    time.sleep(delay_s)
    relatives = family(process)
    KINDS[kind](psutil.Process(process.pid))
    said, _ = process.communicate(timeout=120)
    left = [one.name() for one in survivors(relatives, 10.0)]
    left += [str(path) for path in home.glob(".ray/*")]
    return process.returncode, said, left


def main() -> int:
    """Does each so often; 1 if one ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.interruptions")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for kind in options.kinds or KINDS:
        ends: Counter[str] = Counter()
        for turn in range(options.times):
            with tempfile.TemporaryDirectory(prefix="ockham-end-", ignore_cleanup_errors=True) as folder:
                code, said, left = interrupted(Path(folder), kind, 0.3 * turn % 3)
            well = code == 130 and "finished 130" in said and not left
            ends["well" if well else f"exit {code}, left {left}: {said[-600:]}"] += 1
            wrong += not well
        print(kind, dict(ends), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
