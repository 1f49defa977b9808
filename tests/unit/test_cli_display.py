"""Displays render what they are told, at any width, and keep the terminal in order."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from study.display.board import Board
from study.display.frame import frame
from study.display.live import LiveDisplay
from study.display.painter import Painter
from study.display.plain import PlainDisplay
from study.display.running import run_study
from study.display.summary import print_summary
from study.display.words import duration, metric, setting, short_names, value
from study.events import Outcome, Silent
from study.execution import finishing
from study.ledger import TrialRow
from study.stop_flag import StopFlag
from tests.unit.cli_ledgers import METRICS, config, ledger
from tests.unit.report_frames import judged
from tests.unit.report_frames import make as frames
from trainables.record import Record

POINT = {"model.width": 16, "data.label_noise": 0.5}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def row(number: int, state: str = "COMPLETE", seconds: float = 10.0) -> TrialRow:
    """An ended trial."""
    params = config(Path("h")).space.config(POINT).flat()
    metrics = {"train/accuracy": 0.998, **METRICS} if state == "COMPLETE" else {}
    error = None if state == "COMPLETE" else "TrialDiverged: the loss is nan"
    return TrialRow(number, state, "design", params, metrics, {}, 1, "u", None, "f", seconds, error)  # type: ignore[arg-type]


def text_of(board: Board, width: int, height: int = 30) -> str:
    console = Console(record=True, width=width, file=io.StringIO())
    console.print(frame(board, width, height))
    return console.export_text()


def test_words() -> None:
    assert [duration(s) for s in (None, 7, 750, 11100, 187200)] == ["–", "0:07", "12:30", "3:05:00", "2 d 4 h"]
    assert [value(v) for v in (None, True, 0.5, 1e-5, (1, 2), "mlp")] == ["none", "true", "0.5", "1e-05", "1+2", "mlp"]
    assert short_names(["a.x", "b.x", "b.y"]) == {"a.x": "a.x", "b.x": "b.x", "b.y": "y"}
    assert setting({"model.width": 16, "data.label_noise": 0.5}) == "width=16 label_noise=0.5"
    assert metric({}, "gap/accuracy") == "–"
    assert metric(METRICS, "contrast/auc", interval=True) == "0.21 ±0.04"


def test_frame_shows_counts_stages_and_results() -> None:
    board = Board(config(Path("h")), {}, clock := Clock())
    for number in range(3):
        board.start(number, POINT)
    board.report(0, Record("dense", 35, {"train/accuracy": 0.412}))
    board.report(1, Record("level", 4, {"level/ratio": 6.35, "level/train_accuracy": 0.812}))
    clock.now = 65.0
    board.end(row(2))
    board.end(row(3, "FAILED"))
    shown = text_of(board, 80)
    for said in ("Is it small?", "2/4 · 2 running · 1 failed", "1:05 elapsed", "epoch 35/400  train 0.412"):
        assert said in shown
    assert "level 4/6  ×6.3  train 0.812" in shown
    assert "0.998 0.610 0.430 0.21 ±0.04" in shown


def test_a_trial_that_counts_steps_has_no_last_epoch() -> None:
    asked = config(Path("h"))
    board = Board(asked.model_copy(update={"space": asked.space.fix({"training.steps": 500})}), {}, Clock())
    board.start(0, POINT)
    board.report(0, Record("dense", 35, {"train/accuracy": 0.412}))
    assert "epoch 35  train 0.412" in text_of(board, 80)


@pytest.mark.parametrize("width", [40, 56, 80, 200])
@pytest.mark.parametrize("height", [10, 24])
def test_frame_fits(width: int, height: int) -> None:
    board = Board(config(Path("h"), trials=100), {}, Clock())
    for number in range(30):
        board.start(number, POINT)
        if number < 20:
            board.end(row(number))
    lines = text_of(board, width, height).rstrip("\n").split("\n")
    assert len(lines) <= height
    assert max(map(len, lines)) <= width


def test_remaining_time_counts_slots_and_what_has_been_spent() -> None:
    clock = Clock()
    board = Board(config(Path("h"), trials=6), {}, clock)
    board.start(0, POINT)
    board.start(1, POINT)
    assert board.remaining() is None
    clock.now = 10.0
    board.end(row(0, seconds=10.0))
    board.end(row(1, seconds=10.0))
    board.start(2, POINT)
    board.start(3, POINT)
    clock.now = 14.0
    assert board.remaining() == pytest.approx((6 + 6 + 20) / 2)
    for number in (2, 3, 4, 5):
        board.end(row(number))
    assert board.remaining() == 0.0


def test_plain_lines_are_two_a_trial() -> None:
    out = io.StringIO()
    display = PlainDisplay(out)
    display.on_start(config(Path("h")), {"COMPLETE": 1})
    display.on_trial_start(1, POINT)
    for epoch in range(20):
        display.on_step(1, Record("dense", epoch, {}))
    display.on_trial_end(row(1))
    display.on_trial_start(2, POINT)
    display.on_trial_end(row(2, "FAILED"))
    lines = out.getvalue().splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("4 trials (design, seed 0), 1 of them done before")
    assert lines[2] == "[1/4] trial 1 starts  width=16 label_noise=0.5"
    assert lines[3].startswith("[2/4] trial 1 done in 0:10  train 0.998  gap 0.610  auc 0.430  contrast 0.21 ±0.04")
    assert lines[5].startswith("[3/4] trial 2 failed: TrialDiverged: the loss is nan")


class Terminal:
    """A screen that obeys the few sequences that the painter uses; lines longer than `width` wrap."""

    def __init__(self, width: int) -> None:
        self.width, self.row, self.column = width, 0, 0
        self.lines: list[str] = [""]

    def feed(self, text: str) -> None:
        while text:
            if text.startswith("\x1b["):
                end = next(i for i, sign in enumerate(text[2:], 2) if sign.isalpha())
                self._obey(text[2:end], text[end])
                text = text[end + 1 :]
                continue
            self._put(text[0])
            text = text[1:]

    def _obey(self, argument: str, verb: str) -> None:
        if verb == "A":
            self.row = max(0, self.row - int(argument))
        elif verb == "B":
            self.row += int(argument)
        elif verb == "J":
            self.lines = self.lines[: self.row + 1]
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif verb == "K":
            self._reach()
            self.lines[self.row] = "" if argument == "2" else self.lines[self.row][: self.column]

    def _put(self, sign: str) -> None:
        if sign == "\r":
            self.column = 0
        elif sign == "\n":
            self.row, self.column = self.row + 1, 0
        else:
            if self.column == self.width:
                self.row, self.column = self.row + 1, 0
            self._reach()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + sign + line[self.column + 1 :]
            self.column += 1
        self._reach()

    def _reach(self) -> None:
        self.lines += [""] * (self.row + 1 - len(self.lines))

    def narrow(self, width: int) -> None:
        """Lines wrap at the new width, the cursor goes with its line."""
        wrapped: list[str] = []
        for number, line in enumerate(self.lines):
            pieces = [line[i : i + width] for i in range(0, len(line), width)] or [""]
            wrapped += pieces
            if number == self.row:
                self.row = len(wrapped) - 1
        self.width, self.lines = width, wrapped

    def seen(self) -> list[str]:
        return [line.rstrip() for line in self.lines if line.strip()]


def painted(console: Console, out: io.StringIO, terminal: Terminal) -> None:
    terminal.feed(out.getvalue())
    out.seek(0)
    out.truncate()


def test_painter_overwrites_itself_and_survives_a_narrower_terminal() -> None:
    out, terminal = io.StringIO(), Terminal(40)
    console = Console(file=out, width=40, height=20, force_terminal=True, color_system=None)
    words = ["one", "two", "three"]
    painter = Painter(console, lambda width, height: Text("\n".join(words)))
    painter.paint()
    painter.paint()
    painted(console, out, terminal)
    assert terminal.seen() == ["one", "two", "three"]
    words.pop()
    painter.above("a message")
    painted(console, out, terminal)
    assert terminal.seen() == ["a message", "one", "two"]
    console.width = 16
    terminal.narrow(16)
    painter.paint()
    painted(console, out, terminal)
    assert terminal.seen() == ["a message", "one", "two"]


def test_live_display_gives_the_terminal_back(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system=None)
    display = LiveDisplay(console)
    display.on_message("before")
    display.on_start(config(Path("h")), {})
    display.on_trial_start(0, POINT)
    print("a stray line")
    display.on_trial_end(row(0, "FAILED"))
    display.on_end(outcome())
    display.close()
    assert out.getvalue().endswith("\x1b[?25h")
    terminal = Terminal(80)
    terminal.feed(out.getvalue())
    assert terminal.seen() == ["before", "a stray line", "Trial 0 failed: TrialDiverged: the loss is nan"]
    print("back to normal")
    assert capsys.readouterr().out == "back to normal\n"


def outcome(**changes: object) -> Outcome:
    counts = {"COMPLETE": 3, "FAILED": 1}
    made = Outcome("small", Path("h/small"), counts, 4, reason="", drained=True, seconds=65.0)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        (outcome(), ["4 of 4 trials done, 1 failed, in 1:05", "ockham resume small --home h --trials +4"]),
        (outcome(), ["ockham resume small --home h --retry-failed"]),
        (
            outcome(trials=9, reason="interrupted by SIGINT"),
            ["Stopped early (interrupted by SIGINT)", "nothing is lost"],
        ),
        (outcome(drained=False), ["MLflow"]),
    ],
)
def test_summary_says_how_it_ended_and_how_to_go_on(ended: Outcome, said: list[str]) -> None:
    console = Console(record=True, width=80, file=io.StringIO())
    print_summary(console, config(Path("h")), ended, [row(0), row(1, "FAILED")])
    shown = " ".join(console.export_text().split())
    assert "Trial 1 failed: TrialDiverged: the loss is nan" in shown
    assert "ockham report small --home h" in shown
    for sentence in said:
        assert sentence in shown
    if ended.exit_code == 130:
        assert "ockham resume small --home h go on" in shown


@pytest.mark.parametrize("readable", [True, False])
def test_verdicts_are_shown_as_the_run_found_them(
    readable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = outcome(verdicts=judged(*frames()))
    monkeypatch.setattr("study.execution.driver.run", lambda *_, **__: ended)
    monkeypatch.setattr("study.answer.deciding.verdicts", lambda *_, **__: pytest.fail("worked out once more"))
    if readable:
        ledger(tmp_path).close()
    assert run_study(config(tmp_path)) == ended.exit_code == 3
    shown = " ".join(capsys.readouterr().out.split())
    for said in (
        "Supported: Networks that memorised noisy labels break earlier",
        "noise 0.5: supported,",
        "1 trial failed and is not counted.",
        "All 24 planned trials have ended",
    ):
        assert (said in shown) == readable
    assert ("Its summary can't be shown (StudyNotFound" in shown) != readable


def test_a_conclusion_has_the_verdicts_of_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, found = ledger(tmp_path), judged(*frames())
    monkeypatch.setattr(finishing, "write", lambda _: (tmp_path / "index.html", found))
    concluded = finishing.conclude(made, Silent(), StopFlag())
    assert (concluded.verdicts, concluded.page) == (found, tmp_path / "index.html")
    assert concluded.summary["claim.memorising_breaks_earlier"].startswith("supported: ")
    (flag := StopFlag()).interrupt("interrupted by SIGINT")
    assert finishing.conclude(made, Silent(), flag).verdicts is None
