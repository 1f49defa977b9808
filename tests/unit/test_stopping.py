"""Interrupts: the first stops a study in order, the second at once, whatever it was stopping for already."""

import signal
from pathlib import Path

import pytest

from study.events import Silent
from study.execution.finishing import conclude
from study.stop_flag import Signals, StopFlag
from tests.unit.cli_ledgers import ledger


@pytest.mark.parametrize("before", ["", "time budget spent", "stop requested", "Ray died"])
def test_the_second_interrupt_ends_all_patience(before: str) -> None:
    flag = StopFlag()
    signals = Signals(flag)
    signals.install()
    try:
        if before:
            flag.raise_for(before)
        assert not flag.hurried
        signal.raise_signal(signal.SIGINT)
        assert flag.hurried
        assert flag.reason == (before or "interrupted by SIGINT")
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        signals.restore()


def test_an_interrupted_study_that_was_stopping_does_not_wait_for_its_report(tmp_path: Path) -> None:
    study, flag = ledger(tmp_path), StopFlag()
    flag.raise_for("time budget spent")
    flag.interrupt("interrupted by SIGINT")
    assert conclude(study, Silent(), flag).page is None
