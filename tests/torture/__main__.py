"""`make torture`: a study of real trials whose processes are killed at random, compared with one that was left alone.

    python -m tests.torture --kills 100 --seed 0

kills drivers, workers, Ray's own processes and publishers, resumes what died, and extends the study for as long as
there are kills left. Then the same study runs undisturbed, and every record of both is compared: ledger, Optuna's
tables, MLflow, files. Exit code 1 if anything was lost, is there twice or differs.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from study.ledger import Ledger, StudyNotFound
from tests.torture.snapshot import differences, snapshot
from tests.torture.study import config, drive
from tests.torture.victims import KINDS, bury, family, find, kill

NAME = "torture"
MORE = 12  # trials that the study is extended by when it ends before the killing does
MOST_WORKER_KILLS = 2  # a trial fails, rightly, at the third
# From when there is one to when it is killed; a driver is there before its trials run.
LONGEST_S = {"driver": 8.0, "worker": 2.5, "raylet": 6.0, "gcs_server": 6.0, "publisher": 4.0}
STUCK_S = 600.0  # without any change in the ledger, however busy the machine is


class Torture:
    """One study and its killer.

    Args:
        kills: How many processes to kill.
        seed: Of the choice of victims and of delays (what these hit depends on the machine's speed).
    """

    def __init__(self, home: Path, trials: int, kills: int, seed: int) -> None:
        self.home, self.trials, self.wanted = home, trials, kills
        self.kills: Counter[str] = Counter()
        self.exits: Counter[int] = Counter()
        self._random = random.Random(seed)
        self._begun = time.monotonic()
        self._seen, self._since, self._looked = "", self._begun, 0.0
        self.seconds = 0.0

    def run(self) -> None:
        """Until all kills are done and the study has ended."""
        before: list[psutil.Process] = []
        while True:
            driver = drive(self.home, NAME, self.trials)
            try:
                relatives = self._life(driver)
            finally:
                if driver.poll() is None:  # Ctrl-C, or stuck
                    bury([psutil.Process(driver.pid), *family(driver), *before])
            self.exits[driver.returncode] += 1
            bury(before)
            before = relatives
            if driver.returncode == 0:
                if self.kills.total() >= self.wanted:
                    break
                self.trials += MORE
                self._say(f"the study ended; extended to {self.trials} trials")
            elif driver.returncode not in (-9, 130):
                self._say(f"the driver went with exit code {driver.returncode}: {_last_line(self.home)}")
        bury(before)
        self.seconds = time.monotonic() - self._begun

    def _life(self, driver: "subprocess.Popen[str]") -> list[psutil.Process]:
        """Of one driver: kills until it is dead, or lets it come to its end. Returns its last known descendants."""
        relatives: list[psutil.Process] = []
        while driver.poll() is None:
            left = self.wanted - self.kills.total()
            victim = self._random.choices(list(KINDS), list(KINDS.values()))[0] if left > 0 else None
            while victim is not None and driver.poll() is None and not find(driver, victim):
                time.sleep(0.1)
                self._look(driver)
            until = time.monotonic() + (self._random.uniform(0.0, LONGEST_S[victim]) if victim else 0.5)
            while time.monotonic() < until and driver.poll() is None:
                time.sleep(0.02)
            relatives = family(driver) or relatives
            if victim is not None and driver.poll() is None:
                self._strike(driver, victim)
            self._look(driver)
            if victim in ("driver", "raylet", "gcs_server") and not find(driver, victim):
                self._wait_for(driver)
        driver.wait()
        return relatives

    def _look(self, driver: "subprocess.Popen[str]") -> None:
        """Notes whether anything goes on.

        Raises:
            RuntimeError: Nothing has for long.
        """
        if time.monotonic() - self._looked < 2.0:
            return
        self._looked = time.monotonic()
        state = f"{driver.pid} {self._state()}"
        if state != self._seen:
            self._seen, self._since = state, time.monotonic()
        elif time.monotonic() - self._since > STUCK_S:
            raise RuntimeError(f"nothing has happened for {STUCK_S:.0f} s under the driver {driver.pid}: {self.home}")

    def _strike(self, driver: "subprocess.Popen[str]", victim: str) -> None:
        pids = find(driver, victim)
        charged = self._charged()
        if not pids or (victim == "worker" and charged is None):
            return
        if kill(self._random.choice(pids)):
            self.kills[victim] += 1
            self._say(f"{self.kills.total():4d}/{self.wanted}  {victim} killed")
        if victim == "worker":  # wait for it to be charged: who is hit next must be known not to be at its limit
            deadline = time.monotonic() + 5.0
            while driver.poll() is None and self._charged() == charged and time.monotonic() < deadline:
                time.sleep(0.1)

    def _charged(self) -> int | None:
        """Worker deaths so far; None where another one might be one too many for a trial."""
        try:
            ledger = Ledger.open(config(self.home, NAME, self.trials).ledger_url, NAME)
        except StudyNotFound:
            return None
        rows = ledger.trials()
        ledger.close()
        running = [row.charged for row in rows if row.state in ("RUNNING", "QUEUED")]
        return None if max(running, default=0) >= MOST_WORKER_KILLS else sum(row.charged for row in rows)

    def _wait_for(self, driver: "subprocess.Popen[str]") -> None:
        """Gives a driver that lost a process it can't do without the time to notice."""
        deadline = time.monotonic() + 60.0
        while driver.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)

    def _say(self, text: str) -> None:
        print(f"{time.monotonic() - self._begun:7.1f} s  {text}{self._state()}", flush=True)

    def _state(self) -> str:
        try:
            ledger = Ledger.open(config(self.home, NAME, self.trials).ledger_url, NAME)
        except StudyNotFound:
            return ""
        counts = ledger.counts()
        ledger.close()
        return f"; {counts['COMPLETE']} of {self.trials} trials complete, {counts['RUNNING']} running"


