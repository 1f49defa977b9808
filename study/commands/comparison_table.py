"""What `compare` prints."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from study.answer.verdict import Finding
from study.commands.formats import put
from study.display import terminal
from study.errors import Damaged
from study.operations.comparing import ComparedStudy

# Of the terminal, beside the longest name: verdict, and numbers in few enough lines.
_NARROWEST = 40
_COLOURS = {"supported": "green", "refuted": "red", "open": "yellow", "undefined": "dim"}


def show(found: Sequence[ComparedStudy], unreadable: Mapping[str, Damaged], form: str, out: Path | None) -> None:
    """Studies in a form: `table` (pooled findings), `json` or `csv` (those of each condition too)."""
    if form == "table" and out is None:
        _print(found, unreadable)
        return
    text = {"json": _json, "csv": _csv, "table": _plain}[form](found)
    put(text, out)


def _print(found: Sequence[ComparedStudy], unreadable: Mapping[str, Damaged]) -> None:
    if not found and not unreadable:
        typer.echo("There is no study to compare. Start one: ockham launch")
        return
    console = terminal()
    if console.width < _NARROWEST + max(
        (cell_len(_claim(row)) for one in found for row in one.verdicts.headlines), default=0
    ):
        console.print(Text(_plain(found)))
    else:
        console.print(_table(found))
    for name, error in unreadable.items():
        console.print(Text(f"{name}: {error}", style="red"))


def _table(found: Sequence[ComparedStudy]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column("study, claim", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("estimate (interval), units")
    for one in found:
        ended = f"{one.ended_count}/{one.config.trials} trials"
        table.add_row(Text(one.name, style="bold"), "", ended if one.verdicts.headlines else f"{ended}, claims nothing")
        for finding in one.verdicts.headlines:
            verdict = Text(finding.verdict, style=_COLOURS.get(finding.verdict, ""))
            table.add_row(f"  {_claim(finding)}", verdict, finding.brief)
    return table


def _claim(finding: Finding) -> str:
    return finding.claim + (" (placebo)" if finding.role == "placebo" else "")


def _json(found: Sequence[ComparedStudy]) -> str:
    studies = [
        {
            "name": one.name,
            "title": one.config.space.title,
            "ended": one.ended_count,
            "failed": one.failed_count,
            "trials": one.config.trials,
            "core_hours": one.cost.core_hours,
            "findings": one.rows(),
        }
        for one in found
    ]
    return json.dumps(studies, indent=2, allow_nan=False)


def _csv(found: Sequence[ComparedStudy]) -> str:
    rows = [row for one in found for row in one.rows()]
    text = io.StringIO()
    fields = list(rows[0]) if rows else ["study", "claim"]
    fields[fields.index("interval") : fields.index("interval") + 1] = ["low", "high"] if rows else []
    writer = csv.DictWriter(text, fields, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        low, high = row.pop("interval")
        writer.writerow({**row, "low": low, "high": high})
    return text.getvalue().rstrip("\n")


def _plain(found: Sequence[ComparedStudy]) -> str:
    lines = []
    for one in found:
        none = "" if one.verdicts.headlines else ", claims nothing"
        lines.append(f"{one.name}: {one.ended_count} of {one.config.trials} trials{none}")
        lines += [f"  {_claim(f)}: {f.verdict}, {f.brief}" for f in one.verdicts.headlines]
    return "\n".join(lines)
