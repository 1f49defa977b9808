"""delete, ui, doctor."""

from typing import Annotated

import typer

from study.commands.options import StudyName, complete_study, with_place_options
from study.commands.trusting import Trust, sure
from study.ledger.place import Place


def register(app: typer.Typer) -> None:
    """Adds the commands of this file."""
    app.command()(with_place_options(delete))
    app.command()(with_place_options(ui))
    app.command()(with_place_options(doctor))


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
    from study.operations.deleting import delete_study, describe_loss

    if not yes:
        typer.echo(describe_loss(place, name))
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
        int | None,
        typer.Option(
            metavar="N", min=1, max=65535, help="Port on 127.0.0.1.", show_default="5000, or the next free one"
        ),
    ] = None,
) -> None:
    """Open the runs of the home in MLflow's web pages, on this machine only. Ctrl-C ends it."""
    from study.tracking.tracking_server import serve

    raise typer.Exit(serve(place, port, typer.echo))


def doctor(
    *,
    place: Place,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]", help="A study.", autocompletion=complete_study, show_default="the machine itself"
        ),
    ] = None,
    mend: Annotated[
        bool, typer.Option("--mend", help="Mend what can be mended of the study without running a trial.")
    ] = False,
    ray: Annotated[bool, typer.Option("--ray/--no-ray", help="Try to start Ray (some seconds).")] = True,
) -> None:
    """Check this machine, or everything of a study.

    The machine: versions, CPUs, memory, GPU, Ray, data sets, tracking, disk, ports. A study: its ledger, every row
    and every file of results, the copies of its ledger, MLflow's store.

    ✓ fine, – worth knowing, ✗ broken, with what to do. Exit code 1 if anything is broken.
    """
    from study.operations.doctor import examine, show

    if name is not None:
        from study.operations.study_doctor import examine_study

        raise typer.Exit(show(examine_study(place, name, mend=mend), well="Whole."))
    if mend:
        raise typer.BadParameter("--mend mends a study; name it")
    raise typer.Exit(show(examine(place, start_ray=ray)))