def main() -> int:
    """Runs it; 1 if there is any difference."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--trials", type=int, default=48, help="to begin with; more while there are kills left")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--home", type=Path, help="keep both studies here")
    parser.add_argument("--table", type=Path, metavar="FILE.md", help="write the table there as well")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ockham-torture-", ignore_cleanup_errors=True) as scratch:
        home = (options.home or Path(scratch)).absolute()
        torture = Torture(home / "tortured", options.trials, options.kills, options.seed)
        torture.run()
        print(f"now the same study of {torture.trials} trials, undisturbed", flush=True)
        calm = drive(home / "calm", NAME, torture.trials)
        if calm.wait():
            raise RuntimeError(f"the undisturbed study ended with {calm.returncode}; see {home / 'calm'}")
        expected, found = snapshot(home / "calm", NAME), snapshot(home / "tortured", NAME)
        wrong = differences(expected, found)
        for line in wrong[:50]:
            print(line)
        figures = _figures(torture, len(expected), wrong)
        _print(figures)
        if options.table:
            options.table.write_text(_markdown(figures), encoding="utf-8")
    return 1 if wrong else 0


def _figures(torture: Torture, records: int, wrong: list[str]) -> dict[str, str]:
    ledger = Ledger.open(config(torture.home, NAME, torture.trials).ledger_url, NAME)
    rows = ledger.trials()
    ledger.close()
    killed = {
        f"{kind}s killed" if kind != "gcs_server" else "Ray heads (GCS) killed": torture.kills[kind] for kind in KINDS
    }
    figures = killed | {
        "processes killed": torture.kills.total(),
        "drivers started": torture.exits.total(),
        "trials": len(rows),
        "attempts": sum(row.attempts for row in rows),
        "trials that were interrupted": sum(row.attempts > 1 for row in rows),
        "seconds for each kill, in which the study goes on": round(torture.seconds / max(1, torture.kills.total())),
        "records compared": records,
        "records lost": sum(line.startswith("lost") for line in wrong),
        "records there twice": sum(line.startswith("too many") for line in wrong),
        "records altered": sum(line.startswith("altered") for line in wrong),
    }
    return {what: f"{number:,}" for what, number in figures.items()}


def _print(figures: dict[str, str]) -> None:
    table = Table("what", "how many", title="Killed at random, resumed, compared")
    table.columns[1].justify = "right"
    for what, number in figures.items():
        table.add_row(what, number)
    Console(width=80).print(table)


def _markdown(figures: dict[str, str]) -> str:
    lines = ["| what | how many |", "|---|---:|", *(f"| {what} | {number} |" for what, number in figures.items())]
    return "\n".join(lines) + "\n"


def _last_line(home: Path) -> str:
    lines = (home / "driver.txt").read_text(errors="replace").split("\n")
    return next((line for line in reversed(lines) if line.strip()), "")[:200]


if __name__ == "__main__":
    sys.exit(main())
