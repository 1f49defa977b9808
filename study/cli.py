"""The `ockham` command: parse, call, turn whatever goes wrong into one paragraph and an exit code.

What takes its time to import is imported inside `_run`, where whoever interrupts it is answered like anybody else.
"""

import contextlib
import io
import os
import re
import shutil
import signal
import sys
import textwrap
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO, cast

from study import address_space
from study.errors import Interrupted, LeaseHeld, LeaseLost, NoRoom, NotPrinted, UsageError
from study.lasting import LastingStream, send_nowhere
from study.passwords import mask_passwords
from study.printable import PrintableStream
from study.stop_flag import interrupted_by

_WORD = r"""(?:'[^']*'|"[^"]*"|[^\s'"])+"""  # of a shell's line, quotes included
_COMMAND = re.compile(rf"ockham [a-z]+(?: [\w.-]+)?(?: --[a-z-]+(?:[ =]{_WORD})?)+")
_GLUE = "\0"  # in place of a space where no line may end
OK, INTERNAL, USAGE, FAILED_TRIALS, HELD, INCOMPLETE = 0, 1, 2, 3, 4, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code: see the help of `ockham`."""
    _open_closed_streams()
    arguments = list(sys.argv[1:] if argv is None else argv)
    with _printable(colours=not arguments or "--help" in arguments, lasting=_runs_trials(arguments)):
        code = _run(arguments)
    if argv is None:
        _end_as_it_ended(code)
    return code


def _runs_trials(arguments: list[str]) -> bool:
    return arguments[:1] in (["launch"], ["resume"], ["confirm"]) and "--help" not in arguments


def _run(arguments: list[str]) -> int:
    runs = _runs_trials(arguments)
    try:
        if runs:  # before PyTorch is loaded, which a low limit does not let live either
            address_space.require()
        # Whoever ends a run, a scheduler say, is answered like one who presses Ctrl-C, also before it has begun.
        with interrupted_by(*([signal.SIGTERM] if runs else [])):
            from typer.main import get_command

            from study.commands import app

            code = get_command(app).main(arguments, prog_name="ockham", standalone_mode=False)
            return code if isinstance(code, int) else OK
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else INTERNAL
    except (KeyboardInterrupt, Interrupted):
        print("Stopped; the same command goes on with it." if runs else "Stopped.", file=sys.stderr)
        return INCOMPLETE
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        code, text = _explain(error)
        with contextlib.suppress(OSError):  # there is nowhere left to say it
            if text:  # a bare `ockham` has printed its help
                print(_paragraph(mask_passwords(text)), file=sys.stderr)
        return code


def _end_as_it_ended(code: int) -> None:
    """All is said and done: who interrupts what Python still tidies up for a second gets the same answer at once."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):  # it was said already
        send_nowhere(sys.stdout)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(code))


def _open_closed_streams() -> None:
    """Where stdin, stdout or stderr was closed by the caller (`2>&-`), what is said there goes nowhere.

    Left closed, its number would be that of the next file that is opened, and a library's message would land in there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115


@contextmanager
def _printable(*, colours: bool, lasting: bool) -> Iterator[None]:
    """Whatever is printed inside, by whomever, has no passwords in it and no commands to the terminal.

    Args:
        lasting: Whether the work goes on when nobody takes what is printed any more.
    """
    streams = [sys.stdout, sys.stderr]
    for stream in streams:  # a terminal or log that knows no … gets \u2026: half of a text is better than an error
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
    if lasting:
        named = zip(streams, ("stdout", "stderr"), strict=True)
        streams = [cast(TextIO, LastingStream(stream, name)) for stream, name in named]
    out, err = (cast(TextIO, PrintableStream(stream, colours=colours)) for stream in streams)
    with redirect_stdout(out), redirect_stderr(err):
        yield


def _explain(error: Exception) -> tuple[int, str]:
    """The exit code an error stands for and what to tell its reader."""
    from typer import TyperException

    if isinstance(error, TyperException):
        context = getattr(error, "ctx", None)
        hint = f" See '{context.command_path} --help'." if context is not None else ""
        said = error.format_message().removeprefix("Invalid value: ").rstrip(".")
        if not said:
            return USAGE, ""
        return USAGE, f"Error: {said}{'' if said.endswith('?') else '.'}{hint}"
    if address_space.is_reason(error) and (limit := address_space.limit()) is not None:
        return USAGE, f"Error: ulimit -v {limit // 1024} is too little for this command; lift it: ulimit -v unlimited"
    codes = {LeaseHeld: HELD, LeaseLost: HELD, NoRoom: INCOMPLETE, UsageError: USAGE, NotPrinted: USAGE}
    for known, code in codes.items():
        if isinstance(error, known):
            return code, f"Error: {_in_terms_of_commands(error)}"
    return INTERNAL, f"Ockham failed: {type(error).__name__}: {error}. Add --debug to the command to see where."


def _in_terms_of_commands(error: Exception) -> str:
    if not getattr(error, "problems", ()):
        return str(error)
    from study.settings.wording import as_typed

    return as_typed(error)


def _paragraph(text: str) -> str:
    """`text` wrapped to the terminal, at most 100 columns.

    Its own lines (a list, say), long words and commands stay whole.
    """
    width = min(100, shutil.get_terminal_size((80, 24)).columns)
    whole = _COMMAND.sub(lambda command: command[0].replace(" ", _GLUE), text)
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False, subsequent_indent=_indent(line))
        for line in whole.rstrip().splitlines()
    ).replace(_GLUE, " ")


def _indent(line: str) -> str:
    return " " * (len(line) - len(line.lstrip()))


if __name__ == "__main__":
    sys.exit(main())
