"""What `trials NAME NUMBER` prints: one trial whole, its parameters, its levels, what was measured and why not."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from study.display import terminal
from study.display.words import duration, from_here, metric, setting, value
from study.errors import UsageError

if TYPE_CHECKING:
    from study.ledger import Ledger

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
    levels = [record for record in ledger.steps(number) if record.stage == "level"]
    if levels:
        names = [name for name in levels[-1].metrics if name.startswith(_LEVEL) and not name.endswith("/ci95")]
        table = _table("level", *(name.removeprefix(_LEVEL) for name in names))
        for record in levels:
            table.add_row(str(record.step), *(metric(record.metrics, name) for name in names))
        console.print(table)
    measured = _table("metric", "value")
    for name in row.metrics:
        if not name.startswith(_LEVEL) and not name.endswith("/ci95"):
            measured.add_row(name, metric(row.metrics, name, interval=True))
    console.print(measured)
    for title, said in (("Notes", row.notes), ("Parameters", {name: value(each) for name, each in row.params.items()})):
        console.print(Text(title, style="bold"))
        for name, text in said.items():
            console.print(Text(f"  {name}: {text}"), soft_wrap=True)
    log = ledger.config.directory / "trials" / f"{number:04d}" / "log.txt"
    if log.is_file():
        console.print(Text(f"Its log: {from_here(log)}", style="dim"), soft_wrap=True)


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == "metric" else "right", overflow="fold")
    return table
