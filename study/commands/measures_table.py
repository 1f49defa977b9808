"""What `measures` prints: every measure of dense networks, learned beside memorised, and held against the gap."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from study.answer.gap_model import GapTable
from study.answer.measured import Mean, MeasureRow, as_frame, left_out, measure_rows
from study.answer.pairwise import Estimate
from study.answer.words import bare_p, with_ends, with_sign
from study.commands.formats import draw_on, put
from study.display.words import DASH
from study.errors import UsageError
from study.ledger.frames import layer_frame, network_frame, trial_frame
from study.settings.measures import gap_across

if TYPE_CHECKING:
    from study.ledger import Ledger

FORMS = ("table", "json", "csv")
GAP_FORMS, ONLY_WITH_GAP = (*FORMS, "svg"), {"svg": "--gap"}
_WIDTH = 160


def print_measures(ledger: "Ledger", form: str, out: Path | None) -> None:
    """As a table, as JSON or as CSV, to the screen or into a file.

    Raises:
        UsageError: No trial has ended with measures.
        Damaged: Files of results are not what was written.
    """
    trials = ledger.trials()
    frames = trial_frame(trials), network_frame(ledger.config.directory, trials, ledger.files())
    rows, (left, every) = measure_rows(*frames), left_out(*frames)
    if every and not rows:
        raise UsageError(
            f"of the {every} dense networks of {ledger.name} none fitted its labels, as did its twin, so that none has "
            f"learned or memorised; let them train longer, e.g. --set training.epochs=400"
        )
    if not rows:
        raise UsageError(
            f"no trial of {ledger.name} has ended with measures; a study takes them unless it has measures=none, e.g. "
            f"ockham launch --name measured --set measures=all"
        )
    if form == "json":
        put(json.dumps([row.as_json() for row in rows], indent=2, allow_nan=False), out)
    elif form == "csv":
        put(str(as_frame(rows).to_csv(index=False)).rstrip("\n"), out)
    else:
        more = f"Which of them track the generalization gap: {ledger.config.command('measures')} --gap"
        unfit = (
            [f"Without {left} of {every} dense networks: they, or their twins, did not fit their labels."]
            if left
            else []
        )
        _show([_table(rows), "", *unfit, more], out)


def print_gap(ledgers: Sequence["Ledger"], form: str, out: Path | None) -> None:
    """Which measures track the generalization gap in these studies: as a table, JSON, CSV or a picture.

    Raises:
        Damaged: Files of results are not what was written.
    """
    found = gap_across(ledgers)
    if form == "svg":
        from study.report.figures.gap_measures import gap_svg

        put(gap_svg(found), out)
    elif form == "json":
        put(json.dumps(found.as_json(), indent=2, allow_nan=False), out)
    elif form == "csv":
        put(str(found.as_frame().to_csv(index=False)).rstrip("\n"), out)
    else:
        table: tuple[Table | str, ...] = (_gap_table(found), "") if found.num_tested else ()
        _show([*table, *found.notes], out)


def print_layers(ledger: "Ledger", out: Path | None) -> None:
    """One row a number of a layer, or of a network in training, of all trials: as CSV.

    Raises:
        UsageError: No trial has left any.
        Damaged: Files of results are not what was written.
    """
    rows = layer_frame(ledger.config.directory, ledger.trials(), ledger.files())
    if rows.empty:
        raise UsageError(f"no trial of {ledger.name} has numbers of layers; measures such as spectrum give them.")
    put(str(rows.to_csv(index=False)).rstrip("\n"), out)


def _show(parts: Sequence[Table | str], out: Path | None) -> None:
    """To the screen, or as text into a file."""

    def draw(console: Console) -> None:
        console.width = max(console.width, _WIDTH)  # a terminal that is narrower folds lines; no digit is left out
        for part in parts:
            if isinstance(part, str):
                console.print(part, markup=False, highlight=False, soft_wrap=True)
            else:
                console.print(part)

    draw_on(draw, out, _WIDTH)


def _new_table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for head in heads:
        table.add_column(head, justify="left" if head == "measure" else "right", no_wrap=True)
    return table


def _gap_table(found: GapTable) -> Table:
    table = _new_table("measure", "association", "τ", "p", "q", "Ψ", "CMI", "partial", "n")
    for row in found.rows:
        if row.reason:
            continue
        tau = DASH if row.tau is None else with_sign(row.tau)
        sides = [_interval_text(one) for one in (row.association, row.psi, row.cmi, row.partial)]
        name = f"{row.name} *" if row.is_discovery else row.name
        table.add_row(name, sides[0], tau, bare_p(row.p), bare_p(row.q), *sides[1:], str(row.n))
    return table


def _interval_text(one: Estimate) -> str:
    """`−0.60 (−1.00 to −0.19)`."""
    return DASH if one.value is None else with_ends(one.value, one.low, one.high)


def _table(rows: list[MeasureRow]) -> Table:
    table = _new_table("measure", "learned", "memorised", "difference", "AUC", "n")
    for row in rows:
        cells = [_cell(mean) for mean in (row.learned, row.memorised, row.difference)]
        auc = "–" if row.auc.mean is None else f"{row.auc.mean:.2f}{_half(row.auc)}"
        table.add_row(row.name, *cells, auc, str(row.difference.units or row.learned.units))
    return table


def _cell(mean: Mean) -> str:
    return "–" if mean.mean is None else f"{mean.mean:.4g}" + ("" if mean.ci95 is None else f" ±{mean.ci95:.2g}")


def _half(mean: Mean) -> str:
    return "" if mean.ci95 is None else f" ±{mean.ci95:.2f}"
