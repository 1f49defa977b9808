"""A process dies at each of the places where dying could do harm; what is left in the end is as if none had.

One study lives through all deaths, extended where it has nothing left to do, and is compared at the end with one that
was left alone. What can only happen to a fresh study happens to three small ones of their own.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.crash_points import POINTS, VARIABLE
from study.ledger import Ledger, StudyNotFound
from tests.torture.cluster import shared_ray
from tests.torture.snapshot import Snapshot, differences, first, snapshot
from tests.torture.study import config, drive

pytestmark = [pytest.mark.slow, pytest.mark.kills]
NAME = "matrix"
FRESH = ("study made", "store unfinished", "study run made", "optuna study made")
# The first time is not always the one that hurts most.
TIMES = {"record uncommitted": 4, "record committed": 3, "start uncommitted": 2, "outbox read": 2, "batch sent": 2}
# Optuna's tables are brought up to date every few seconds, and one of these has to meet a trial that runs.
MORE = {"optuna trial told": 8, "optuna trial finished": 8}
TIMEOUT_S = 900


class Patient:
    """A study that is killed and resumed.

    Args:
        address: Of the Ray that its drivers share; workers there know nothing of the environment of a driver.
    """

    def __init__(self, home: Path, address: str | None = None) -> None:
        self.home, self.trials, self._address = home, 4, address

    def survives(self, point: str, mark: Path) -> bool:
        """Runs until somebody dies at `point`, or to the end. Whether the driver came to its end."""
        address = None if point.startswith("checkpoint") else self._address
        crash = {VARIABLE: f"{point}:{TIMES.get(point, 1)}:{mark}"}
        code = self._run(crash, address=address)
        assert mark.exists(), f"nothing came to {point!r}; the driver ended with {code}"
        # 130: on a busy machine tracking may not have caught up with the death of its publisher; a resume sees to it.
        assert code in (0, 130, -9), f"after a death at {point!r} the driver ended with {code}"
        return code == 0

    def run(self) -> None:
        """To the end, resumed while tracking has not caught up."""
        codes = [self._run({}, address=self._address)]
        while codes[-1] == 130 and len(codes) < 3:
            codes.append(self._run({}, address=self._address))
        assert codes[-1] == 0, codes

    def extend(self, by: int = 2) -> None:
        """Sees to it that there is something to do."""
        if self.count("COMPLETE") == self.trials:
            self.trials += by

    def count(self, state: str) -> int:
        """Trials in a state."""
        try:
            ledger = Ledger.open(config(self.home, NAME, self.trials).ledger_url, NAME)
        except StudyNotFound:
            return 0
        found = ledger.counts()[state]
        ledger.close()
        return found

    def _run(self, environment: dict[str, str], address: str | None) -> int:
        driver = drive(self.home, NAME, self.trials, environment, address=address)
        try:
            return driver.wait(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"stuck:\n{(self.home / 'driver.txt').read_text()}") from None
        finally:
            if driver.poll() is None:
                os.kill(driver.pid, 9)
                driver.wait()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with shared_ray() as found:
        yield found


@pytest.fixture(scope="module")
def patient(address: str, tmp_path_factory: pytest.TempPathFactory) -> Patient:
    return Patient(tmp_path_factory.mktemp("patient"), address)


@pytest.fixture(scope="module")
def calm(address: str, patient: Patient, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What the study leaves that nobody touched."""
    undisturbed = Patient(tmp_path_factory.mktemp("calm"), address)
    undisturbed.trials = patient.trials
    undisturbed.run()
    return snapshot(undisturbed.home, NAME)


@pytest.mark.parametrize("point", [point for point in POINTS if point not in FRESH])
def test_death_at(point: str, patient: Patient, tmp_path: Path) -> None:
    if point.startswith("requeue") and not patient.count("RUNNING"):
        patient.extend()
        patient.survives("start committed", tmp_path / "before")
    patient.extend(MORE.get(point, 2))
    ended = patient.count("COMPLETE")
    patient.survives(point, tmp_path / "mark")
    assert patient.count("COMPLETE") >= ended
    assert patient.count("FAILED") == 0


def test_in_the_end_nothing_is_lost_doubled_or_altered(patient: Patient, calm: Snapshot) -> None:
    patient.run()
    assert differences(calm, snapshot(patient.home, NAME)) == []


@pytest.mark.parametrize("point", FRESH)
def test_death_of_a_fresh_study_at(point: str, address: str, calm: Snapshot, tmp_path: Path) -> None:
    fresh = Patient(tmp_path / "home", address)
    if not fresh.survives(point, tmp_path / "mark"):
        fresh.run()
    assert differences(first(calm, fresh.trials), snapshot(fresh.home, NAME)) == []
