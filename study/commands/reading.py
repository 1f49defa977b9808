"""status, trials, measures, report, verdicts, spaces, fields."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from study.commands.formats import Out, chosen_form, form_option, put
from study.commands.options import StudyName, complete_space, complete_study, with_place_options
from study.ledger.place import Place


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command()(with_place_options(status))
    app.command(epilog=_TRIALS_EXAMPLES)(with_place_options(trials))
    app.command(epilog=_MEASURES_EXAMPLES)(with_place_options(measures))
    app.command()(with_place_options(report))
    app.command(epilog=_VERDICTS_EXAMPLES)(with_place_options(verdicts))
    app.command(epilog="[bold]Example[/bold]\n  ockham spaces redundancy")(with_place_options(spaces))
    app.command(epilog=_FIELDS_EXAMPLES)(with_place_options(fields))


def status(
    *,
    place: Place,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="One study.", autocompletion=complete_study, show_default="all of the home"
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Keep showing it until it is over, or Ctrl-C.")] = False,
) -> None:
    """How studies are doing, from any terminal: counts, running trials, time left, why trials failed."""
    from study.commands import showing

    if watch and (name is None or as_json):
        raise typer.BadParameter("--watch shows one study; name it, and leave --json out")
    if name is None:
        showing.all_studies(place, as_json=as_json)
    elif watch:
        showing.watch(place, name)
    else:
        showing.one_study(place, name, as_json=as_json)


_TRIALS_EXAMPLES = """[bold]Examples[/bold]
  ockham trials redundancy
  ockham trials redundancy 7              one trial whole, its levels included
  ockham trials redundancy --format csv --out trials.csv
  ockham trials redundancy --format json | jq '.\\[0].metrics'"""


def trials(
    *,
    place: Place,
    name: StudyName,
    number: Annotated[
        int | None, typer.Argument(metavar="[TRIAL]", min=0, help="One trial, whole.", show_default="all, a row each")
    ] = None,
    form: Annotated[
        str | None,
        form_option(
            "table",
            "json",
            "csv",
            "parquet",
            about="The table shows the key numbers, the others every parameter and metric.",
        ),
    ] = None,
    out: Out = None,
) -> None:
    """The trials of a study, one row each; or one of them whole, its levels included."""
    if number is not None:
        from study.commands.one_trial import print_trial

        if form or out:
            raise typer.BadParameter("--format and --out are for all trials; leave them out, or the trial's number")
        print_trial(place.open(name), number)
        return
    from study.ledger.frames import FORMATS, as_parquet, as_text, write

    form = chosen_form(form, out, FORMATS)
    ledger = place.open(name)
    rows = ledger.trials()
    if form == "table":
        from study.commands import showing

        showing.trial_table(rows, list(ledger.config.space.span), out)
    elif form == "parquet":
        if out is None and sys.stdout.isatty():
            raise typer.BadParameter("--format parquet is not for the screen; give --out FILE")
        content = as_parquet(rows)
        write(out, content) if out else sys.stdout.buffer.write(content)
    else:
        text = as_text(rows, "json" if form == "json" else "csv")
        put(text, out)


_MEASURES_EXAMPLES = """[bold]Examples[/bold]
  ockham launch --name inside --set measures=all
  ockham measures inside
  ockham measures inside --gap            which of them track the generalization gap
  ockham measures inside --gap --out gap.svg
  ockham measures inside --format csv --out measures.csv
  ockham measures inside --layers --out layers.csv"""


def measures(
    *,
    place: Place,
    name: StudyName,
    form: Annotated[
        str | None,
        form_option(
            "table",
            "json",
            "csv",
            "svg",
            about="The table shows means and intervals, JSON and CSV what each number is as well; SVG with --gap.",
        ),
    ] = None,
    out: Out = None,
    gap: Annotated[
        bool, typer.Option("--gap", help="Each held against the generalization gap, and compressibility too.")
    ] = False,
    layers: Annotated[
        bool, typer.Option("--layers", help="The numbers of single layers and of training, one row each, as CSV.")
    ] = False,
) -> None:
    """What is inside dense networks: every measure, of those that learned beside those that memorised.

    Learned are clean twins, memorised the networks that were given noise. Intervals are over trials (or dense cells);
    AUC is the share of pairs within a trial in which the learned network's number is larger: 1 or 0 tells them apart.
    With --gap: rank correlation with the generalization gap among trials at equal label noise and instrument (p by
    permutation; q: the share of false ones among those at least as clear; * up to .10), Ψ and CMI of Jiang et al. 2020,
    and the correlation that is left once norm and margin are given.
    """
    from study.commands.measures_table import (
        FORMS,
        GAP_FORMS,
        ONLY_WITH_GAP,
        print_gap,
        print_layers,
        print_measures,
    )

    if layers and gap:
        raise typer.BadParameter("--layers and --gap are two tables; leave one of them out")
    if layers:
        if form not in (None, "csv"):
            raise typer.BadParameter(f"--format {form}: --layers are written as CSV only")
        print_layers(place.open(name), out)
        return
    if gap:
        print_gap([place.open(name)], chosen_form(form, out, GAP_FORMS), out)
    else:
        print_measures(place.open(name), chosen_form(form, out, FORMS, others=ONLY_WITH_GAP), out)


def report(
    *,
    place: Place,
    name: StudyName,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write it there.", show_default="<home>/<name>/report")
    ] = None,
) -> None:
    """Write the answer as one self-contained HTML page: verdicts in words, figures, the table of trials."""
    from study.display.summary import MOST_CONDITIONS
    from study.execution.finishing import write

    page, found = write(place.open(name), out)
    for paragraph in found.paragraphs(MOST_CONDITIONS):
        typer.echo(paragraph)
    typer.echo(f"Report: {page}")


_VERDICTS_EXAMPLES = """[bold]Examples[/bold]
  ockham verdicts redundancy
  ockham verdicts redundancy --robustness    what would turn them
  ockham verdicts redundancy --json | jq '.findings[] | {claim, condition, verdict, n}'"""


def verdicts(
    *,
    place: Place,
    name: StudyName,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts: estimates, intervals, evidence.")] = False,
    robust: Annotated[
        bool,
        typer.Option(
            "--robustness",
            help="Each verdict under other choices: how far curves count, which networks fitted, criteria, replicates.",
        ),
    ] = False,
) -> None:
    """What a study's data say of each of its claims, at any time; looking changes nothing."""
    from study.settings.verdicts import robustness_of, verdicts_of

    ledger = place.open(name)
    if robust:
        checks = robustness_of(ledger)
        said = {"study": name, **checks.as_dict()}
        typer.echo(json.dumps(said, indent=2, allow_nan=False) if as_json else checks.as_text())
        return
    found = verdicts_of(ledger)
    if as_json:
        typer.echo(json.dumps({"study": name, **found.as_dict()}, indent=2, allow_nan=False))
    else:
        typer.echo(found.as_text())


