"""A viewer that goes away, a closed terminal or a log on a full disk never ends the work."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from study.stop_flag import Signals, StopFlag

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
# As `ockham launch` prints: plain lines and rich's, for as long as it runs, and at its end.
WORK = """
import sys
from study import cli
def work(arguments):
    from study.display import terminal
    for number in range(3000):
        print("a line of some length", number)
        terminal().print("and one of rich's", number)
    print("the end", file=sys.stderr)
    return 7
cli._run = work
sys.exit(cli.main([sys.argv[1]]))
"""


@pytest.mark.parametrize("command", ["launch", "resume"])
def test_a_reader_that_leaves_ends_nothing(command: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == "a line of some length 0\n"
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 7
    assert said == "stdout can't be written any more (Broken pipe); the work goes on.\nthe end\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("command", ["launch", "trials"])
def test_a_full_disk_ends_nothing_but_what_was_to_be_written_there(command: str) -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.run([sys.executable, "-c", WORK, command], cwd=ROOT, stdout=full, stderr=full, check=False)
    assert (process.returncode == 7) == (command == "launch")


@pytest.mark.parametrize("command", ["launch", "trials"])
def test_a_log_without_unicode_loses_no_line(command: str) -> None:
    work = WORK.replace("a line of some length", "a line … long").replace("3000", "3")
    process = subprocess.run(
        [sys.executable, "-c", work, command],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert (process.returncode, process.stderr) == (7, "the end\n")
    assert [line for line in process.stdout.splitlines() if "long" in line] == [
        f"a line \\u2026 long {n}" for n in range(3)
    ]


def test_who_asked_for_it_is_not_ended_by_a_closed_terminal() -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals are the main thread's")
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    flag = StopFlag()
    signals = Signals(flag)
    try:
        signals.install()
        os.kill(os.getpid(), signal.SIGHUP)
        assert not flag
        signals.restore()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signals.install()
        os.kill(os.getpid(), signal.SIGHUP)
        assert flag.reason == "interrupted by SIGHUP"
    finally:
        signals.restore()
        signal.signal(signal.SIGHUP, before)


def test_who_interrupts_is_answered_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    signals = Signals(StopFlag())
    try:
        signals.install()
        os.kill(os.getpid(), signal.SIGINT)
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon and "_say_stopping" in thread.name:
                thread.join()
        assert "Stopping: what runs is saved first" in capsys.readouterr().err
    finally:
        signals.restore()
