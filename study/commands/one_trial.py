"""What `trials NAME NUMBER` prints: one trial whole, its parameters, its levels, what was measured and why not."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from study.display import terminal
from study.display.words import DASH, digits, duration, from_here, setting, value, with_interval
from study.errors import UsageError

if TYPE_CHECKING:
    from study.ledger import Ledger
    from trainables.record import Record

_LEVEL = "level/"


def print_trial(ledger: "Ledger", number: int) -> None:
    """State, parameters, one row a level, every metric with its interval, notes, and where its log lies.

    Raises:
        UsageError: The study has no such trial.
    """
    states = ledger.states()
    if number not in states:  # asked here, since a database takes no number of any size
        last = max(states, default=None)
        there = "it has none yet" if last is None else f"its trials are 0 to {last}"
        raise UsageError(f"{ledger.name} has no trial {number}: {there}.")
    row, console = ledger.trials([number])[0], terminal()
    took = "" if row.duration_s is None else f", in {duration(row.duration_s)}"
    head = f" {row.state}, {row.role}, attempts: {row.attempts}{took}"
    console.print(Text.assemble((f"{ledger.name}, trial {number}:", "bold"), head))
    console.print(Text(setting(row.proposed or row.params)))
    if row.is_repetition:
        same = [
            str(one.number) for one in ledger.trials() if one.fingerprint == row.fingerprint and not one.is_repetition
        ]
        console.print(Text(f"Run again with fresh seeds, to confirm trial {' and '.join(same)}."))
    if row.error:
        console.print(Text(row.error, style="red"))
    for table in _levels(ledger.steps(number), console.width):
        console.print(table)
        console.print()
    measured = _table("metric", "value")
    for name, number_of_it in row.metrics.items():
        if _LEVEL not in name and not name.endswith("/ci95"):
            measured.add_row(name, with_interval(number_of_it, row.metrics.get(f"{name}/ci95")))
    console.print(measured)
    for title, said in (("Notes", row.notes), ("Parameters", {name: value(each) for name, each in row.params.items()})):
        console.print(Text(title, style="bold"))
        for name, text in said.items():
            console.print(Text(f"  {name}: {text}"), soft_wrap=True)
    log = ledger.config.directory / "trials" / f"{number:04d}" / "log.txt"
    if log.is_file():
        console.print(Text(f"Its log: {from_here(log)}", style="dim"), soft_wrap=True)


def _levels(steps: "Sequence[Record]", width: int) -> Iterator[Table]:
    """One row a number, one column a level; what does not fit beside each other stands below."""
    levels = [step for step in steps if step.stage == "level"]
    names = list(dict.fromkeys(name for level in levels for name in level.metrics if not name.endswith("/ci95")))
    rows = [
        (name.replace(_LEVEL, ""), [digits(level.metrics[name]) if name in level.metrics else DASH for level in levels])
        for name in names
        if _LEVEL in name
    ]
    wide = 2 + max((len(cell) for _, cells in rows for cell in cells), default=1)
    left = max((len(name) for name, _ in rows), default=0)
    each = max(1, (width - left) // wide)
    for first in range(0, len(levels), each):
        shown = slice(first, first + each)
        table = _table("level", *(str(level.step) for level in levels[shown]))
        for name, cells in rows:
            table.add_row(name, *cells[shown])
        yield table


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head in ("level", "metric") else "right", overflow="fold")
    return table
