"""The page: one HTML file that needs nothing else."""

from html import escape
from importlib.resources import files
from string import Template

from study.answer import Answer, Verdict
from study.answer.words import estimate, p_words, plural, signed
from study.report.definitions import DEFINITIONS
from study.report.drawing import Drawing, Key, palette, swatch
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.provenance import facts, frozen_config
from study.report.trial_table import trial_table

_WORDS: dict[Verdict, str] = {"yes": "Yes", "no": "No", "unclear": "Can’t tell", "missing": "No answer"}
_LEADS = ("Yes: ", "No, the other way round: ", "The placebo holds: ", "The placebo fails: ")


def page(material: Material, drawn: dict[str, tuple[Figure, Picture | Absent]]) -> str:
    """The whole page.

    Args:
        material: The study.
        drawn: Figure name → the figure and what it drew, in page order.
    """
    hero = [(name, *pair) for name, pair in drawn.items() if pair[0].order == 0]
    rest = [(name, *pair) for name, pair in drawn.items() if pair[0].order != 0]
    space = material.config.space
    return Template(_file("page.html")).substitute(
        name=escape(material.config.name),
        title=escape(space.title or "Has this network learned something, or memorised it?"),
        claim=_claim(space.claim, space.source),
        style=palette() + _file("page.css"),
        script=_file("page.js"),
        answer=_answer(material.answer),
        hero="".join(_figure(*entry, number=0) for entry in hero),
        tiles=_tiles(material.answer),
        figures="".join(
            _figure(name, figure, picture, number=number)
            for number, (name, figure, picture) in enumerate(_present(rest), start=1)
        ),
        absent=_absences(rest),
        trials=trial_table(material),
        facts="".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in facts(material).items()),
        definitions="".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in DEFINITIONS.items()),
        config=escape(frozen_config(material)),
    )


def _file(name: str) -> str:
    return files("study.report").joinpath(name).read_text(encoding="utf-8")


def _claim(claim: str, source: str) -> str:
    if not claim:
        return ""
    cited = f" <cite>{escape(source)}</cite>" if source else ""
    return f'<p class="claim"><b>Expected:</b> {escape(claim)}{cited}</p>'


def _answer(answer: Answer) -> str:
    first = _WORDS[answer.verdict]
    if answer.placebo and answer.overall.ci95 is not None:
        first = "Placebo holds" if answer.overall.verdict == "unclear" else "Placebo fails"
    questions = (
        ("Do memorising networks break earlier than their clean twins?", first, answer.verdict),
        (
            "Does compressibility track the generalization gap?",
            "Not stated" if answer.tracking.verdict == "missing" else _WORDS[answer.tracking.verdict],
            answer.tracking.verdict,
        ),
    )
    blocks = "".join(
        f'<section class="verdict {verdict}"><h2>{question}</h2><p class="word">{word}</p><p>{escape(_body(sentence))}</p></section>'
        for (question, word, verdict), sentence in zip(questions, answer.sentences, strict=True)
    )
    missing = "".join(f"<li>{escape(text)}</li>" for text in answer.missing)
    listed = f'<ul class="missing">{missing}</ul>' if missing else ""
    return f'{blocks}{listed}<p class="caveat">{escape(answer.caveat)}</p>'


def _body(sentence: str) -> str:
    """The sentence without the word that already stands above it in large."""
    lead = next((lead for lead in _LEADS if sentence.startswith(lead)), "")
    body = sentence[len(lead) :]
    if lead.startswith("No,"):
        return f"The other way round: {body}"
    return body[:1].upper() + body[1:]


def _tiles(answer: Answer) -> str:
    overall, tracking = answer.overall, answer.tracking
    tiles = [
        (estimate(overall), "contrast, clean twin − noisy", f"95 % interval over {plural(overall.trials, 'trial')}"
         if overall.ci95 is not None else plural(overall.trials, "trial")),
        (f"{overall.earlier:,} / {overall.pairs:,}", "pairs: the noisy network broke earlier", f"sign-flip {p_words(overall.p)}"
         if overall.p is not None else "no test below 3 trials"),
        ("–" if tracking.tau is None else signed(tracking.tau), "Kendall τ of compressibility and gap, within strata",
         f"{plural(tracking.pairs, 'pair')}, {p_words(tracking.p)}" if tracking.p is not None else plural(tracking.pairs, "pair")),
        (f"{answer.counted:,}", "complete design trials", "the unit of every interval"),
    ]
    return "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(name)}</span><small>{escape(note)}</small></div>'
        for value, name, note in tiles
    )


def _present(entries: list[tuple[str, Figure, Picture | Absent]]) -> list[tuple[str, Figure, Picture]]:
    return [(name, figure, shown) for name, figure, shown in entries if isinstance(shown, Picture)]


def _absences(entries: list[tuple[str, Figure, Picture | Absent]]) -> str:
    items = "".join(
        f"<li><b>{escape(figure.title)}.</b> {escape(shown.reason)}</li>"
        for _, figure, shown in entries
        if isinstance(shown, Absent) and shown.reason
    )
    return f'<section class="absent"><h2>Not drawn</h2><ul>{items}</ul></section>' if items else ""


def _figure(name: str, figure: Figure, shown: Picture | Absent, number: int) -> str:
    if isinstance(shown, Absent):
        return f'<figure class="empty" id="{name}"><figcaption>{escape(shown.reason)}</figcaption></figure>'
    panels = "".join(_panel(panel) for panel in shown.panels)
    label = f"Figure {number}. " if number else ""
    title = f"<h2>{label}{escape(figure.title)}</h2>" if number else ""
    data = f'<a href="figures/{name}.csv">data</a> · <a href="figures/{name}.svg">SVG</a>'
    return (
        f'<figure id="{name}">{title}{_legend(shown.legend)}<div class="panels" style="--columns:{shown.columns}">{panels}</div>'
        f"<figcaption>{escape(shown.caption)} <span class='files'>{data}</span></figcaption></figure>"
    )


def _panel(panel: Drawing) -> str:
    return f'<div class="panel">{panel.inline()}</div>'


def _legend(keys: list[Key]) -> str:
    items = "".join(f"<span>{swatch(key).inline()}{escape(key.text)}</span>" for key in keys)
    return f'<div class="legend">{items}</div>' if keys else ""
