"""The forms in which commands print what they know, and the file that it may go to: declared once."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

Out = Annotated[Path | None, typer.Option(metavar="FILE", help="Write there.", show_default="to the screen")]


def put(text: str, out: Path | None) -> None:
    """Writes it into the file, or onto the screen without one.

    Raises:
        UsageError: It can't be written there.
    """
    from study.ledger.frames import write

    write(out, text) if out else typer.echo(text)


def draw_on(draw: "Callable[[Console], None]", out: Path | None, width: int) -> None:
    """Draws on the terminal, or as text of that width into the file.

    Raises:
        UsageError: It can't be written there.
    """
    from study.display import terminal
    from study.display.console import text_for_file

    if out is None:
        draw(terminal())
    else:
        put(text_for_file(draw, width), out)


def form_option(*forms: str, about: str | None = None) -> Any:
    """`--format` of a command that knows these forms, of which the first is for people.

    Args:
        about: What the forms differ in, for the help.
    """
    return typer.Option(
        "--format",
        metavar="|".join(forms),
        help=about,
        autocompletion=lambda: list(forms),
        show_default=f"by the ending of --out, else {forms[0]}",
    )


def chosen_form(
    form: str | None, out: Path | None, forms: tuple[str, ...], *, others: Mapping[str, str] | None = None
) -> str:
    """The form that was asked for, or that the ending of the file names; else the first, which is for people.

    Args:
        others: Forms that the command has with another option only → that option.

    Raises:
        typer.BadParameter: There is no such form, or the ending names none and is not that of a text.
    """
    ending = out.suffix[1:].lower() if out else ""
    if option := (others or {}).get(form or ending):
        asked = f"--format {form}" if form else f"--out {out}"
        raise typer.BadParameter(
            f"{asked}: {form or ending} goes with {option}; add that, or choose one of {', '.join(sorted(forms))}"
        )
    if form is not None:
        if form not in forms:
            raise typer.BadParameter(f"--format {form}: choose one of {', '.join(sorted(forms))}")
        return form
    if ending in forms:
        return ending
    if ending in ("", "txt", "md", "log"):
        return forms[0]
    known = ", ".join(f".{name}" for name in forms if name not in ("table", "text"))
    raise typer.BadParameter(f"--out {out}: .{ending} names no format; end it in {known} or .txt, or add --format")
