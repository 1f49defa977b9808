"""Studies side by side on one page: their claims in a table, their curves in one figure."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from typing import Any

import pandas as pd

from study.answer.words import with_sign
from study.config import StudyConfig
from study.report.curves import mean_curve, reach
from study.report.drawing import Drawing, Key, Swatch, palette, swatch
from study.report.plot import Plot
from study.report.scales import Scale, log2_scale, ratio_label, ratio_ticks
from trainables.config import TrialConfig

_NOISE = "data.label_noise"
_SIZE = (560.0, 380.0)
_COLOURS = 6
_LOOKS: tuple[Swatch, ...] = ("line", "dash", "thin")
_PANELS = {"control": "Networks with true labels", "replicate": "Networks with noisy labels"}


def comparison_page(rows: Sequence[Mapping[str, Any]], studies: Mapping[str, tuple[StudyConfig, pd.DataFrame]]) -> str:
    """One HTML page that needs nothing else.

    Args:
        rows: One a claim and condition: study, claim, condition, says, verdict, estimate, interval, n, unit, published.
        studies: Name → its configuration and its networks (`network_frame`), which may be none.
    """
    panels, legend = curves(studies)
    drawn = "".join(f'<div class="panel">{panel.inline()}</div>' for panel in panels)
    keys = "".join(f"<span>{swatch(key).inline()}{escape(key.text)}</span>" for key in legend)
    figure = (
        f'<figure><h2>Training scores along compression</h2><div class="legend">{keys}</div>'
        f'<div class="panels" style="--columns:2">{drawn}</div><figcaption>Mean over each study’s trials of the '
        "training score (labels as given) against its compression ratio, all conditions and instruments together; ends "
        "where the first of them ends. Clean twins count as networks with true labels.</figcaption></figure>"
    )
    style = palette() + resources.files("study.report").joinpath("page.css").read_text(encoding="utf-8")
    many = len(studies)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Studies compared · Ockham</title>'
        f'<link rel="icon" href="data:,"><style>{style}</style></head><body><header><p class="brand"><b>Ockham</b> '
        f"<span>{many} {'study' if many == 1 else 'studies'}</span></p></header><main><h1>What studies claim, and what "
        f'their data say</h1>{_table(rows)}<div class="figures">{figure if panels else ""}</div></main></body></html>\n'
    )


def curves(studies: Mapping[str, tuple[StudyConfig, pd.DataFrame]]) -> tuple[list[Drawing], list[Key]]:
    """A panel for networks with true and one for those with noisy labels, a line a study; none where no study has any.

    Args:
        studies: Name → its configuration and networks.
    """
    frames = {
        arm: {
            name: found for name, (config, all_of) in studies.items() if len(found := _networks_of(arm, config, all_of))
        }
        for arm in _PANELS
    }
    top = max((reach(frame) for found in frames.values() for frame in found.values()), default=1.0)
    panels = []
    drawn: dict[str, None] = {}
    looks = {name: _look(place) for place, name in enumerate(studies)}
    for arm, title in _PANELS.items():
        drawing = Drawing(*_SIZE, title)
        plot = Plot(drawing, log2_scale(top), Scale(0.0, 1.02, 0, 1))
        plot.axes(
            title,
            "compression ratio",
            "training score",
            x_ticks=ratio_ticks(top),
            x_label=ratio_label,
            y_ticks=[0, 0.25, 0.5, 0.75, 1.0],
        )
        lines = 0
        for name, frame in frames[arm].items():
            score = next((c for c in ("train_accuracy", "train_r2") if c in frame.columns), "")
            curve = mean_curve(frame.assign(arm=arm), arm, score) if score else None
            if curve is not None:
                colour, look = looks[name]
                plot.line(curve.x, curve.mean, colour, look)
                tips = [f"{name}\n{2**x:.1f}× smaller: {y:.3f}" for x, y in zip(curve.x, curve.mean, strict=True)]
                plot.targets(curve.x, curve.mean, tips, size=4.0)
                drawn[name] = None
                lines += 1
        if lines:
            panels.append(drawing)
    return panels, [Key(look, colour, name) for name, (colour, look) in looks.items() if name in drawn]


def _look(place: int) -> tuple[str, Swatch]:
    return f"cat{place % _COLOURS}", _LOOKS[place // _COLOURS % len(_LOOKS)]


def _networks_of(arm: str, config: StudyConfig, networks: pd.DataFrame) -> pd.DataFrame:
    """The networks with true labels (`control`), or those with noisy ones, whatever arm they are of."""
    if "arm" not in networks.columns:
        return networks.iloc[:0]
    fixed = config.space.base.get(_NOISE, TrialConfig().data.label_noise)
    noise = networks[_NOISE].fillna(fixed) if _NOISE in networks.columns else pd.Series(fixed, index=networks.index)
    noisy = pd.to_numeric(noise, errors="coerce") > 0
    if arm == "replicate":
        return networks[(networks["arm"] == "replicate") & noisy]
    return networks[(networks["arm"] == "control") | ((networks["arm"] == "replicate") & ~noisy)]


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = ("study", "claim", "published", "verdict", "estimate", "interval", "n")
    body = ""
    for row in rows:
        low, high = row["interval"]
        between = "" if low is None or high is None else f"{with_sign(low)} to {with_sign(high)}"
        estimate = row["reason"] if row["estimate"] is None else with_sign(row["estimate"])
        where = f" ({row['condition']})" if row["condition"] else ""
        cells = (
            row["study"],
            row["says"] + where,
            row["published"],
            row["verdict"],
            estimate,
            between,
            f"{row['n']} {row['unit']}s",
        )
        body += "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>"
    return (
        '<section id="table"><table><thead><tr>'
        + "".join(f"<th>{head}</th>" for head in heads)
        + f"</tr></thead><tbody>{body}</tbody></table></section>"
    )
