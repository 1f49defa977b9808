"""Whatever an MLflow server does while a study runs, in the end it has what the ledger has, once."""

import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from study.ledger import Ledger, StudyNotFound
from tests.torture.cluster import shared_ray
from tests.torture.faults import delayed, failing
from tests.torture.snapshot import Snapshot, differences, first, snapshot
from tests.torture.study import config, drive
from tests.torture.tracking import Proxy, Server

pytestmark = [pytest.mark.slow, pytest.mark.kills]
NAME, TRIALS = "tracked", 4
PATIENCE_S = 900.0
LONGER_THAN_A_REQUEST_WAITS_S = 12.0

Disturbance = Callable[[Proxy, Path], None]


def killed(proxy: Proxy, home: Path) -> None:
    """While most trials run."""
    proxy.server.kill()
    until(lambda: complete(home) >= TRIALS - 1)
    proxy.server.start()


def frozen(proxy: Proxy, home: Path) -> None:
    """Requests time out; when it wakes, it carries them all out."""
    proxy.server.freeze()
    time.sleep(LONGER_THAN_A_REQUEST_WAITS_S)
    proxy.server.thaw()


def refusing(proxy: Proxy, home: Path) -> None:
    """500, to everything."""
    proxy.fault = lambda: failing
    until(lambda: proxy.faults >= 3)
    proxy.fault = lambda: None


def slow(proxy: Proxy, home: Path) -> None:
    """Half a second for everything, to the end."""
    proxy.fault = lambda: delayed


def emptied(proxy: Proxy, home: Path) -> None:
    """It comes back without anything that it was told."""
    proxy.server.kill()
    proxy.server.forget()
    proxy.server.start()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with shared_ray() as found:
        yield found


@pytest.fixture(scope="module")
def calm(address: str, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What the study leaves with a store that gives no trouble."""
    home = tmp_path_factory.mktemp("calm")
    assert ends(drive(home, NAME, TRIALS + 2, address=address)) == 0
    return snapshot(home, NAME)


@pytest.fixture
def proxy(tmp_path: Path) -> Iterator[Proxy]:
    found = Proxy(Server(tmp_path / "server"))
    yield found
    found.close()
    found.server.kill()


@pytest.mark.parametrize("disturb", [killed, frozen, refusing, slow, emptied], ids=lambda found: found.__name__)
def test_in_the_middle_of_a_study(
    disturb: Disturbance, proxy: Proxy, address: str, calm: Snapshot, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    driver = drive(home, NAME, TRIALS, tracking_uri=proxy.uri, address=address)
    until(lambda: runs(proxy.server) >= 2, driver)
    disturb(proxy, home)
    code = ends(driver)
    assert code in (0, 130)
    if code == 130:
        assert "tracking is not complete yet" in (home / "driver.txt").read_text()
        assert ends(drive(home, NAME, TRIALS, tracking_uri=proxy.uri, address=address)) == 0
    assert differences(first(calm, TRIALS), snapshot(home, NAME, mlflow=proxy.server.store)) == []


def test_emptied_after_the_study_and_told_again_when_it_is_extended(
    proxy: Proxy, address: str, calm: Snapshot, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert ends(drive(home, NAME, TRIALS, tracking_uri=proxy.uri, address=address)) == 0
    emptied(proxy, home)
    assert ends(drive(home, NAME, TRIALS + 2, tracking_uri=proxy.uri, address=address)) == 0
    assert f"MLflow has lost {TRIALS} trials" in (home / "driver.txt").read_text()
    assert differences(calm, snapshot(home, NAME, mlflow=proxy.server.store)) == []


def ends(driver: "subprocess.Popen[str]") -> int:
    """Its exit code."""
    try:
        return driver.wait(timeout=PATIENCE_S)
    finally:
        driver.kill()
        driver.wait()


def until(condition: Callable[[], bool], driver: "subprocess.Popen[str] | None" = None) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        assert driver is None or driver.poll() is None, "the driver ended before"
        time.sleep(0.05)


def runs(server: Server) -> int:
    """That the server has, the study's included."""
    connection = sqlite3.connect(server.store, timeout=30)
    try:
        return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
    finally:
        connection.close()


def complete(home: Path) -> int:
    """Trials that the ledger has as complete."""
    try:
        ledger = Ledger.open(config(home, NAME, TRIALS).ledger_url, NAME)
    except StudyNotFound:
        return 0
    found = ledger.counts()["COMPLETE"]
    ledger.close()
    return found
