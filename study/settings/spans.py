"""What a study spans: what it asks for, as far as anything reads it; and the conditions that its trials are under."""

import importlib
from collections.abc import Iterator

from search_spaces import catalog
from search_spaces.space import CONDITIONS, SearchSpace
from trainables.config import TrialConfig, defaults
from trainables.listing import names_in
from trainables.parts import EntrySection

USUAL = "redundancy"


def without_space() -> tuple[SearchSpace, str]:
    """The settings of the usual study with nothing spanned, for `--set` to say what is; and a line that says so."""
    usual = catalog.get(USUAL)
    note = (
        f"No space was named: settings are those of {USUAL} ({usual.base['data.name']}, {usual.base['model.name']}), "
        "and only what --set spans is spanned."
    )
    return SearchSpace(base={**usual.base, "data.label_noise": 1.0}), note


def spanned_where_read(space: SearchSpace, own: set[str]) -> tuple[SearchSpace, list[str]]:
    """`space` with its fields spanned in those trials only in which a chosen entry reads them, and what was dropped.

    Args:
        own: Names that the user fixed or spanned: of what is fixed and unread that much is said, too.
    """
    notes, span = [], dict(space.span)
    for name in sorted({*space.span, *own & set(space.base)}):
        for chooser, kind, readers in readers_of(name):
            chosen = _values(space, chooser)
            reading = [value for value in chosen if readers & set(str(value).split("+"))]
            if not reading:
                what = "is not spanned" if name in span else f"stays {space.base[name]}, which says nothing"
                notes.append(f"{name} {what}: {kind}={' or '.join(map(str, chosen))} does not read it.")
                span.pop(name, None)
            elif len(reading) < len(chosen) and name in span and chooser not in span[name].when:
                when = {**span[name].when, chooser: tuple(reading)}
                span[name] = span[name].model_copy(update={"when": when})
    if span == space.span:
        return space, notes
    return SearchSpace.model_validate({**dict(space), "span": span}), notes


def conditions(space: SearchSpace) -> str:
    """What is done to the data of all trials, in one line."""
    said = [f"{name}={','.join(map(_word, _values(space, name)))}" for name in CONDITIONS]
    twins = "no clean twins" if False in _values(space, "control") else "a clean twin beside each network"
    if _values(space, CONDITIONS[0]) == [0] and _values(space, CONDITIONS[2]) == ["true"]:
        twins = "nothing to memorise, so no clean twins and no contrast (--set data.label_noise=1 for some)"
    return f"conditions: {' '.join(said)}; {twins}"


def repeats(space: SearchSpace, sampler: str, trials: int) -> list[str]:
    """A line about a learning sampler that has fewer settings to choose from than trials to run; else none."""
    cells = 1.0
    for span in space.span.values():
        cells *= span.count()
    if cells >= trials:
        return []
    return [
        f"{sampler} has {cells:.0f} different settings to choose from, and {trials} trials to run: some come again, "
        "with fresh seeds (--sampler grid runs each of them once)."
    ]


def readers_of(name: str) -> Iterator[tuple[str, str, set[str]]]:
    """For a field that not every entry of its section reads: who chooses the entry, and which ones read it."""
    section, _, field = name.partition(".")
    part = TrialConfig.model_fields[section].annotation if section in TrialConfig.model_fields else None
    if not (isinstance(part, type) and issubclass(part, EntrySection)):
        return
    for chooser, package in part.choosers.items():
        readers = {
            entry
            for entry in names_in(package)
            if field in getattr(importlib.import_module(f"{package}.{entry}").ENTRY, "reads", ())
        }
        if readers:
            yield f"{section}.{chooser}", chooser, readers


def _values(space: SearchSpace, name: str) -> list[object]:
    if name in space.span:
        return list(space.span[name].corners())
    return [space.base.get(name, defaults()[name])]


def _word(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def on_conditional(space: SearchSpace, sampler: str) -> list[str]:
    """What a design makes of parameters that only some trials have."""
    if sampler != "design" or not (conditional := space.activation.conditional):
        return []
    name = conditional[0]
    other, values = next(iter(space.activation.when[name].items()))
    others = "" if len(conditional) == 1 else f" (likewise {', '.join(conditional[1:])})"
    return [
        f"{name} means something with {other}={'+'.join(map(str, values))} only: it is balanced among those trials, "
        f"the others are repeated with fresh seeds{others}."
    ]
