"""`--trust`: whether a file that may be somebody else's decides where a command connects to."""

import sys
from collections.abc import Mapping
from typing import Annotated

import typer

from study.trust import Sure, anybody

Trust = Annotated[
    bool,
    typer.Option(
        "--trust",
        help="Connect to places that a study file or a ledger names, also where you have never been.",
        rich_help_panel="Where things are",
        show_default=False,
    ),
]


def sure(trust: bool) -> Sure:
    """Asks on the terminal, unless told to trust."""
    return anybody if trust else _ask


def _ask(places: Mapping[str, str], source: str) -> bool:
    if not sys.stdin.isatty():
        return False
    typer.echo(f"{source} connects to places where you have not been before:")
    for option, place in places.items():
        typer.echo(f"  {option} {place}")
    return typer.confirm("What answers there can run code here. Do you know them?")
