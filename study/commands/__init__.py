"""The commands of `ockham`, by what they do: running, reading, housekeeping.

Nothing here imports torch, ray or mlflow before a command that needs them runs, so that help and errors come at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from study.commands import comparing, control, examples, exporting, housekeeping, reading, remeasuring, running
from study.errors import Interrupted

_HELP = (
    "Has this network learned something, or memorised it?\n\n"
    "Ockham trains networks, compresses them step by step and records how far each compresses before it breaks: "
    "networks that memorised noisy labels, beside their clean twins."
)
_EPILOG = """[bold]Start here[/bold]
  ockham launch                          24 trials on scikit-learn's digits
  ockham status                          what is running, from any terminal
  ockham report redundancy               the answer as one HTML page
  ockham resume redundancy --trials +24  more of the same, nothing repeated

A study lives in <home>/<name>/; the home is ./studies, $OCKHAM_HOME or --home.

Exit codes: 0 all trials done, 1 internal error, 2 bad usage, 3 some trials
failed, 4 another driver runs the study, 130 incomplete and resumable."""


class _Commands(TyperGroup):
    """Options of the commands that run a study are read when one is asked for, and help of all comes at once.

    Typer would end a command that somebody interrupts without a word.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command and what is left of the arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, running.whole_command(name or "") or command, rest

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Reads the arguments, for which Typer imports pydantic."""
        with _answer_interrupts():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: Any) -> Any:
        """Runs one command."""
        with _answer_interrupts():
            return super().invoke(ctx)


@contextmanager
def _answer_interrupts() -> Iterator[None]:
    try:
        yield
    except (KeyboardInterrupt, typer.Abort):
        raise Interrupted from None


app = typer.Typer(
    name="ockham",
    cls=_Commands,
    help=_HELP,
    epilog=_EPILOG,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"ockham {metadata.version('ockham')}")
        raise typer.Exit


@app.callback()
def _ockham(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of `ockham` itself; its help is that of `app`."""


for module in (running, control, reading, comparing, remeasuring, examples, exporting, housekeeping):
    module.register(app)
