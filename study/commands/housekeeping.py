"""delete, ui, doctor."""

from typing import Annotated

import typer

from study.commands.options import StudyName, located
from study.commands.trusting import Trust, sure
from study.ledger.place import Place


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command()(located(delete))
    app.command()(located(ui))
    app.command()(located(doctor))


def delete(
    *,
    place: Place,
    name: StudyName,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    trust: Trust = False,
) -> None:
    """Delete a study for good: its folder, its rows in the ledger and in Optuna's tables, its runs in MLflow.

    Refused while a driver runs it, here or elsewhere (exit code 4). Other studies of the home are untouched.
    """
    from study.operations.deleting import delete_study, described

    if not yes:
        typer.echo(described(place, name))
        try:
            wanted = typer.confirm("Delete all of it?")
        except typer.Abort:  # Ctrl-C, or nobody there to answer
            raise typer.BadParameter("not answered, so nothing was deleted; --yes does not ask") from None
        if not wanted:
            typer.echo("Nothing was deleted.")
            return
    delete_study(place, name, typer.echo, sure(trust))


def ui(
    *,
    place: Place,
    port: Annotated[
        int | None, typer.Option(metavar="N", help="Port on 127.0.0.1.", show_default="5000, or the next free one")
    ] = None,
) -> None:
    """Open the runs of the home in MLflow's web pages, on this machine only. Ctrl-C ends it."""
    from study.tracking.tracking_server import serve

    raise typer.Exit(serve(place, port, typer.echo))


def doctor(
    *,
    place: Place,
    ray: Annotated[bool, typer.Option("--ray/--no-ray", help="Try to start Ray (some seconds).")] = True,
) -> None:
    """Check this machine: versions, CPUs, memory, GPU, Ray, data sets, tracking, disk, ports.

    ✓ fine, – worth knowing, ✗ broken, with what to do. Exit code 1 if anything is broken.
    """
    from study.operations.doctor import examine, show

    raise typer.Exit(show(examine(place, start_ray=ray)))
