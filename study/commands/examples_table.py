"""What `examples` prints: the examples that networks memorised, and how many there are of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import pandas as pd
from rich.console import Console
from rich.table import Table

from study.answer.ballots import Ballot
from study.answer.memorisation import Memorisation, as_records
from study.commands.formats import draw_on, put
from study.display.blocks import Column, fitting_tables
from study.display.words import value
from study.errors import UsageError
from study.report.examples import examples_csv, name_files, scored_examples

if TYPE_CHECKING:
    from study.ledger import Ledger

By = Literal["memorisation", "forgotten", "learned", "lost_at", "influence"]
ORDERS, FORMS = get_args(By), ("text", "json", "csv")
_LARGEST_FIRST = {"memorisation": True, "forgotten": True, "learned": True, "lost_at": False, "influence": True}
_WIDTH = 100
_LABELS = {"label": "given", "true_label": "true"}
_SCORES = {
    "memorisation": "memorised", "se": "±se", "true_memorisation": "of true label",
    "learned": "learned", "forgotten": "forgotten", "lost_at": "lost at",
}  # fmt: skip
_COUNTS = {"given": "in", "left_out": "out"}
_ON_REQUEST = {"influence": "influence", "on_test": "on test", "file": "file", "test_file": "test file"}
_WHO = {"replicate": "networks", "control": "clean twins"}


def print_examples(
    ledger: "Ledger", top: int, by: By, form: str, out: Path | None, *, influences: bool = False
) -> None:
    """The first examples of each condition and arm; CSV has all of them.

    Args:
        influences: Whether the test example is told that each training example helps most.

    Raises:
        UsageError: No trial has recorded examples, or all have networks with labels of their own.
        Damaged: Files of results are not what was written.
    """
    config = ledger.config
    influences = influences or by == "influence"
    counted = scored_examples(config.directory, ledger.trials(), ledger.files(), influences=influences)
    if not counted:
        raise UsageError(
            f"no trial of {ledger.name} has ended with its examples recorded; they are where networks are given a "
            f"share of the training examples, e.g. ockham launch --name memorised --set data.subset=0.7 --set "
            f"data.noise_draw=study"
        )
    found = [(ballot, one) for ballot, one in counted if one is not None]
    if not found:
        raise UsageError(
            f"each network of {ledger.name} was given noisy labels of its own, so that no example has the same label "
            f"twice; scores of examples need one draw for all: ockham launch --name memorised --set data.subset=0.7 "
            f"--set data.noise_draw=study"
        )
    ordered = [(ballot, replace(one, examples=_sort(one, by))) for ballot, one in name_files(config, found)]
    if form == "csv":
        put(examples_csv(ordered), out)
    elif form == "json":
        put(json.dumps([_json(*one, top) for one in ordered], indent=2, allow_nan=False), out)
    else:
        unscored = [ballot for ballot, one in counted if one is None]
        draw_on(lambda console: _print(console, ordered, unscored, top), out, _WIDTH)


def _sort(found: Memorisation, by: By) -> pd.DataFrame:
    """The examples in order: ties by how sure they are, what is undefined last.

    Raises:
        UsageError: It was not recorded.
    """
    if by not in found.examples.columns:
        raise UsageError(f"--by {by} was not recorded by these trials; use --by memorisation")
    order = [not _LARGEST_FIRST[by], True]
    return found.examples.sort_values([by, "se"], ascending=order, kind="stable", na_position="last")


def _json(ballot: Ballot, one: Memorisation, top: int) -> dict[str, Any]:
    return {
        "condition": dict(ballot.condition),
        "arm": ballot.arm,
        "networks": one.networks,
        "examples": len(one.examples),
        "changed": one.changed_count,
        "memorised_share": one.share.as_json(),
        "memorised_share_true_labels": one.true_share.as_json(),
        "mislabelled_share": one.mislabelled_share.as_json(),
        "quantiles": {f"{share:g}": score for share, score in one.quantiles.items()},
        "auroc": one.auroc.as_json(),
        "precision": one.precision.as_json(),
        "halves": None if one.agreement is None else one.agreement.as_json(),
        "top": as_records(one.examples.head(top)),
    }


def _print(console: Console, found: list[tuple[Ballot, Memorisation]], unscored: list[Ballot], top: int) -> None:
    for ballot in unscored:
        console.print(
            f"{_condition(ballot)}no scores of {_WHO[ballot.arm]}: each was given noisy labels of its own; scores need "
            f"data.noise_draw=study"
        )
    for place, (ballot, one) in enumerate(found):
        if place or unscored:
            console.print()
        console.print(
            f"{_condition(ballot)}{one.networks} {_WHO[ballot.arm]}, {len(one.examples):,} examples (in, out: how many "
            "were given it, and were not)"
        )
        console.print(f"memorised share {one.share.as_text()}, of true labels {one.true_share.as_text()}")
        if one.changed_count and not ballot.rule:
            console.print(
                f"{one.changed_count:,} changed labels: AUROC {one.auroc.as_text()}, "
                f"precision among the {one.changed_count:,} most memorised {one.precision.as_text()}"
            )
        if one.mislabelled_share.value is not None:
            console.print(f"estimated share of wrong labels {one.mislabelled_share.as_text()}")
        if one.agreement is not None:
            console.print(one.agreement.as_text())
        if "influence" in one.examples.columns:
            console.print(
                f"examples that help a test example by more than chance makes of {one.pairs:,} pairs (*): "
                f"{int(one.examples['certain'].sum()):,}"
            )
        for table in example_tables(one.examples.head(top), console.width):
            console.print(table)


def _condition(ballot: Ballot) -> str:
    named = " ".join(f"{name}={value(said)}" for name, said in ballot.condition.items())
    return f"{named}: " if named else ""


def example_tables(rows: pd.DataFrame, width: int) -> Iterator[Table]:
    """One row an example; what does not fit beside its labels and score stands below, with its number again."""
    keys = [Column("example", [str(one) for one in rows["example"]])]
    columns = [Column(head, [str(one) for one in rows[name]]) for name, head in _LABELS.items()]
    for name, head in _SCORES.items():
        if name in rows.columns:
            columns.append(Column(head, ["–" if pd.isna(one) else f"{one:.2f}" for one in rows[name]]))
    columns += [Column(head, [str(one) for one in rows[name]]) for name, head in _COUNTS.items()]
    for name, head in _ON_REQUEST.items():
        if name in rows.columns:
            cells = [_cell(row, name) for row in rows.itertuples()]
            columns.append(Column(head, cells, is_text="file" in name))
    yield from fitting_tables(keys, columns, width)


def _cell(row: Any, name: str) -> str:
    said = getattr(row, name)
    if name == "influence":
        return "–" if pd.isna(said) else f"{said:.2f}{'*' if row.certain else ' '}"
    return str(said)
