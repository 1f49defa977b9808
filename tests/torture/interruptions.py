"""Ends that a study may be given from outside, for real: it says so, leaves nothing behind, and loses nothing.

    python -m tests.torture.interruptions [KIND …] [--times N]

A study of real trials is struck at a random moment. A driver that has to stop does so in its own words, with exit code
130 and with nothing left behind; a disk that is full for a while is waited for. Then the study is resumed, and every
record of it compared with one that was left alone: ledger, Optuna's tables, MLflow, files.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.integration.driving import survivors
from tests.torture.snapshot import Snapshot, differences, snapshot
from tests.torture.study import drive
from tests.torture.victims import bury, family, find, kill

NAME, TRIALS = "interrupted", 8
LATEST_S = 3.0  # from the start of the first trials on
PATIENCE_S = 900.0  # a busy machine takes minutes for what an idle one does in ten seconds
DISK = "96m"  # of the small disk: Ray's own files and the study fit well

Driver = subprocess.Popen[str]


def sigterm_to_all(driver: Driver, _home: Path) -> None:
    """What systemd sends when it stops a service: SIGTERM to every process of it."""
    for process in [*family(driver), psutil.Process(driver.pid)]:
        _send(process.pid, signal.SIGTERM)


def sigterm_to_the_group(driver: Driver, _home: Path) -> None:
    """What a scheduler sends."""
    os.killpg(driver.pid, signal.SIGTERM)


def raylet(driver: Driver, _home: Path) -> None:
    """It is killed."""
    _kill_all(driver, "raylet")


def gcs_server(driver: Driver, _home: Path) -> None:
    """It is killed."""
    _kill_all(driver, "gcs_server")


def hanging_gcs_server(driver: Driver, _home: Path) -> None:
    """It answers nothing for a moment, and is then killed: whoever asks it something just then has no answer ever."""
    heads = find(driver, "gcs_server")
    for pid in heads:
        _send(pid, signal.SIGSTOP)
    time.sleep(0.7)
    for pid in heads:
        kill(pid)


def five_interrupts(driver: Driver, _home: Path) -> None:
    """An impatient Ctrl-C, to the whole group as a terminal sends it."""
    for _ in range(5):
        os.killpg(driver.pid, signal.SIGINT)
        time.sleep(0.15)


def disk_full(_driver: Driver, home: Path) -> None:
    """Not a byte is left for some seconds."""
    ballast = home / "ballast"
    deadline = time.monotonic() + random.uniform(1.0, 8.0)
    with ballast.open("wb", buffering=0) as file:
        while time.monotonic() < deadline:
            try:
                file.write(b"0" * 4096)
            except OSError:
                time.sleep(0.01)  # whatever is freed meanwhile is taken at once
    ballast.unlink()


_STRIKES = (sigterm_to_all, sigterm_to_the_group, raylet, gcs_server, hanging_gcs_server, five_interrupts, disk_full)
KINDS: dict[str, Callable[[Driver, Path], None]] = {strike.__name__: strike for strike in _STRIKES}


def _kill_all(driver: Driver, kind: str) -> None:
    for pid in find(driver, kind):
        kill(pid)


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def outcome(home: Path, kind: str, delay_s: float, calm: Snapshot) -> str:
    """What became of a study that was struck: `well`, `ended before`, or what is wrong."""
    driver = drive(home, NAME, TRIALS)
    relatives: list[psutil.Process] = []
    try:
        _wait_for(driver, home, "\nstart ", times=2)
        time.sleep(delay_s)
        relatives = family(driver)
        if driver.poll() is None:
            KINDS[kind](driver, home)
        code = _ended(driver)
        left = [one.name() for one in survivors(relatives, 10.0)] + [str(path) for path in home.glob(".ray/*")]
    finally:
        if driver.poll() is None:
            bury([psutil.Process(driver.pid)])
        bury(relatives)
    said = (home / "driver.txt").read_text(errors="replace")
    if left or code not in (0, 130) or f"finished {code}" not in said:
        return f"exit {code}, left {left}: {said[-800:]}"
    if code and (again := _ended(drive(home, NAME, TRIALS))) != 0:
        return f"resumed, it ended with {again}: {(home / 'driver.txt').read_text(errors='replace')[-800:]}"
    if wrong := differences(calm, snapshot(home, NAME)):
        return f"exit {code}; resumed, {len(wrong)} records differ: {'; '.join(wrong[:5])}"
    return "well" if code or kind == "disk_full" else "ended before"


def _ended(driver: Driver) -> int | None:
    """Its exit code; None, and it is no more, if it did not end by itself."""
    try:
        return driver.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        relatives = family(driver)
        bury([psutil.Process(driver.pid), *relatives])
        return None


def _wait_for(driver: Driver, home: Path, text: str, times: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (home / "driver.txt").read_text(errors="replace").count(text) < times:
        if driver.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"it never said {text!r}: {(home / 'driver.txt').read_text(errors='replace')}")
        time.sleep(0.02)


@contextmanager
def home_for(kind: str) -> Iterator[Path]:
    """An empty home, on a disk of its own where that is to be filled."""
    with tempfile.TemporaryDirectory(prefix="ockham-end-", ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        home.mkdir(mode=0o700)
        if kind != "disk_full":
            yield home
            return
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(home)], check=True)
        try:
            yield home
        finally:
            subprocess.run(["umount", "--lazy", str(home)], check=True)


def main() -> int:
    """Does each so often; 1 if one ended otherwise."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.interruptions")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)} (needs root: a disk of its own)")
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    random.seed(options.seed)
    root = os.geteuid() == 0
    kinds = options.kinds or [kind for kind in KINDS if root or kind != "disk_full"]
    wrong = 0
    with home_for("") as home:
        if drive(home, NAME, TRIALS).wait(PATIENCE_S):
            raise RuntimeError(f"the undisturbed study did not end well: {(home / 'driver.txt').read_text()}")
        calm = snapshot(home, NAME)
    print(f"{len(calm)} records of an undisturbed study", flush=True)
    ends: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    for turn in range(options.times):  # each kind in turn: whenever this is ended, all have been done about as often
        for kind in kinds:
            with home_for(kind) as home:
                end = outcome(home, kind, random.uniform(0.0, LATEST_S), calm)
            ends[kind][end.split(":")[0]] += 1
            wrong += end not in ("well", "ended before")
            print(f"{kind} {turn + 1}/{options.times}: {end}", flush=True)
    for kind in kinds:
        print(kind, dict(ends[kind]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
