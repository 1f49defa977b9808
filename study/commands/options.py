"""The options that every command shares, declared once.

`@located` gives a command `--home`, `--ledger`, `--tracking-uri`, `--storage` and `--debug`, and passes the first four
on as one `Place`.
"""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from study.config.environment import DEFAULT_HOME, usual_home
from study.errors import Damaged
from study.ledger.place import Place

if TYPE_CHECKING:
    from study.ledger import Ledger

_PANEL = "Where things are"
Home = Annotated[
    Path,
    typer.Option(
        "--home",
        envvar="OCKHAM_HOME",
        metavar="DIR",
        help="Folder of all studies: <home>/<name>/ each, <home>/mlflow.db for all.",
        rich_help_panel=_PANEL,
        show_default=str(DEFAULT_HOME),
    ),
]
LedgerUrl = Annotated[
    str | None,
    typer.Option(
        "--ledger",
        envvar="OCKHAM_LEDGER",
        metavar="URL",
        help="Database of the ledger, e.g. postgresql://host/db.",
        rich_help_panel=_PANEL,
        show_default="SQLite in the study's folder",
    ),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        envvar="OCKHAM_TRACKING_URI",
        metavar="URI",
        help="MLflow store or server, e.g. http://host:5000.",
        rich_help_panel=_PANEL,
        show_default="SQLite in the home",
    ),
]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        envvar="OCKHAM_STORAGE",
        metavar="URI",
        help="Where checkpoints and copies of the ledger lie, e.g. s3://bucket/ockham.",
        rich_help_panel=_PANEL,
        show_default="the study's folder",
    ),
]
Debug = Annotated[
    bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel=_PANEL, show_default=False)
]

_SHARED = (
    ("home", Home, DEFAULT_HOME),
    ("ledger", LedgerUrl, None),
    ("tracking_uri", TrackingUri, None),
    ("storage", Storage, None),
    ("debug", Debug, False),
)


def with_place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the shared options to a command that takes a `place`; `main` itself looks for `--debug`."""

    @functools.wraps(command)
    def with_place(**values: Any) -> None:
        shared = {name: values.pop(name) for name, _, _ in _SHARED}
        del shared["debug"]
        place = Place(**shared)
        try:
            command(place=place, **values)
        except Damaged as error:
            raise error.with_doctor(place.command("doctor", error.study or "NAME")) from None

    with_place.__doc__ = _unwrap(command.__doc__ or "")
    signature = inspect.signature(command)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "place"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, annotation, default in _SHARED
    ]
    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    with_place.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return with_place


def _unwrap(text: str) -> str:
    """Each paragraph on one line, for the terminal to wrap."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def complete_study(context: typer.Context, incomplete: str) -> list[str]:
    """Names of the studies in the home that start with what was typed."""
    home = context.params.get("home") or usual_home()
    return [name for name in Place(home=Path(home)).studies() if name.startswith(incomplete)]


def complete_space(incomplete: str) -> list[str]:
    """Names of the studies that ship with Ockham."""
    from trainables.listing import names_in

    return [name for name in names_in("search_spaces.named") if name.startswith(incomplete)]


StudyName = Annotated[
    str, typer.Argument(metavar="NAME", help="Name of the study.", autocompletion=complete_study, show_default=False)
]


def driver_of(ledger: "Ledger") -> str | None:
    """Who runs the study; None if nobody does."""
    lease = ledger.lease()
    if lease is None or not lease.held or lease.holder is None or lease.holder.fate() == "dead":
        return None
    return str(lease.holder)
