"""What `spaces` prints: the named studies, and what can be put into a space."""

import ast
import importlib.util
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from search_spaces import catalog
from search_spaces.claims import Claim
from search_spaces.named_study import SIZES
from search_spaces.recorded import core_minutes
from search_spaces.space import Range, SearchSpace
from study.display import terminal
from study.display.words import value
from study.errors import UsageError
from trainables.config import TrialConfig
from trainables.dotted import short_name
from trainables.listing import names_in

# Field → the folder whose entries it names.
KINDS = {
    short_name(f"{section}.{field}"): package
    for section, part in TrialConfig.model_fields.items()
    for field, package in getattr(part.annotation, "choosers", {}).items()
}


def as_json(name: str | None) -> dict[str, Any]:
    """Studies (all, or one) and entries of every kind."""
    studies = [name] if name else list(catalog.names())
    return {
        "studies": {study: _space(study).model_dump(mode="json") for study in studies},
        "sizes": {study: _sizes(study) for study in studies},
        "entries": {key: list(names_in(package)) for key, package in KINDS.items()},
    }


def _sizes(name: str) -> dict[str, Any]:
    """Size → its trials, what they took where they were recorded, and how the study is called."""
    study, took = catalog.study(name), core_minutes()
    named = study.names(name)
    return {
        size: {"trials": study.at(size).trials, "core_minutes": took.get((name, size)), "name": named[size]}
        for size in study.known_sizes
    }


def print_all() -> None:
    """Two lists: studies to launch, entries to --set."""
    console = terminal()
    console.print(Text("Named studies (ockham launch NAME; ockham spaces NAME for more)", style="bold"))
    took, longest = core_minutes(), max(map(len, catalog.names()))
    heads = f"  {'':{longest}}   small  core-minutes   paper   large"
    console.print(Text(heads, style="dim"))
    for name in catalog.names():
        study = catalog.study(name)
        small, *larger = (f"{study.at(size).trials}" if size in study.known_sizes else "–" for size in SIZES)
        minutes = f"{took[name, 'small']:.0f}" if (name, "small") in took else "–"
        numbers = f"{small:>8}{minutes:>14}{larger[0]:>8}{larger[1]:>8}"
        console.print(Text.assemble("  ", (f"{name:{longest}}", "bold"), numbers))
        console.print(Padding(Text(study.space.title), (0, 0, 0, 4)))
    foot = "Trials of each size (--size), and core-minutes that small took; --dry-run says what any takes here."
    console.print(Padding(Text(foot, style="dim"), (0, 0, 0, 2)))
    for key, package in KINDS.items():
        console.print()
        console.print(Text(f"{_first_line(package).split(':')[0]} (--set {key}=NAME)", style="bold"))
        entries = _list()
        for name in names_in(package):
            entries.add_row(name, _first_line(f"{package}.{name}"))
        console.print(entries)


def print_one(name: str) -> None:
    """A named study: its question, what it claims and from where, what it spans and fixes."""
    space = _space(name)
    console = terminal()
    console.print(Text.assemble((name, "bold"), " · ", (space.title, "italic")))
    for label, said in (("Claim", space.claim), ("Source", space.source)):
        if said:
            console.print()
            console.print(Text.assemble((f"{label}: ", "bold"), said))
    for label, values in (
        ("Decides", {claim.name: _statement(claim) for claim in space.claims}),
        ("Spans", {key: _notation(choice) + _where(space, key) for key, choice in space.span.items()}),
        ("Fixes", {key: value(given) for key, given in space.base.items()}),
    ):
        if not values:
            continue
        console.print()
        console.print(Text(label, style="bold"))
        table = _list()
        for key, said in values.items():
            table.add_row(key, said)
        console.print(table)
    study = catalog.study(name)
    if study.known_sizes:
        console.print()
        console.print(Text("Sizes (--size SIZE; --dry-run says what one takes here)", style="bold"))
        table = _list()
        for size, called in study.names(name).items():
            own = " (unless told otherwise)" if size == study.size else ""
            trials, minutes = f"{study.at(size).trials} trials", core_minutes().get((name, size))
            took = "not recorded" if minutes is None else f"{minutes:.1f} core-minutes"
            table.add_row(size, f"{trials}, {took}; {called}{own}")
        console.print(table)
    if study.differs:
        console.print()
        console.print(Text.assemble(("Differs from the paper: ", "bold"), "; ".join(study.differs) + "."))
    for note in study.notes:
        console.print()
        console.print(Text.assemble(("Note: ", "bold"), note))
    console.print()
    console.print(f"{space.trials} trials unless told otherwise. Change anything with --set, for example:", style="dim")
    example = next(iter(space.span), "model.width")
    first = _notation(space.span[example]).split(",")[0] if example in space.span else "64"
    console.print(f"  ockham launch {name} --name my_{name} --set {example}={first.split('..')[0]}", soft_wrap=True)


def _statement(claim: Claim) -> str:
    """The claim's sentence, and where it is a placebo that it is one, and of which trials."""
    where = ", ".join(f"{name}={','.join(map(str, values))}" for name, values in claim.where.items())
    said = claim.says + (f" (placebo, with {where})" if claim.role == "placebo" and where else "")
    return said + (" (placebo)" if claim.role == "placebo" and not where else "")


def _space(name: str) -> SearchSpace:
    try:
        return catalog.get(name)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _notation(choice: Any) -> str:
    """In the notation of --set."""
    if isinstance(choice, Range):
        return f"{value(choice.low)}..{value(choice.high)}{':log' if choice.log else ''}"
    return ",".join(value(item) for item in choice.values)


def _where(space: SearchSpace, name: str) -> str:
    where = space.where(name)
    return f"  (where {where})" if where else ""


def _first_line(module: str) -> str:
    """The first line of a module's docstring, read without importing it."""
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        return ""
    said = ast.get_docstring(ast.parse(Path(found.origin).read_text(encoding="utf-8")))
    return said.splitlines()[0] if said else ""


def _list() -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 2), pad_edge=False)
    table.add_column(no_wrap=True, min_width=14)
    table.add_column()
    return table
