"""The page: one HTML file that needs nothing else."""

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from importlib import resources
from string import Template

from study.answer.pairs import count_pairs, network_areas
from study.answer.robustness import Robustness
from study.answer.units import CELL, TRIAL, unit_word
from study.answer.verdict import Finding
from study.answer.words import plural, with_half, with_sign
from study.report.claims import claims_block, prose
from study.report.definitions import definitions
from study.report.drawing import Drawing, Key, palette, swatch
from study.report.embedding import download
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material, column
from study.report.methods import citation, methods_paragraph
from study.report.provenance import facts, frozen_config
from study.report.robustness import robustness_section
from study.report.trial_table import trial_table

_ENDED = ("COMPLETE", "PRUNED", "FAILED")
_MOST_TILES = 4


Entry = tuple[str, Figure, Picture | Absent]
Files = Mapping[str, Mapping[str, str]]


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
    hero = [(name, *pair) for name, pair in drawn.items() if pair[0].order == 0 and pair[1] != Absent("")]
    rest = [(name, *pair) for name, pair in drawn.items() if pair[0].order != 0]
    space = material.config.space
    return Template(_file("page.html")).substitute(
        name=escape(material.config.name),
        title=escape(space.title or "Has this network learned something, or memorised it?"),
        claim=_claim(space.claim, space.source),
        style=palette() + _file("page.css"),
        script=_file("page.js"),
        answer=_unfinished_note(material) + claims_block(material.verdicts),
        hero="".join(_figure(*entry, files.get(entry[0], {}), number=0) for entry in hero),
        tiles=_tiles(material),
        figures=_numbered_figures(rest, files),
        absent=_absences(rest),
        robustness=robustness_section(robustness),
        trials=trial_table(material),
        methods=escape(methods_paragraph(material)),
        citation=escape(citation(material, datetime.now(UTC).year)),
        facts="".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts(material).items()),
        definitions="".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in definitions(material.task).items()),
        config=escape(frozen_config(material)),
    )


def _unfinished_note(material: Material) -> str:
    """Beside the verdict: that trials of the plan are missing from it."""
    states = column(material.trials, "state", "").value_counts()
    ended, planned = int(sum(states.get(state, 0) for state in _ENDED)), material.config.trials
    if ended >= planned:
        return ""
    return (
        f'<p class="unfinished"><b>Not finished:</b> {ended:,} of {plural(planned, "planned trial")} have ended. What '
        "follows holds for these alone; more may change it.</p>"
    )


def _file(name: str) -> str:
    return resources.files("study.report").joinpath(name).read_text(encoding="utf-8")


def _claim(claim: str, source: str) -> str:
    if not claim:
        return ""
    cited = f" <cite>{escape(source)}</cite>" if source else ""
    return f'<p class="claim"><b>Expected:</b> {escape(claim)}{cited}</p>'


_UNIT_NOTES = {
    TRIAL: "the unit of every interval over trials",
    CELL: "several on the same dense networks, whose cells are the unit of every interval",
}


def _tiles(material: Material) -> str:
    asked = [
        found for found in material.verdicts.listed_findings if found.role != "placebo" and found.estimate is not None
    ]
    tiles = [_claim_tile(found) for found in asked[:_MOST_TILES]]
    pairs = count_pairs(network_areas(material.counted_trials, material.networks), material.counted_trials)
    if pairs.total:
        out = f"; {pairs.excluded:,} left out" if pairs.excluded else ""
        ties = f", {plural(pairs.ties, 'tie')}" if pairs.ties else ""
        note = f"compared network by network{ties}{out}"
        tiles.append((f"{pairs.earlier:,} / {pairs.total:,}", "pairs of twins: the noisy network broke earlier", note))
    unit = _UNIT_NOTES[unit_word(material.counted_trials)]
    tiles.append((f"{len(material.counted_trials):,}", "complete design trials", unit))
    return "".join(
        f'<div class="tile"><b>{prose(value)}</b><span>{escape(name)}</span><small>{prose(note)}</small></div>'
        for value, name, note in tiles
    )


def _claim_tile(found: Finding) -> tuple[str, str, str]:
    name = found.claim.replace("_", " ")
    if found.verdict == "described":
        return with_half(found.estimate or 0.0, found.half), name, plural(found.n, found.unit)
    low, high = found.shown_interval
    between = "not bounded yet" if low is None or high is None else f"{with_sign(low)} to {with_sign(high)}"
    return with_sign(found.estimate or 0.0), name, f"{found.verdict}; {between}"


def _numbered_figures(entries: list[Entry], files: Files) -> str:
    """The figures that were drawn, numbered; two half ones in a row stand side by side."""
    present = [(name, figure, shown) for name, figure, shown in entries if isinstance(shown, Picture)]
    html, place = "", ""
    for index, (name, figure, shown) in enumerate(present):
        follows = index + 1 < len(present) and present[index + 1][2].half
        beside = "left" if shown.half and follows else ""
        place = "right" if place == "left" else beside
        html += _figure(name, figure, shown, files[name], number=index + 1, place=place)
    return html


def _absences(entries: list[Entry]) -> str:
    items = "".join(
        f"<li><b>{escape(figure.title)}.</b> {escape(shown.reason)}</li>"
        for _, figure, shown in entries
        if isinstance(shown, Absent) and shown.reason
    )
    return f'<section class="absent"><h2>Not drawn</h2><ul>{items}</ul></section>' if items else ""


def _figure(
    name: str, figure: Figure, shown: Picture | Absent, files: Mapping[str, str], *, number: int, place: str = ""
) -> str:
    if isinstance(shown, Absent):
        return f'<figure class="empty" id="{name}"><figcaption>{escape(shown.reason)}</figcaption></figure>'
    panels = "".join(_panel(panel) for panel in shown.panels)
    label = f"Figure {number}. " if number else ""
    title = f"<h2>{label}{escape(shown.title or figure.title)}</h2>" if number else ""
    words = {"csv": "data", "svg": "SVG"}
    data = " · ".join(download(f"{name}.{ending}", content, words[ending]) for ending, content in files.items())
    kind = f' class="{place}"' if place else ""
    strip = "panels strip" if shown.film else "panels"
    return (
        f'<figure id="{name}"{kind}>{title}{_legend(shown.legend)}'
        f'{_film(shown)}<div class="{strip}" style="--columns:{shown.columns}">{panels}</div>'
        f"<figcaption>{prose(shown.caption)} <span class='files'>{data}</span></figcaption></figure>"
    )


def _panel(panel: Drawing) -> str:
    return f'<div class="panel">{panel.inline()}</div>'


def _film(shown: Picture) -> str:
    """Its drawings under a slider, which a script brings to life; "" where there is none."""
    if not shown.film:
        return ""
    frames = "".join(
        f'<div class="frame" data-moment="{escape(moment)}" hidden>{drawing.inline()}</div>'
        for drawing, moment in zip(shown.film, shown.moments, strict=True)
    )
    return (
        f'<div class="film" hidden><div class="frames">{frames}</div><div class="controls">'
        '<button type="button" aria-label="Play">▶</button>'
        f'<input type="range" min="0" max="{len(shown.film) - 1}" value="0" aria-label="Moment of the training">'
        "<output></output></div></div>"
    )


def _legend(keys: list[Key]) -> str:
    items = "".join(f"<span>{swatch(key).inline()}{escape(key.text)}</span>" for key in keys)
    return f'<div class="legend">{items}</div>' if keys else ""
