"""A driver that sleeps through its own replacement; nodes that are gone from one moment to the next."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from study.ledger import Ledger, StudyNotFound, TrialRow
from study.ledger.holder import Holder
from tests.torture.cluster import QUIET, cluster
from tests.torture.snapshot import Snapshot, differences, snapshot
from tests.torture.study import config, drive
from tests.torture.victims import bury, family, find, kill

pytestmark = [pytest.mark.slow, pytest.mark.kills]
NAME, TRIALS = "sudden", 4
PATIENCE_S = 900.0


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What the study leaves that nobody touched."""
    home = tmp_path_factory.mktemp("calm")
    assert drive(home, NAME, TRIALS).wait(timeout=PATIENCE_S) == 0
    return snapshot(home, NAME)


def test_a_driver_that_was_asleep_too_long_writes_nothing_and_goes(calm: Snapshot, tmp_path: Path) -> None:
    sleeper = drive(tmp_path, NAME, TRIALS)
    relatives: list[psutil.Process] = []
    try:
        until(lambda: any(row.state == "RUNNING" and row.metrics for row in rows(tmp_path)), sleeper)
        sleeper.send_signal(signal.SIGSTOP)
        relatives = family(sleeper)
        held_elsewhere(tmp_path)  # on this machine a process that sleeps is known to live, and keeps its study
        assert drive(tmp_path, NAME, TRIALS).wait(timeout=PATIENCE_S) == 0
        after = snapshot(tmp_path, NAME)
        sleeper.send_signal(signal.SIGCONT)
        assert sleeper.wait(timeout=60) == 4
    finally:
        end(sleeper, relatives)
    assert "was taken over by" in (tmp_path / "driver.txt").read_text()
    assert snapshot(tmp_path, NAME) == after, "it wrote something"
    assert differences(calm, after) == []


def test_a_node_that_is_gone_costs_its_trials_nothing(calm: Snapshot, tmp_path: Path) -> None:
    with cluster(cpus=0) as nodes:
        doomed = [nodes.add_node(num_cpus=1, **QUIET) for _ in range(2)]
        driver = drive(tmp_path, NAME, TRIALS, address=nodes.address)
        try:
            until(lambda: [row.state for row in rows(tmp_path)].count("RUNNING") == 2, driver)
            nodes.remove_node(doomed[0], allow_graceful=False)
            nodes.add_node(num_cpus=1, **QUIET)
            assert driver.wait(timeout=PATIENCE_S) == 0
        finally:
            end(driver, [])
    found = rows(tmp_path)
    assert [row.charged for row in found] == [0] * TRIALS
    assert max(row.attempts for row in found) == 2
    assert "its node is gone" in (tmp_path / "driver.txt").read_text()
    assert differences(calm, snapshot(tmp_path, NAME)) == []


@pytest.mark.parametrize("victim", ["raylet", "gcs_server"])
def test_a_local_ray_that_dies_ends_the_driver_and_the_next_goes_on(
    victim: str, calm: Snapshot, tmp_path: Path
) -> None:
    driver = drive(tmp_path, NAME, TRIALS)
    relatives: list[psutil.Process] = []
    try:
        until(lambda: any(row.state == "RUNNING" for row in rows(tmp_path)), driver)
        relatives = family(driver)
        assert kill(find(driver, victim)[0])
        assert driver.wait(timeout=PATIENCE_S) not in (0, 2, 3, 4)
    finally:
        end(driver, relatives)
    assert drive(tmp_path, NAME, TRIALS).wait(timeout=PATIENCE_S) == 0
    assert sum(row.charged for row in rows(tmp_path)) == 0
    assert differences(calm, snapshot(tmp_path, NAME)) == []


def rows(home: Path) -> list[TrialRow]:
    """The study's trials, as soon as there is a study."""
    try:
        ledger = Ledger.open(config(home, NAME, TRIALS).ledger_url, NAME)
    except StudyNotFound:
        return []
    found = ledger.trials()
    ledger.close()
    return found


def held_elsewhere(home: Path) -> None:
    """Makes the lease look as if its holder was on another machine, where nobody can look."""
    engine = create_engine(config(home, NAME, TRIALS).ledger_url)
    with engine.begin() as connection:
        holder = Holder(**json.loads(connection.execute(text("SELECT holder FROM ockham_leases")).scalar_one()))
        moved = replace(holder, host="elsewhere", boot="another boot")
        connection.execute(text("UPDATE ockham_leases SET holder = :h"), {"h": json.dumps(moved.as_json())})
    engine.dispose()


def until(condition: Callable[[], bool], driver: "subprocess.Popen[str] | None" = None) -> None:
    """Waits for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        assert driver is None or driver.poll() is None, "the driver ended before"
        time.sleep(0.05)


def end(driver: "subprocess.Popen[str]", relatives: list[psutil.Process]) -> None:
    """Leaves nothing running."""
    if driver.poll() is None:
        os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    bury(relatives)
