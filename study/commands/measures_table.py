"""What `measures` prints: every measure of dense networks, learned beside memorised."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.table import Table

from study.answer.measured import Mean, MeasureRow, as_frame, measured
from study.display import terminal
from study.display.console import PrintableConsole
from study.errors import UsageError
from study.ledger.frames import layer_frame, network_frame, trial_frame, write

if TYPE_CHECKING:
    from study.ledger import Ledger

FORMS = ("table", "json", "csv")
_WIDTH = 140


def print_measures(ledger: "Ledger", form: str, out: Path | None) -> None:
    """As a table, as JSON or as CSV, to the screen or into a file.

    Raises:
        UsageError: No trial has ended with measures.
        Damaged: Files of results are not what was written.
    """
    trials = ledger.trials()
    rows = measured(trial_frame(trials), network_frame(ledger.config.directory, trials, ledger.files()))
    if not rows:
        raise UsageError(
            f"no trial of {ledger.name} has ended with measures; a study takes them unless it has measures=none, e.g. "
            f"ockham launch --name measured --set measures=all"
        )
    if form == "json":
        _put(json.dumps([row.as_json() for row in rows], indent=2, allow_nan=False), out)
    elif form == "csv":
        _put(str(as_frame(rows).to_csv(index=False)).rstrip("\n"), out)
    elif out is None:
        terminal().print(_table(rows))
    else:
        text = io.StringIO()
        PrintableConsole(file=text, width=_WIDTH, no_color=True).print(_table(rows))
        write(out, text.getvalue().rstrip("\n"))


def print_layers(ledger: "Ledger", out: Path | None) -> None:
    """One row a number of a layer, or of a network in training, of all trials: as CSV.

    Raises:
        UsageError: No trial has left any.
        Damaged: Files of results are not what was written.
    """
    rows = layer_frame(ledger.config.directory, ledger.trials(), ledger.files())
    if rows.empty:
        raise UsageError(f"no trial of {ledger.name} has numbers of layers; measures such as spectrum give them.")
    _put(str(rows.to_csv(index=False)).rstrip("\n"), out)


def _put(text: str, out: Path | None) -> None:
    write(out, text) if out else typer.echo(text)


def _table(rows: list[MeasureRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in ("measure", "learned", "memorised", "difference", "AUC", "n"):
        table.add_column(head, justify="left" if head == "measure" else "right", no_wrap=True)
    for row in rows:
        cells = [_cell(mean) for mean in (row.learned, row.memorised, row.difference)]
        auc = "–" if row.auc.mean is None else f"{row.auc.mean:.2f}{_half(row.auc)}"
        table.add_row(row.name, *cells, auc, str(row.difference.units or row.learned.units))
    return table


def _cell(mean: Mean) -> str:
    return "–" if mean.mean is None else f"{mean.mean:.4g}" + ("" if mean.ci95 is None else f" ±{mean.ci95:.2g}")


def _half(mean: Mean) -> str:
    return "" if mean.ci95 is None else f" ±{mean.ci95:.2f}"
