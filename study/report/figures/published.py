"""What the paper of a named study published, on top of the study's own curve."""

import math
from typing import Any

import pandas as pd

from search_spaces import catalog
from search_spaces.published import Published
from search_spaces.space import CONDITIONS, SearchSpace
from study.report.curves import level_means
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture, sizes
from study.report.material import Material, numbers
from study.report.plot import Plot
from study.report.scales import Scale, spanning
from trainables.config import defaults

_ARMS = {
    "replicate": ("noisy", "line", "noisy network"),
    "control": ("clean", "line", "clean twin"),
    "scratch_replicate": ("noisy", "dash", "fresh network, noisy"),
    "scratch_control": ("clean", "dash", "fresh network, clean"),
}
# Or levels, networks or labels would be other ones than the paper's.
_SAME_PROTOCOL = ("compression.method", "compression.rate", "compression.granularity", "model.name", *CONDITIONS)


def _draw(material: Material) -> Picture | Absent:
    study = catalog.asking(material.config.space.title)
    if study is None or not study.published or not len(material.networks):
        return Absent("")
    if not _has_its_protocol(material.config.space, study.space):
        return Absent("")
    tables = {curve.title: table for curve in study.published if not (table := _table(material, curve)).empty}
    drawn = [curve for curve in study.published if curve.title in tables]
    if not drawn:
        return Absent("No curves beside the published ones: no complete design trial of their kind has its networks.")
    panels = [_panel(curve, tables[curve.title]) for curve in drawn]
    said = dict.fromkeys(f"{curve.says} ({curve.source})" for curve in drawn)
    table = pd.concat(tables.values())
    has_bands = bool(table["ci95"].notna().any())
    over = sizes({title: str(rows["over"].iloc[0]) for title, rows in tables.items()})
    caption = (
        f"Lines: this study, mean{' and 95 % interval' if has_bands else ''}. Published: {'; '.join(said)}. "
        f"Size and data are those of this study. {over}."
    )
    series = set(table["series"])
    looks = dict.fromkeys(_looks(material)[arm] for curve in drawn for arm in curve.arms)
    legend = [Key("line" if look == "line" else "dash", colour, name) for colour, look, name in looks if name in series]
    if has_bands:
        legend += [Key("band", "soft", "95 % interval")]
    if any(value is not None for curve in drawn for _, value in curve.points):
        legend += [Key("diamond", "ink", "published")]
    if any(value is None for curve in drawn for _, value in curve.points):
        legend += [Key("dots", "soft", "the place that was published")]
    return Picture(panels, caption, table.drop(columns=["colour", "look", "tip"]), legend, len(panels))


def _has_its_protocol(here: SearchSpace, there: SearchSpace) -> bool:
    """Whether levels of two studies mean the same, and no curve is a mean over ways that the paper's study has not."""
    ways = {name for name in here.span if name.startswith("compression.") or name in _SAME_PROTOCOL}
    mine, papers = ({**defaults(), **space.base} for space in (here, there))
    return ways <= set(there.span) and all(mine.get(name) == papers.get(name) for name in _SAME_PROTOCOL)


def _looks(material: Material) -> dict[str, tuple[str, str, str]]:
    if material.has_noise:
        return _ARMS
    true = {"replicate": ("clean", "line", "network"), "scratch_replicate": ("clean", "dash", "fresh network")}
    return _ARMS | true


def _table(material: Material, curve: Published) -> pd.DataFrame:
    """One row an arm and level of this study, then one a published point."""
    trials = material.counted_trials
    for name, value in curve.where.items():
        trials = trials[trials[name].astype(str) == str(value)] if name in trials.columns else trials.head(0)
    networks, looks = material.networks_of(trials), _looks(material)
    rows: list[dict[str, Any]] = []
    for arm in curve.arms:
        mine = _values(networks, arm, curve)
        if mine.empty:
            continue
        colour, look, name = looks[arm]
        for level, mean, half, over in level_means(mine, "value"):
            row = {"panel": curve.title, "series": name, "level": level, "mean": mean, "ci95": half}
            tip = f"{name}, level {level}\n{mean:.4f}" + ("" if half is None else f" ± {half:.4f}")
            rows.append(row | {"over": over, "colour": colour, "look": look, "tip": tip})
    if not rows:
        return pd.DataFrame()
    for level, value in curve.points:
        row = {"panel": curve.title, "series": "published", "level": level, "mean": value, "ci95": None}
        rows.append(row | {"over": "", "colour": "ink", "look": "published", "tip": curve.says})
    return pd.DataFrame(rows).astype({"mean": float, "ci95": float})


def _values(networks: pd.DataFrame, arm: str, curve: Published) -> pd.DataFrame:
    """Rows of an arm with a column `value`, what is to be subtracted taken off."""
    keys = ["trial", "network", "level"]
    mine = networks[networks["arm"] == arm]
    mine = mine.assign(value=numbers(mine, curve.column))
    if curve.minus == "dense":
        keys, others = keys[:2], mine[mine["level"] == 0]
    elif curve.minus is not None:
        others = networks[networks["arm"] == curve.minus]
    if curve.minus is not None:
        less = others.assign(less=numbers(others, curve.column))[[*keys, "less"]]
        mine = mine.merge(less, on=keys, how="left")
        mine["value"] -= mine["less"]
    return mine.dropna(subset=["value"])


def _panel(curve: Published, table: pd.DataFrame) -> Drawing:
    drawing = Drawing(520.0, 310.0, f"Published and here: {curve.title}")
    is_share = curve.minus is None
    half = table["ci95"].fillna(0.0)
    y = (
        Scale(0.0, 1.02, 0, 1)
        if is_share
        else spanning([*(table["mean"] - half), *(table["mean"] + half)], include=[0.0])
    )
    depth = float(table["level"].max())
    plot = Plot(drawing, Scale(0.0, depth, 0, 1), y, margins=(54.0, 46.0, 14.0, 40.0))
    step = max(1, math.ceil(depth / 8))
    what = curve.column.replace("_", " ")
    plot.axes(
        curve.title,
        "level of compression",
        what if is_share else f"{what}, difference",
        x_ticks=[float(level) for level in range(0, int(depth) + 1, step)],
        y_ticks=[0, 0.25, 0.5, 0.75, 1.0] if is_share else None,
    )
    if not is_share:
        plot.level(0.0)
    for (colour, look), rows in table[table["look"] != "published"].groupby(["colour", "look"], sort=False):
        xs, ys, ends = rows["level"].astype(float).tolist(), rows["mean"].tolist(), rows["ci95"].tolist()
        low, high = ([m + sign * e for m, e in zip(ys, ends, strict=True)] for sign in (-1, 1))
        plot.band(xs, low, high, str(colour))
        plot.line(xs, ys, str(colour), str(look))
        plot.targets(xs, ys, rows["tip"].tolist())
    for level, value in curve.points:
        if value is None:
            drawing.add("path", "dots", d=f"M{plot.x(level):.2f} {plot.top:.2f}V{plot.bottom:.2f}")
        else:
            plot.mark(level, value, "ink", shape="diamond", size=6.5, tip=f"published\n{curve.says}")
    return drawing


FIGURE = Figure("Beside what was published", 11, _draw)
