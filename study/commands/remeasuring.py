"""remeasure."""

from typing import Annotated

import typer

from study.commands.options import StudyName, with_place_options
from study.ledger.place import Place

_EXAMPLES = """[bold]Examples[/bold]
  ockham remeasure redundancy --measures spectrum+sharpness
  ockham remeasure redundancy --measures all --trials 0,3
  ockham remeasure redundancy --measures spectrum --set measures.spectrum.when=levels
  ockham measures redundancy"""
_FAILED = 3


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(epilog=_EXAMPLES)(with_place_options(remeasure))


def remeasure(
    *,
    place: Place,
    name: StudyName,
    measures: Annotated[
        str, typer.Option(metavar="A+B", help="Measures as --set measures= takes them; all: every one.")
    ],
    trials: Annotated[
        str | None, typer.Option(metavar="N,M", help="Numbers of trials.", show_default="all that are complete")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Set a field of a measure, as launch does; repeatable."),
    ] = None,
) -> None:
    """Take measures of a finished study's networks afterwards, and add what is found to what the study knows.

    Dense networks that the home keeps are measured as they are, others are trained again, bit for bit. Trials that have
    the measures already are left alone, so that a command that was stopped goes on where it was.
    """
    from study.operations.remeasuring import remeasure as take

    try:
        numbers = None if trials is None else [int(part) for part in trials.split(",")]
    except ValueError:
        raise typer.BadParameter(f"--trials {trials}: write numbers of trials, e.g. --trials 0,3") from None
    ledger = place.open(name)
    found = take(ledger, measures, numbers, settings=settings or [], say=typer.echo)
    for number, why in found.failures.items():
        typer.echo(f"trial {number} was not measured: {why}")
    also = f", {len(found.measured_before)} had them already" if found.measured_before else ""
    typer.echo(f"{len(found.measured_now)} trials measured{also}; see: {place.command('measures', name)}")
    if found.was_stopped:
        typer.echo("Stopped, as somebody asked; the same command goes on from here.")
    if ledger.outbox_size():
        typer.echo(f"MLflow hears of it with: {place.command('resume', name)}")
    if found.failures:
        raise typer.Exit(_FAILED)
