"""export."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from study.commands.options import StudyName, with_place_options
from study.ledger.place import Place

if TYPE_CHECKING:
    from study.operations.exporting import ExportResult
    from study.operations.packing import PackedFile

_EXAMPLES = """[bold]Examples[/bold]
  ockham export redundancy 3 --level 6 --out small.safetensors
  ockham export redundancy 3 --level 6 --replicate 2 --arm control --out twin.safetensors --onnx
  ockham export lottery_ticket 0 --level 7 --ticket --out tickets.safetensors
  ockham export redundancy 3 --level 6 --packed --out tiny.packed
  ockham launch lottery_ticket --name moved --set data.name=fashion_mnist \\
    --set compression.depth=1 --set compression.recovery_epochs=6 \\
    --set compression.ticket=tickets.safetensors

[bold]Reading it[/bold], with torch and safetensors only (copy trainables/export/loader.py):
  from loader import load_network
  logits = load_network("small.safetensors")(images)    # pixels 0 … 255
A packed one needs Ockham: study.load_packed("tiny.packed").network(images)"""
# Less than one example of a million, or what rounding makes of numbers.
_ROUNDING = 1e-6


def register(app: typer.Typer) -> None:
    """Adds the command of this file."""
    app.command(epilog=_EXAMPLES)(with_place_options(export))


def export(
    *,
    place: Place,
    name: StudyName,
    trial: Annotated[int, typer.Argument(metavar="TRIAL", help="Its number.", show_default=False)],
    level: Annotated[int, typer.Option(metavar="L", help="Compression level; 0 is the dense network.")],
    out: Annotated[
        Path,
        typer.Option(metavar="FILE", help="A .safetensors, its description beside it as .json; --packed: a .packed."),
    ],
    replicate: Annotated[int, typer.Option(metavar="K", help="Which of the trial's networks.")] = 0,
    arm: Annotated[
        str,
        typer.Option(
            metavar="replicate|control",
            help="control: its clean twin.",
            autocompletion=lambda: ["replicate", "control"],
        ),
    ] = "replicate",
    ticket: Annotated[
        bool,
        typer.Option("--ticket", help="Write masks and starting weights of all replicates, for compression.ticket."),
    ] = False,
    packed: Annotated[
        bool,
        typer.Option("--packed", help="Write one file of exactly the bits that level/description_length counts."),
    ] = False,
    onnx: Annotated[bool, typer.Option("--onnx", help="Write an .onnx too (needs the extra ockham\\[onnx]).")] = False,
    data_dir: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where data sets lie.", show_default="where the study had them"),
    ] = None,
) -> None:
    """Write one compressed network as an ordinary PyTorch network, and say how small and fast it is.

    The trial is run again up to that level, which takes at most as long as it took; its scores are compared with the
    recorded ones. Units that pruning removed or masked are gone from the file, and so are units tied to examples
    (model.tied_units), with which nothing is measured; single weights that were pruned are zeros in it, and make it no
    smaller.
    """
    from study.display import terminal
    from study.operations.exporting import NetworkChoice, export_tickets
    from study.operations.exporting import export as write
    from study.operations.packing import export_packed

    if arm not in ("replicate", "control"):
        raise typer.BadParameter(f"--arm {arm}: choose replicate or control")
    if packed and (ticket or onnx):
        raise typer.BadParameter("--packed writes one network and nothing beside it; leave --ticket and --onnx out")
    ledger = place.open(name)
    if data_dir is not None:
        run = ledger.config.run.model_copy(update={"data_dir": data_dir.expanduser().absolute()})
        ledger.config = ledger.config.model_copy(update={"run": run})
    with closing(ledger), terminal().status(f"Running trial {trial} again …") as status:

        def say(text: str) -> None:
            status.update(f"Running trial {trial} again: {text}")

        wanted = NetworkChoice(trial, level, replicate, "control" if arm == "control" else "replicate")
        if ticket:
            kept = export_tickets(ledger, trial, level, out, say=say)
            lines = [f"Written: {out}, tickets of {kept:,} weights each. Try them: --set compression.ticket={out}"]
        elif packed:
            lines = _lines_of_packed(export_packed(ledger, wanted, out, say=say))
        else:
            lines = _lines_of_ordinary(write(ledger, wanted, out, onnx=onnx, say=say))
    for line in lines:
        typer.echo(line)


def _lines_of_packed(file: "PackedFile") -> list[str]:
    beside = "as recorded" if file.bits == file.recorded_bits else f"{file.recorded_bits:,} were recorded"
    same = "bit for bit" if file.difference == 0 else f"within {file.difference:.0e}"
    return [
        f"{file.bits:,} bits of its description, {beside}; {file.bytes:,} bytes with their header.",
        f"Weights that are read from it are those of the trial's network, {same}.",
        f"Written: {file.path}",
    ]


def _lines_of_ordinary(made: "ExportResult") -> list[str]:
    from study.operations.exporting import table
    from trainables.again import elsewhere

    rows = [("", "dense", "exported", "ratio"), *table(made)]
    said = ", ".join(f"{name.partition('_')[0]} {there:.4f}" for name, (_, there) in made.scores.items())
    off = max(abs(there - recorded) for recorded, there in made.scores.values())
    moved = elsewhere(*made.devices)
    why = "" if moved else ": another machine or version?"
    return [
        *(f"{what:20}{dense:>12}{small:>12}{ratio:>9}" for what, dense, small, ratio in rows),
        f"{made.label[:1].upper()}{made.label[1:]} of the file: {said}.",
        "As recorded." if off < _ROUNDING else f"Recorded {made.label} differs by up to {off:.4f}{why}",
        *([f"The trial was {moved}."] if moved else []),
        f"Outputs are those of the trial's network within {made.difference:.0e} of the largest.",
        f"Written: {', '.join(str(file) for file in made.files)}",
    ]
