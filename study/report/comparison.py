"""Studies side by side on one page: their claims in a table, their curves in one figure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from study.answer.verdict import WHOLE
from study.answer.words import ends_words, with_sign
from study.config import StudyConfig
from study.report.curves import mean_curve, reach
from study.report.drawing import Drawing, Key, Swatch
from study.report.html import render, style
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
        rows: One a claim and condition: study, claim, condition, role, says, published, supported_if, verdict,
            estimate, reason, interval, n, unit.
        studies: Name → its configuration and its networks (`network_frame`), which may be none.
    """
    drawings, keys = curves(studies)
    tables = [
        (name, config.space.title, [_line(row) for row in _whole_first(row for row in rows if row["study"] == name)])
        for name, (config, _) in studies.items()
    ]
    return render("comparison.html", style=style(), tables=tables, drawings=drawings, keys=keys)


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


def _line(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a line of the table says: whether it is of one condition of several, its words, and its numbers."""
    part = row["condition"] not in WHOLE
    return {
        "part": part,
        "says": row["condition"] if part else row["says"],
        "placebo": row["role"] == "placebo",
        "published": "" if part else row["published"],
        "verdict": row["verdict"],
        "numbers": (
            row["supported_if"],
            row["reason"] if row["estimate"] is None else with_sign(row["estimate"]),
            ends_words(*row["interval"]),
            f"{row['n']} {row['unit']}s",
        ),
    }


def _whole_first(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each claim's own row before those of its conditions."""
    by_claim: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        by_claim.setdefault(row["claim"], []).append(row)
    return [row for found in by_claim.values() for row in sorted(found, key=lambda row: row["condition"] not in WHOLE)]
