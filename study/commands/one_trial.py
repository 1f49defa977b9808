"""What `trials NAME NUMBER` prints: one trial whole, its parameters, its levels, what was measured and why not."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from study.display import terminal
from study.display.blocks import Column, fitting_tables
from study.display.words import DASH, duration, from_here, setting, value, with_interval
from study.errors import UsageError

if TYPE_CHECKING:
    from study.ledger import Ledger
    from trainables.record import Record

_LEVEL, _HALF = "level/", "/ci95"


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
    names = [name for name in row.metrics if _LEVEL not in name and not name.endswith(_HALF)]
    values = [with_interval(row.metrics[name], row.metrics.get(f"{name}{_HALF}")) for name in names]
    for table in fitting_tables([Column("metric", names, is_text=True)], [Column("value", values)], console.width):
        console.print(table)
    for title, said in (("Notes", row.notes), ("Parameters", {name: value(each) for name, each in row.params.items()})):
        console.print(Text(title, style="bold"))
        for name, text in said.items():
            console.print(Text(f"  {name}: {text}"), soft_wrap=True)
    log = ledger.config.directory / "trials" / f"{number:04d}" / "log.txt"
    if log.is_file():
        console.print(Text(f"Its log: {from_here(log)}", style="dim"), soft_wrap=True)


def _levels(steps: "Sequence[Record]", width: int) -> Iterator[Table]:
    """One row a number, one column a level; the last one has the intervals, as far as networks give them."""
    levels = [step for step in steps if step.stage == "level"]
    if not levels:
        return
    every = dict.fromkeys(name for level in levels for name in level.metrics)
    names = [name for name in every if _LEVEL in name and not name.endswith(_HALF)]
    columns = [
        Column(str(level.step), [_cell(level, name, exactly=level is levels[-1]) for name in names]) for level in levels
    ]
    yield from fitting_tables(
        [Column("level", [name.replace(_LEVEL, "") for name in names], is_text=True)], columns, width
    )


def _cell(level: "Record", name: str, *, exactly: bool) -> str:
    if name not in level.metrics:
        return DASH
    return with_interval(level.metrics[name], level.metrics.get(f"{name}{_HALF}") if exactly else None)
