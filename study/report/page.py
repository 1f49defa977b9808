"""The page: one HTML file that needs nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from markupsafe import Markup

from study.answer.pairs import count_pairs, network_areas
from study.answer.robustness import Robustness
from study.answer.units import CELL, TRIAL, unit_word
from study.answer.verdict import Finding
from study.answer.words import ends_words, plural, with_half, with_sign
from study.report.claims import claims_block
from study.report.definitions import definitions
from study.report.figure import Absent, Figure, Picture
from study.report.html import render, source, style
from study.report.material import Material, column
from study.report.methods import citation, methods_paragraph
from study.report.provenance import facts, frozen_config
from study.report.robustness import robustness_section
from study.report.trial_table import trial_table

_ENDED = ("COMPLETE", "PRUNED", "FAILED")
_MOST_TILES = 4


Files = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class _Entry:
    """A figure on the page.

    Attributes:
        name: Its anchor.
        title: Its heading, unless the picture has one.
        picture: What was drawn; None where it could not be.
        absent: Why not, "" where that is not mentioned.
        number: From 1 on; 0 beside the answer.
        place: `left` or `right` of a pair, "" for one that stands alone.
        files: Ending → content, to be saved from the page.
    """

    name: str
    title: str
    picture: Picture | None = None
    absent: str = ""
    number: int = 0
    place: str = ""
    files: Mapping[str, str] = field(default_factory=dict)


def page(
    material: Material,
    drawn: dict[str, tuple[Figure, Picture | Absent]],
    files: Files,
    robustness: Robustness | None = None,
) -> str:
    """The whole page.

    Args:
        material: The study.
        drawn: Figure name → the figure and what it drew, in page order.
        files: Figure name → ending → content, to be saved from the page.
        robustness: The claims under other choices.
    """
    hero = [_entry(name, *pair, files) for name, pair in drawn.items() if pair[0].order == 0 and pair[1] != Absent("")]
    rest = [_entry(name, *pair, files) for name, pair in drawn.items() if pair[0].order != 0]
    space, planned = material.config.space, material.config.trials
    states = column(material.trials, "state", "").value_counts()
    return render(
        "page.html",
        name=material.config.name,
        title=space.title or "Has this network learned something, or memorised it?",
        expected=space.claim,
        cited=space.source,
        style=style(),
        script=Markup(source("page.js")),  # noqa: S704 our own file
        ended=int(sum(states.get(state, 0) for state in _ENDED)),
        planned=planned,
        planned_trials=plural(planned, "planned trial"),
        claims=claims_block(material.verdicts),
        hero=hero,
        tiles=_tiles(material),
        figures=_in_order([entry for entry in rest if entry.picture is not None]),
        absent=[(entry.title, entry.absent) for entry in rest if entry.absent],
        robustness=robustness_section(robustness),
        trials=trial_table(material),
        methods=methods_paragraph(material),
        citation=citation(material, datetime.now(UTC).year),
        facts=facts(material),
        definitions=definitions(material.task),
        config=frozen_config(material),
    )


def _entry(name: str, figure: Figure, drawn: Picture | Absent, files: Files) -> _Entry:
    if isinstance(drawn, Absent):
        return _Entry(name, figure.title, absent=drawn.reason)
    return _Entry(name, figure.title, drawn, files=files.get(name, {}))


def _in_order(entries: list[_Entry]) -> list[_Entry]:
    """Numbered from 1 on; two half ones in a row stand side by side."""
    numbered: list[_Entry] = []
    place = ""
    for number, entry in enumerate(entries, start=1):
        follows = number < len(entries) and _is_half(entries[number])
        beside = "left" if _is_half(entry) and follows else ""
        place = "right" if place == "left" else beside
        numbered.append(replace(entry, number=number, place=place))
    return numbered


def _is_half(entry: _Entry) -> bool:
    return entry.picture is not None and entry.picture.half


_UNIT_NOTES = {
    TRIAL: "the unit of every interval over trials",
    CELL: "several on the same dense networks, whose cells are the unit of every interval",
}


def _tiles(material: Material) -> list[tuple[str, str, str]]:
    """A value, what it is, and a note, of each number on the first screen."""
    asked = [
        found for found in material.verdicts.listed_findings if found.role != "placebo" and found.estimate is not None
    ]
    tiles = [_claim_tile(found) for found in asked[:_MOST_TILES]]
    pairs = count_pairs(network_areas(material.counted_trials, material.networks), material.counted_trials)
    if pairs.total:
        out = f"; {pairs.excluded_count:,} left out" if pairs.excluded_count else ""
        ties = f", {plural(pairs.ties, 'tie')}" if pairs.ties else ""
        note = f"compared network by network{ties}{out}"
        tiles.append((f"{pairs.earlier:,} / {pairs.total:,}", "pairs of twins: the noisy network broke earlier", note))
    unit = _UNIT_NOTES[unit_word(material.counted_trials)]
    tiles.append((f"{len(material.counted_trials):,}", "complete design trials", unit))
    return tiles


def _claim_tile(found: Finding) -> tuple[str, str, str]:
    name = found.claim.replace("_", " ")
    if found.verdict == "described":
        return with_half(found.estimate or 0.0, found.half), name, plural(found.n, found.unit)
    ends = ends_words(*found.shown_interval) or "not bounded yet"
    return with_sign(found.estimate or 0.0), name, f"{found.verdict}; {ends}"