def spaces(
    *,
    place: Place,
    name: Annotated[
        str | None,
        typer.Argument(metavar="[NAME]", help="One study.", autocompletion=complete_space, show_default="all"),
    ] = None,
    methods: Annotated[
        bool, typer.Option("--methods", help="What each criterion can score, and what is refused.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For scripts.")] = False,
) -> None:
    """The named studies that ship with Ockham, and the data sets, models, methods and criteria to --set."""
    from study.commands import catalogue, methods_table

    if methods:
        methods_table.print_methods()
    elif as_json:
        typer.echo(json.dumps(catalogue.as_json(name), indent=2))
    elif name is None:
        catalogue.print_all()
    else:
        catalogue.print_one(name)


_FIELDS_EXAMPLES = """[bold]Examples[/bold]
  ockham fields lr
  ockham fields 'compression.prune*'
  ockham fields --format csv --out fields.csv"""


def fields(
    *,
    place: Place,
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="[PATTERN]", help="A part of a name, or all of it with *.", show_default="all"),
    ] = None,
    form: Annotated[str | None, form_option("text", "json", "csv")] = None,
    out: Out = None,
) -> None:
    """What can be set of a trial: each field with its type, default and meaning, who reads it, who may span it."""
    from study.commands import field_list
    from study.ledger.frames import write
    from study.settings.fields import fields_like

    written = {"text": field_list.as_text, "json": field_list.as_json, "csv": field_list.as_csv}
    form = chosen_form(form, out, tuple(written))
    found = fields_like(pattern)
    if out is not None:
        write(out, written[form](found))
    elif form == "text":
        field_list.print_fields(found)
    else:
        typer.echo(written[form](found))
