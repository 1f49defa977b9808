"""compare, replicate: many studies at once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from study.commands.formats import Out, chosen_form, form_option
from study.commands.options import complete_space, complete_study, with_place_options
from study.errors import UsageError
from study.ledger.place import Place


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command(epilog=_COMPARE_EXAMPLES)(with_place_options(compare))
    app.command(epilog=_REPLICATE_EXAMPLES)(with_place_options(replicate))


_COMPARE_EXAMPLES = """[bold]Examples[/bold]
  ockham compare
  ockham compare redundancy placebo --page compared.html
  ockham compare --format csv --out claims.csv
  ockham compare --gap                    which measure tracks the generalization gap, over all of them
  ockham compare --gap --out gap.svg      the same as a picture"""


def compare(
    *,
    place: Place,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAMES]...", help="Studies.", autocompletion=complete_study, show_default="all of the home"
        ),
    ] = None,
    form: Annotated[
        str | None,
        form_option("table", "json", "csv", "svg", about="JSON and CSV have all conditions; SVG with --gap."),
    ] = None,
    out: Out = None,
    page: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", help="Write a page as well: the table, and all curves in one figure."),
    ] = None,
    gap: Annotated[
        bool,
        typer.Option("--gap", help="Instead of claims: which measure tracks the generalization gap in these studies."),
    ] = False,
) -> None:
    """Studies side by side: each claim with its verdict, its effect with an interval, and its units.

    With --gap as in `ockham measures --gap`, with trials compared only within their study, and there at equal label
    noise and instrument.
    """
    if gap:
        _compare_gaps(place, names or (), form, out, page)
        return
    from study.commands import comparison_table
    from study.commands.measures_table import FORMS, ONLY_WITH_GAP
    from study.operations.comparing import compare_studies

    form = chosen_form(form, out, FORMS, others=ONLY_WITH_GAP | {"html": "--page FILE.html"})
    found, unreadable = compare_studies(place, names or ())
    comparison_table.show(found, unreadable, form, out)
    if page is not None:
        from study.ledger.frames import write
        from study.operations.comparing import networks_of
        from study.report.comparison import comparison_page

        rows = [row for one in found for row in one.rows()]
        write(page, comparison_page(rows, {one.name: (one.config, networks_of(place, one.name)) for one in found}))
        typer.echo(f"Page: {page}")


def _compare_gaps(place: Place, names: Sequence[str], form: str | None, out: Path | None, page: Path | None) -> None:
    from study.commands.measures_table import GAP_FORMS, print_gap
    from study.operations.comparing import open_ledgers

    if page is not None:
        raise typer.BadParameter("--page is of claims; give --gap a picture: --out FILE.svg")
    form = chosen_form(form, out, GAP_FORMS)
    with open_ledgers(place, names) as (ledgers, unreadable):
        for name, error in unreadable.items():
            typer.echo(f"Left out, {name}: {error}", err=True)
        if not ledgers:
            raise UsageError("there is no study to compare. Start one: ockham launch")
        print_gap(ledgers, form, out)


_REPLICATE_EXAMPLES = """[bold]Examples[/bold]
  ockham replicate --home replications            every named study at size small, one after the other
  ockham replicate width fit_time --home mine     some of them
  ockham replicate --only-write --out REPLICATIONS.md --home replications
                                                  nothing runs: the page of what is recorded"""


def replicate(
    *,
    place: Place,
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAMES]...", help="Named studies.", autocompletion=complete_space, show_default="all"),
    ] = None,
    size: Annotated[str, typer.Option(metavar="small|paper|large", help="Of each.")] = "small",
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", metavar="DIR", help="Where data sets lie.", show_default="<home>/data")
    ] = None,
    only_write: Annotated[bool, typer.Option("--only-write", help="Run nothing.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The page (Markdown).", show_default="<home>/REPLICATIONS.md")
    ] = None,
) -> None:
    """Run the named studies one after the other, or go on where that stopped, and write what came out as one page.

    What has ended is not run again. The page is made of what ledgers and files recorded, after each study anew.
    """
    from study.operations.replicating import replicate as run_all

    code = run_all(place, names or (), size, data_dir, out, run=not only_write, say=typer.echo)
    raise typer.Exit(code)
