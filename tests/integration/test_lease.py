"""One driver per study, with real processes that are killed for real."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from study.errors import LeaseHeld, LeaseLost
from study.ledger import Ledger, Proposal
from study.ledger.holder import Holder, this_process
from tests.studies_for_tests import a_ledger, a_study, dense

POINT = Proposal({"data.label_noise": 1, "model.width": 16})


def test_a_living_driver_is_named_at_once(tmp_path: Path) -> None:
    ledger = a_study(tmp_path)
    with driver(Ledger.create(ledger.ledger_url, ledger)) as (process, _):
        contender = Ledger.open(ledger.ledger_url, "tiny")
        began = time.monotonic()
        with pytest.raises(LeaseHeld, match=f"process {process.pid}") as caught:
            contender.acquire(wait_s=60)
        assert time.monotonic() - began < 30, "nothing to wait for on the same machine"
        assert caught.value.since.endswith("+00:00")
        with pytest.raises(LeaseLost, match="without having taken"):
            contender.propose([POINT])


@pytest.mark.parametrize("reaped", [True, False], ids=["dead", "zombie"])
def test_a_killed_driver_is_replaced_at_once(tmp_path: Path, reaped: bool) -> None:
    config = a_study(tmp_path)
    with driver(Ledger.create(config.ledger_url, config)) as (process, fence):
        os.kill(process.pid, signal.SIGKILL)
        if reaped:
            process.wait()
        else:
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        began = time.monotonic()
        assert Ledger.open(config.ledger_url, "tiny").acquire(wait_s=60) == fence + 1
        assert time.monotonic() - began < 30


def test_a_driver_that_was_taken_over_can_write_nothing(tmp_path: Path) -> None:
    old = a_ledger(tmp_path, proposals=1)
    attempt = old.start_attempt(0)
    held_elsewhere(old)
    new = Ledger.open(old.url, "tiny")
    new.acquire(wait_s=0.2)
    before = (new.trials(), new.outbox_size(), new.config)
    writes = [
        lambda: old.propose([POINT]),
        lambda: old.record(0, attempt, [dense(1, loss=1.0)]),
        lambda: old.finish(0, attempt, "COMPLETE"),
        lambda: old.requeue(0, charged=True),
        lambda: old.start_attempt(0),
        lambda: old.forget_delivered([1]),
        lambda: old.set_mlflow_run(0, "x"),
        lambda: old.set_trials(99),
        old.heartbeat,
        old.release,
        old.delete,
    ]
    for write in writes:
        with pytest.raises(LeaseLost, match="taken over"):
            write()
    assert (new.trials(), new.outbox_size(), Ledger.open(old.url, "tiny").config) == before
    publisher = Ledger.open(old.url, "tiny").with_fence(new.fence or 0)
    publisher.set_mlflow_run(0, "run-1")
    assert new.trial(0).mlflow_run_id == "run-1"


def test_a_driver_elsewhere_is_safe_while_its_heart_beats(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    held_elsewhere(ledger)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(0.2):
            ledger.heartbeat()

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        with pytest.raises(LeaseHeld, match="elsewhere"):
            Ledger.open(ledger.url, "tiny").acquire(wait_s=20)
    finally:
        done.set()
        heart.join()
    assert Ledger.open(ledger.url, "tiny").acquire(wait_s=0.5) == 2, "its heart stopped"


def test_a_released_lease_is_free(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.release()
    assert Ledger.open(ledger.url, "tiny").acquire(wait_s=60) == 2


def test_of_many_contenders_one_wins(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    ledger.release()
    fences: list[int] = []
    refused: list[LeaseHeld] = []

    def contend() -> None:
        try:
            fences.append(Ledger.open(ledger.url, "tiny").acquire(wait_s=5))
        except LeaseHeld as error:
            refused.append(error)

    threads = [threading.Thread(target=contend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fences == [2]
    assert len(refused) == 7


def test_who_lives_is_known_only_of_processes_in_sight() -> None:
    me = this_process()
    assert me.fate() == "alive"
    assert replace(me, started="0").fate() == "dead", "the number was given to a later process"
    assert replace(me, boot="another").fate() == "unknown"
    assert replace(me, pids="pid:[1]").fate() == "unknown", "a container with process numbers of its own"


def held_elsewhere(ledger: Ledger) -> None:
    """Makes the lease look as if taken on another machine."""
    holder = Holder(host="elsewhere", user="u", boot="another boot", pids="", pid=1, started="1")
    engine = create_engine(ledger.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ockham_leases SET holder = :h"), {"h": json.dumps(holder.as_json())})
    engine.dispose()


@contextmanager
def driver(ledger: Ledger) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that takes the lease and sits on it; killed at the end."""
    code = f"""
        import time
        from study.ledger import Ledger
        print(Ledger.open({ledger.url!r}, {ledger.name!r}).acquire(), flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise RuntimeError("no pipe")
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
