"""Pages are Jinja2 templates: whatever a study says is escaped; only what was drawn or rendered here is markup."""

from base64 import b64encode
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from study.report.drawing import Drawing, Key, palette, swatch

LARGEST = 1_000_000
"""Bytes of a file that is put into a page; larger ones lie beside it only."""
_KINDS = {"csv": "text/csv", "svg": "image/svg+xml"}


def render(template: str, **values: Any) -> Markup:
    """A template of `study/report/templates` with these values."""
    return Markup(_environment().get_template(template).render(values))  # noqa: S704 the template has escaped them


def style() -> Markup:
    """The style sheet of a page."""
    return Markup(palette() + source("page.css"))  # noqa: S704 both are our own files


def source(name: str) -> str:
    """What a file of `study/report` holds."""
    return resources.files("study.report").joinpath(name).read_text(encoding="utf-8")


def prose(text: str) -> Markup:
    """Escaped, with numbers and their signs kept on one line."""
    escaped = str(escape(text))
    for sign in (" ± ", " = ", " &lt; ", " %"):
        escaped = escaped.replace(sign, sign.replace(" ", "\u00a0"))
    return Markup(escaped)  # noqa: S704 just escaped


def download(name: str, content: str, words: str) -> Markup:
    """A link that saves `content` as a file called `name`; where that is too large, where the file lies."""
    data = content.encode()
    if len(data) > LARGEST:
        return Markup("{}: figures/{} beside this page").format(words, name)
    kind = _KINDS[name.rpartition(".")[2]]
    link = Markup('<a download="{}" href="data:{};base64,{}">{}</a>')
    return link.format(name, kind, b64encode(data).decode(), words)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("study.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"prose": prose, "inline": _inline, "swatch": _swatch}
    environment.globals |= {"download": download}
    return environment


def _inline(drawing: Drawing) -> Markup:
    return Markup(drawing.inline())  # noqa: S704 a drawing escapes its texts


def _swatch(key: Key) -> Markup:
    return _inline(swatch(key))
