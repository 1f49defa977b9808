"""The options of commands that run a study, made from the fields of `RunConfig` that declare one."""

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from study.config import RunConfig
from study.config.options import Option

_PANEL = "How this run is carried out"


def with_run(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command that takes `run` an option for each field, and passes those that were given on as that."""
    options = {name: option for name, field in RunConfig.model_fields.items() for option in field.metadata[-1:]}
    options = {name: option for name, option in options.items() if isinstance(option, Option)}

    @functools.wraps(command)
    def with_options(**values: Any) -> None:
        run = {}
        for name, option in options.items():
            if (value := values.pop(name)) is not None:
                run[name] = option.reads(value) if option.reads else value
        command(run=run, **values)

    signature = inspect.signature(command)
    own = [parameter for parameter in signature.parameters.values() if parameter.name != "run"]
    added = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_annotation(name, option))
        for name, option in options.items()
    ]
    with_options.__signature__ = signature.replace(parameters=[*own, *added])  # type: ignore[attr-defined]
    return with_options


def _annotation(name: str, option: Option) -> Any:
    field = RunConfig.model_fields[name]
    words = field.description or ""
    shown = typer.Option(
        option.flags or f"--{name.replace('_', '-')}",
        envvar=option.envvar,
        metavar=option.metavar or None,
        help=f"{words[:1].upper()}{words[1:]}.",
        rich_help_panel=_PANEL,
        show_default=option.default,
    )
    kind: Any = Path | None if option.reads else field.annotation
    return Annotated[kind | None, shown]
