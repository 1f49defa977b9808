"""What `examples` prints: the examples that networks memorised, and how many there are of them."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from study.answer.ballots import Ballot, ballots
from study.answer.memorisation import Estimate, Memorisation, as_records, memorisation
from study.display import terminal
from study.display.console import PrintableConsole
from study.display.words import value
from study.errors import UsageError
from study.ledger.frames import example_tables, write

if TYPE_CHECKING:
    from study.ledger import Ledger

By = Literal["memorisation", "forgotten", "learned", "lost_at"]
ORDERS, FORMS = get_args(By), ("text", "json", "csv")
_LARGEST_FIRST = {"memorisation": True, "forgotten": True, "learned": True, "lost_at": False}
_WIDTH = 100


def print_examples(ledger: "Ledger", top: int, by: By, form: str, out: Path | None) -> None:
    """The first examples of each condition and arm; CSV has all of them.

    Raises:
        UsageError: No trial has recorded examples, or all have networks with labels of their own.
        Damaged: Files of results are not what was written.
    """
    counted = ballots(example_tables(ledger.config.directory, ledger.trials(), ledger.files()))
    if not counted:
        raise UsageError(
            f"no trial of {ledger.name} has ended with its examples recorded; they are where networks are given a "
            f"share of the training examples, e.g. ockham launch --name memorised --set data.subset=0.7 --set "
            f"data.noise_draw=study"
        )
    if all(ballot.votes is None for ballot in counted):
        raise UsageError(
            f"each network of {ledger.name} was given noisy labels of its own, so that no example has the same label "
            f"twice; scores of examples need one draw for all: ockham launch --name memorised --set data.subset=0.7 "
            f"--set data.noise_draw=study"
        )
    found = [(ballot, memorisation(ballot.votes)) for ballot in counted if ballot.votes is not None]
    if form == "csv":
        _put(_csv(found, by), out)
    elif form == "json":
        _put(json.dumps([_json(*one, top, by) for one in found], indent=2, allow_nan=False), out)
    elif out is None:
        _print(terminal(), found, top, by)
    else:
        text = io.StringIO()
        _print(PrintableConsole(file=text, width=_WIDTH, no_color=True), found, top, by)
        write(out, text.getvalue().rstrip("\n"))


def _put(text: str, out: Path | None) -> None:
    write(out, text) if out else typer.echo(text)


def _ordered(found: Memorisation, by: By) -> pd.DataFrame:
    """Of ties the surest first; what is undefined last.

    Raises:
        UsageError: It was not recorded.
    """
    if by not in found.examples.columns:
        raise UsageError(f"--by {by} was not recorded by these trials; use --by memorisation")
    order = [not _LARGEST_FIRST[by], True]
    return found.examples.sort_values([by, "se"], ascending=order, kind="stable", na_position="last")


def _csv(found: list[tuple[Ballot, Memorisation]], by: By) -> str:
    parts = []
    for ballot, one in found:
        table = _ordered(one, by)
        for place, (name, said) in enumerate({**ballot.condition, "arm": ballot.arm}.items()):
            table.insert(place, name, value(said))
        parts.append(table)
    return str(pd.concat(parts).to_csv(index=False)).rstrip("\n")


def _json(ballot: Ballot, one: Memorisation, top: int, by: By) -> dict[str, Any]:
    return {
        "condition": dict(ballot.condition),
        "arm": ballot.arm,
        "networks": one.networks,
        "examples": len(one.examples),
        "changed": one.changed,
        "memorised_share": one.share.as_json(),
        "memorised_share_true_labels": one.true_share.as_json(),
        "quantiles": {f"{share:g}": score for share, score in one.quantiles.items()},
        "auroc": one.auroc.as_json(),
        "precision": one.precision.as_json(),
        "top": as_records(_ordered(one, by).head(top)),
    }


def _print(console: Console, found: list[tuple[Ballot, Memorisation]], top: int, by: By) -> None:
    for place, (ballot, one) in enumerate(found):
        if place:
            console.print()
        named = " ".join(f"{name}={value(said)}" for name, said in ballot.condition.items())
        who = "clean twins" if ballot.arm == "control" else "networks"
        console.print(f"{named + ': ' if named else ''}{one.networks} {who}, {len(one.examples):,} examples")
        console.print(f"memorised share {_said(one.share)}, of true labels {_said(one.true_share)}")
        if one.changed:
            console.print(
                f"{one.changed:,} changed labels: AUROC {_said(one.auroc)}, precision among the {one.changed:,} "
                f"most memorised {_said(one.precision)}"
            )
        console.print(_table(_ordered(one, by).head(top)))


def _said(number: Estimate) -> str:
    if number.value is None:
        return "–"
    return f"{number.value:.3f}" + ("" if number.low is None else f" ({number.low:.3f} to {number.high:.3f})")


def _table(rows: pd.DataFrame) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    more = [name for name in ("learned", "forgotten", "lost_at") if name in rows.columns]
    heads = ("example", "given", "true", "memorised", "±se", "of true label", *more, "networks in", "out")
    for head in heads:
        table.add_column(head.replace("_", " "), justify="right", no_wrap=True)
    for row in rows.itertuples():
        numbers = (row.memorisation, row.se, row.true_memorisation, *(getattr(row, name) for name in more))
        scores = ["–" if pd.isna(number) else f"{number:.2f}" for number in numbers]
        labels = (str(row.example), str(row.label), str(row.true_label))
        table.add_row(*labels, *scores, str(row.given), str(row.left_out))
    return table
