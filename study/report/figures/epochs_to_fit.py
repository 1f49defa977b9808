"""How long noisy and clean networks took to fit: random labels take longer."""

import pandas as pd

from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture
from study.report.material import Material
from study.report.plot import Plot
from study.report.scales import Scale, number_label

_ARMS = {"control": ("clean", -0.14), "replicate": ("noisy", 0.14)}


def _draw(material: Material) -> Picture | Absent:
    table = _table(material)
    if table.empty:
        return Absent("No network recorded when it had fitted.")
    score = f"train_{material.task.score}"
    labels = list(dict.fromkeys(table["condition"]))
    drawing = Drawing(520, 330, "Epochs until each network met its stop rule")
    top = float(table["epochs"].max()) * 1.06 + 1
    plot = Plot(drawing, Scale(-0.5, len(labels) - 0.5, 0, 1), Scale(0, top, 0, 1), (48, 40, 14, 42))
    places = [float(i) for i in range(len(labels))]
    plot.axes(
        "",
        "condition",
        "epochs of dense training (each network stops by itself)",
        x_ticks=places,
        x_label=lambda at: labels[round(at)],
        y_label=number_label,
    )
    for (condition, arm), rows in table.groupby(["condition", "arm"], sort=False):
        colour, offset = _ARMS[str(arm)]
        colour = "clean" if condition == "true labels" else colour
        middle = labels.index(str(condition)) + (offset if condition != "true labels" else 0.0)
        for order, row in enumerate(rows.to_dict("records")):
            x = middle + 0.16 * ((order * 0.618034) % 1 - 0.5)
            look = "mark" if row["interpolated"] else "ring"
            fit = f"train {material.task.label} {row[score]:.4f}"
            tip = f"trial {row['trial']}, network {row['network']}\n{row['epochs']} epochs, {fit}"
            plot.mark(x, row["epochs"], colour, look=look, size=3.4, tip=tip)
        median = float(rows["epochs"].median())
        plot.line([middle - 0.12, middle + 0.12], [median, median], "ink")
    counts = "; ".join(f"{label}: {int((table['condition'] == label).sum())}" for label in labels)
    caption = (
        "Each mark is one network; bar: median; open marks did not interpolate their labels and enter no contrast. "
        f"Networks (n): {counts}."
    )
    there = set(table["arm"]) if material.has_noise else {"true labels"}
    words = {
        "control": Key("dot", "clean", "clean twin (true labels)"),
        "replicate": Key("dot", "noisy", "noisy network"),
        "true labels": Key("dot", "clean", "network on true labels"),
    }
    legend = [*(key for arm, key in words.items() if arm in there), Key("line", "ink", "median")]
    return Picture([drawing], caption, table, legend, columns=1, half=True)


def _table(material: Material, most: int = 3000) -> pd.DataFrame:
    parts = []
    for group in material.groups[:8]:
        rows = material.networks_of(group.trials)
        if rows.empty or "epochs" not in rows.columns:
            continue
        rows = rows[(rows["level"] == 0) & rows["arm"].isin(list(_ARMS))].dropna(subset=["epochs"])
        columns = ["trial", "network", "arm", "epochs", f"train_{material.task.score}", "interpolated"]
        parts.append(rows[columns].head(most).assign(condition=group.label))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


FIGURE = Figure("How long it took to fit", 22, _draw)
