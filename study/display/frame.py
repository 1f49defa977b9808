"""A board as lines of a terminal, at any width and height."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from study.config.scores import task_in
from study.display.board import Board, Running
from study.display.words import duration, key_metrics, metric, short_names, value

if TYPE_CHECKING:
    from study.ledger import TrialRow

_ROOM = 6  # rows of a frame that are not trials
_NUMBERS = 36  # columns that number, state and key numbers take
MARKS = {"COMPLETE": ("✓", "green"), "PRUNED": ("⊘", "yellow"), "FAILED": ("✗", "red"), "RUNNING": ("▸", "cyan")}


def frame(board: Board, width: int, height: int, *, moving: bool = True) -> RenderableType:
    """Everything a watcher wants at a glance, in at most `height` rows; no times if it is not `moving`."""
    parts: list[RenderableType] = [_title(board, width), _bar(board, width)]
    if moving:
        parts.append(_times(board))
    room = max(2, height - _ROOM - (1 if board.config.space.title else 0))
    running = sorted(board.running.values(), key=lambda trial: trial.number)
    shown = running[: max(1, min(len(running), room - min(len(board.last), 3)))]
    if shown:
        parts += [Text(), _running(board, shown, width)]
        if more := len(running) - len(shown):
            parts.append(Text(f"     and {more} more", style="dim"))
    rest = room - len(shown) - 1
    finished = list(board.last)[-rest:] if rest > 0 else []
    if finished:
        parts += [Text(), results(finished, list(board.config.space.span), width)]
    return Group(*parts)


def results(rows: Sequence["TrialRow"], spanned: Sequence[str], width: int) -> Table:
    """One row per trial: number, state, what was spanned, the key numbers."""
    texts = [[value(row.params.get(name)) for name in spanned] for row in rows]
    table, cells = _table(spanned, texts, width - _NUMBERS)
    keys = key_metrics(task_in(name for row in rows for name in row.metrics).score)
    for label, _ in keys:
        table.add_column(label, justify="right", no_wrap=True, min_width=10 if label == "contrast" else 5)
    for row, params in zip(rows, cells, strict=True):
        mark, colour = MARKS.get(row.state, ("·", "dim"))
        numbers = [metric(row.metrics, name, interval=name == "contrast/auc") for _, name in keys]
        table.add_row(str(row.number), Text(mark, style=colour), *params, *numbers)
    return table


def _running(board: Board, trials: Sequence[Running], width: int) -> Table:
    spanned = list(board.config.space.span)
    texts = [[value(trial.params.get(name)) for name in spanned] for trial in trials]
    table, cells = _table(spanned, texts, width - _NUMBERS)
    table.add_column("now", no_wrap=True, overflow="ellipsis", max_width=_NUMBERS - 14 if len(cells[0]) == 1 else None)
    table.add_column("time", justify="right", no_wrap=True, min_width=4)
    mark, colour = MARKS["RUNNING"]
    for trial, params in zip(trials, cells, strict=True):
        table.add_row(str(trial.number), Text(mark, style=colour), *params, trial.doing(), duration(board.age(trial)))
    return table


def _table(spanned: Sequence[str], texts: list[list[str]], room: int) -> tuple[Table, list[list[str]]]:
    """Number, state and parameters: a column each, or all in one where that takes more than `room`."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True, min_width=4)
    table.add_column("", no_wrap=True, min_width=1)
    names = list(short_names(spanned).values())
    wide = sum(max(map(len, column)) + 1 for column in zip(names, *texts, strict=True))
    if wide > room:
        names, texts = [" ".join(names)], [[" ".join(row)] for row in texts]
    for name in names:
        table.add_column(name, no_wrap=True, overflow="ellipsis", max_width=max(8, room - 1) if wide > room else None)
    return table, texts


def _title(board: Board, width: int) -> Text:
    title = board.config.space.title
    text = Text(board.config.name, style="bold")
    if title:
        text.append(" · " if len(board.config.name) + 3 + len(title) <= width else "\n", style="dim")
        text.append(title, style="italic")
    return text


def _bar(board: Board, width: int) -> RenderableType:
    said = Text(f"{board.ended_count}/{board.total}", style="bold")
    said.append(f" · {len(board.running)} running", style="cyan" if board.running else "dim")
    said.append(f" · {board.failed_count} failed", style="red" if board.failed_count else "dim")
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(ratio=1)
    grid.add_column(no_wrap=True)
    length = max(8, min(60, width - said.cell_len - 4))
    style = "red" if board.failed_count else "green"
    grid.add_row(
        ProgressBar(total=max(1, board.total), completed=board.ended_count, width=length, complete_style=style), said
    )
    return grid


def _times(board: Board) -> Text:
    left = board.remaining()
    ahead = "estimating the rest" if left is None else f"about {duration(left)} left"
    if board.starting:
        ahead = "starting"
    said = f"{duration(board.elapsed_s())} elapsed · {ahead}" if left != 0 else f"{duration(board.elapsed_s())} elapsed"
    return Text(
        f"{said} · {board.config.sampler}, seed {board.config.seed}", style="dim", no_wrap=True, overflow="ellipsis"
    )
