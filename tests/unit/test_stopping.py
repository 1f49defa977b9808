"""Interrupts: the first stops a study in order, the second at once, whatever it was stopping for already."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from study.events import Silent
from study.execution.finishing import conclude
from study.stop_flag import Signals, StopFlag, without_interrupts
from tests.unit.cli_ledgers import ledger

pytestmark = pytest.mark.slow


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


class Deaf:
    """Its end is a place where Python raises nothing."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def _wait_beside_the_deaf() -> None:
    Deaf()  # for nobody: it ends here
    threading.Event().wait(60.0)


@pytest.mark.parametrize("at_once", [True, False])
def test_an_interrupt_that_falls_where_nothing_can_be_raised_comes_once_more(
    at_once: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    flag, complain = StopFlag(), sys.unraisablehook
    signals = Signals(flag)
    signals.install()
    try:
        signals.at_once = at_once
        if not at_once:
            signal.raise_signal(signal.SIGINT)  # the first of two
        begun = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            _wait_beside_the_deaf()
        assert time.monotonic() - begun < 30, "the wait is over"
    finally:
        signals.restore()
    assert flag.reason == "interrupted by SIGINT"
    assert "KeyboardInterrupt" not in capsys.readouterr().err
    assert sys.unraisablehook is complain


def test_an_interrupted_study_that_was_stopping_does_not_wait_for_its_report(tmp_path: Path) -> None:
    study, flag = ledger(tmp_path), StopFlag()
    flag.raise_for("time budget spent")
    flag.interrupt("interrupted by SIGINT")
    assert conclude(study, Silent(), flag).page is None


def test_what_has_to_be_put_in_order_is_put_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    flag = StopFlag()
    signals = Signals(flag)
    signals.install()
    try:
        signal.raise_signal(signal.SIGINT)
        with without_interrupts():
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.raise_signal(number)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr("study.stop_flag.LONGEST_ORDER_S", -1.0)  # it hangs, that is
        with without_interrupts(), pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    finally:
        signals.restore()


# A command, struck by a signal when it first imports a module: as by someone who has changed their mind at once.
STRUCK = """
import os, signal, sys
_, number, where, *sys.argv[1:] = sys.argv

class Strike:
    def find_spec(self, name, path=None, target=None):
        if name == where:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), getattr(signal, number))

sys.meta_path.insert(0, Strike())
signal.signal(signal.SIGINT, signal.default_int_handler)
from study.cli import main
sys.exit(main())
"""
# Struck in its last moment, when Python tidies up.
STRUCK_LATE = """
import atexit, os, signal, sys
_, number, *sys.argv[1:] = sys.argv
atexit.register(lambda: os.kill(os.getpid(), getattr(signal, number)))
signal.signal(signal.SIGINT, signal.default_int_handler)
from study.cli import main
sys.exit(main())
"""
LAUNCH = ("launch", "redundancy", "--trials", "2")


@pytest.mark.parametrize(
    ("number", "where", "command"),
    [
        ("SIGINT", "typer", LAUNCH),
        ("SIGINT", "study.settings.loading", LAUNCH),
        ("SIGTERM", "pydantic", LAUNCH),
        ("SIGTERM", "study.execution.driver", LAUNCH),
        ("SIGTERM", "study.operations.confirming", ("confirm", "small")),
        ("SIGINT", "study.operations.status", ("status",)),
    ],
)
def test_whoever_interrupts_is_answered_from_the_first_moment(
    number: str, where: str, command: tuple[str, ...], tmp_path: Path
) -> None:
    ledger(tmp_path).close()
    words = [sys.executable, "-c", STRUCK, number, where, *command, "--home", str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 130
    assert ended.stderr == ("Stopped.\n" if command == ("status",) else "Stopped; the same command goes on with it.\n")


@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_an_end_that_has_been_said_stays_that_end(number: str, tmp_path: Path) -> None:
    words = [sys.executable, "-c", STRUCK_LATE, number, "resume", "absent", "--home", str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "'absent'" in ended.stderr
    assert "KeyboardInterrupt" not in ended.stderr
