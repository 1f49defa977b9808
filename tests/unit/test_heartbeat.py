"""The lease's heart beats from its taking to its return: another machine takes a silent driver for dead."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from study.execution import driver, watch
from study.ledger import Ledger
from tests.studies_for_tests import a_study


class Enough(Exception):
    """Ends a run before Ray starts."""


def test_it_beats_before_the_trials_and_until_the_storage_has_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: dict[str, int] = {}

    def slow(ledger: Ledger, when: str) -> None:
        def count() -> int:
            lease = ledger.lease()
            assert lease is not None
            return lease.heartbeat

        before, deadline = count(), time.monotonic() + 5
        while count() < before + 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        beats[when] = count() - before

    @contextmanager
    def keeping(ledger: Ledger, *_others: object) -> Iterator[None]:
        try:
            yield
        finally:
            slow(ledger, "copying")

    def fetch(ledger: Ledger) -> Any:
        slow(ledger, "fetching")
        raise Enough

    monkeypatch.setattr(watch, "BEAT_S", 0.05)
    monkeypatch.setattr(driver, "safekeeping", keeping)
    monkeypatch.setattr(driver, "fetch_networks", fetch)
    with pytest.raises(Enough):
        driver.run(a_study(tmp_path))
    assert beats["fetching"] >= 2
    assert beats["copying"] >= 2
