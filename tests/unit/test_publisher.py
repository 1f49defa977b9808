"""The publisher's process: what it says when it has done all, and what its log says when it can't."""

import io
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from study.ledger import Ledger
from study.tracking import delivering, publisher
from study.tracking.delivering import Publisher
from study.tracking.projecting import Projection
from study.tracking.publisher import serve
from tests.studies_for_tests import a_ledger

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
ORDER = '{"do": "end", "status": "FINISHED", "summary": {}, "artifacts": ""}\n'


class Endless(io.StringIO):
    """A pipe that nobody closes."""

    def __init__(self, *lines: str) -> None:
        super().__init__()
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        for line in lines:
            self.lines.put(line)

    def __next__(self) -> str:
        return self.lines.get()


def served(ledger: Ledger) -> list[str]:
    """The events of a publisher that is told to end."""
    said: list[str] = []
    serve(ledger, Endless(ORDER), lambda event, _text: said.append(event))
    return said


def test_a_driver_that_died_in_the_middle_of_a_word_has_ordered_nothing(tmp_path: Path) -> None:
    said: list[str] = []
    serve(a_ledger(tmp_path), io.StringIO(ORDER[:30]), lambda event, _text: said.append(event))
    assert "drained" not in said
    assert "behind" not in said


def test_it_has_drained_when_optuna_has_everything_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    ledger.finish(0, ledger.start_attempt(0), "COMPLETE")
    monkeypatch.setattr(Projection, "PAUSE_S", 0.01)

    def locked(ledger: Ledger) -> None:
        raise RuntimeError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr("study.tracking.optuna_projection.OptunaProjection", locked)
        assert served(ledger) == ["behind"]
    assert served(ledger) == ["drained"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere niceness is a process's, and stays")
def test_it_steps_back_only_while_trials_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = a_ledger(tmp_path)
    orders, began = Endless(), threading.Event()
    nice: list[int] = []

    def note(*_: object) -> bool:
        nice.append(os.getpriority(os.PRIO_PROCESS, 0))
        began.set()
        return True

    monkeypatch.setattr(Publisher, "round", note)
    monkeypatch.setattr(Publisher, "end", note)
    server = threading.Thread(target=serve, args=(ledger, orders, lambda *_: None))
    server.start()
    assert began.wait(20)
    orders.lines.put(ORDER)
    server.join(20)
    assert (nice[0], nice[-1]) == (publisher.NICENESS, os.getpriority(os.PRIO_PROCESS, 0))


def test_a_round_that_lasts_beyond_the_last_trial_is_left_to_a_process_that_stays_in_front(tmp_path: Path) -> None:
    a_ledger(tmp_path).close()
    code = """
import pathlib, sys, time
from study.ledger import Ledger
from study.tracking import publisher
from study.tracking.delivering import Publisher
home, name, trials_run = sys.argv[1:]
publisher.LAST_ROUND_S = 0.1
Publisher.round = lambda _: (print("round", flush=True), time.sleep(60))
Publisher.end = lambda *_: True
publisher.Projection.update = lambda *_, **__: True
ledger = Ledger.open(f"sqlite:///{home}/{name}/study.db", name).with_fence(1)
publisher.serve(ledger, sys.stdin, lambda event, _: print(event), trials_run=trials_run == "yes")
"""
    name = next(path.parent.name for path in tmp_path.glob("*/study.db"))
    for trials_run, outcome in {"yes": (1, ""), "no": (0, "drained\n")}.items():
        asks = [sys.executable, "-c", code, str(tmp_path), name, trials_run]
        with subprocess.Popen(asks, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            assert trials_run == "no" or process.stdout.readline() == "round\n"
            process.stdin.write(ORDER)
            process.stdin.flush()
            assert (process.wait(50), process.stdout.read()) == outcome


def test_mlflow_is_told_before_optunas_storage_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    orders, both = Endless(), threading.Event()
    turns: list[str] = []

    def tell(*_: object) -> bool:
        turns.append("mlflow")
        return False

    def project(*_: object, **_last: bool) -> bool:
        turns.append("optuna")
        both.set()
        return True

    monkeypatch.setattr(Publisher, "round", tell)
    monkeypatch.setattr(Publisher, "end", lambda *_: True)
    monkeypatch.setattr(Projection, "update", project)
    server = threading.Thread(target=serve, args=(a_ledger(tmp_path), orders, lambda *_: None))
    server.start()
    assert both.wait(20)
    orders.lines.put(ORDER)
    server.join(20)
    assert turns[:2] == ["mlflow", "optuna"]


def test_its_process_loads_only_what_it_needs_before_mlflow() -> None:
    asks = (
        "import sys; from study.tracking import publisher; print({*sys.modules} & {'optuna', 'pandas', 'ray', 'torch'})"
    )
    assert subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_a_day_of_failures_leaves_one_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    ledger = a_ledger(tmp_path)

    def down(*_: object) -> None:
        raise ConnectionError("refused\nin many words")

    monkeypatch.setattr(delivering, "MlflowSink", down)
    monkeypatch.setattr("study.tracking.optuna_projection.OptunaProjection", down)
    tracked, projected = Publisher(ledger, lambda *_: None), Projection(ledger)
    for _ in range(5):
        assert not tracked.round()
        assert not projected.update(last=True)
    logged = capsys.readouterr().err
    assert logged.count("Traceback") == 2
    assert logged.count("again: ConnectionError: refused\n") == 8
