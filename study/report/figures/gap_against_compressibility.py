"""Does compressibility track the gap? Trials of one stratum are joined; only those may be compared."""

import pandas as pd

from study.answer.selection import short
from study.answer.strata import COMPRESSIBILITY, gap_metric, has_comparable_gap, strata_fields, strata_labels
from study.answer.units import average_instruments, unit_word
from study.answer.words import plural
from study.report.drawing import Drawing, Key
from study.report.figure import Absent, Figure, Picture
from study.report.figures.contrast_by_noise import SHAPES
from study.report.material import Material, TrialGroup, numbers
from study.report.plot import Plot
from study.report.scales import spanning


def _draw(material: Material) -> Picture | Absent:
    trials, unit = material.counted_trials, unit_word(material.counted_trials)
    trials = average_instruments(trials, gap_metric(trials), COMPRESSIBILITY) if len(trials) else trials
    found = numbers(trials, gap_metric(trials)).notna() & numbers(trials, COMPRESSIBILITY).notna()
    both = trials[found & has_comparable_gap(trials)] if found.any() else trials[found]
    if len(both) < 2:
        return Absent(
            f"Needs at least 2 counted trials with both a comparable gap and a compressibility; there are {len(both)}."
        )
    table = _table(material, both)
    kinds = sorted(table["kind"].unique())
    panels = [
        _panel(group, mine, kinds, material)
        for group in material.groups[:12]
        if len(mine := table[table["trial"].isin(group.trials["number"])])
    ]
    fields = [short(name) for name in strata_fields(both)]
    inside = f" Strata: {', '.join(fields)}." if fields else ""
    asked = [found for found in material.verdicts.listed_findings if found.tau is not None and found.pairs is not None]
    stated = asked[0].sentence if asked else "No claim about it is decided or open."
    networks = "noisy networks" if material.has_noise else "networks"
    caption = (
        f"Each mark is one {unit} (means over its {networks}); faint lines join the {unit}s of one stratum, the "
        f"only ones compared.{inside} {stated} Axes differ between panels; n = {plural(len(both), unit)}."
    )
    if left := int(found.sum()) - len(both):
        caption += f" {plural(left, unit)} without a comparable gap (not all networks fitted) left out."
    legend = [Key(SHAPES[i % len(SHAPES)], f"cat{i % 6}", kind) for i, kind in enumerate(kinds) if kind]
    return Picture(panels, caption, table, legend, material.facet_columns, half=len(panels) == 1)


def _table(material: Material, trials: pd.DataFrame) -> pd.DataFrame:
    apart = material.instrument in trials.columns  # a dense cell has met all instruments
    word = short(material.instrument) + " " if apart else ""
    table = pd.DataFrame(
        {
            "trial": trials["number"],
            "stratum": strata_labels(trials),
            "kind": (word + material.categories(trials)).str.strip(),
            "compressibility": numbers(trials, COMPRESSIBILITY),
            "gap": numbers(trials, gap_metric(trials)),
        }
    )
    spanned = [name for name in material.spanned_fields if name in trials.columns]
    return table.join(trials[spanned])


def _panel(group: TrialGroup, table: pd.DataFrame, kinds: list[str], material: Material) -> Drawing:
    drawing = Drawing(*material.panel_size, f"Gap against compressibility, {group.label}")
    x = spanning(table["compressibility"].tolist(), least=0.1)
    y = spanning(table["gap"].tolist(), least=0.05)
    plot = Plot(drawing, x, y, (48.0, 46.0, 12.0, 40.0))
    plot.axes(group.label, "compressibility (auc, 0…1)", f"generalization gap ({material.task.label})")
    plot_rows = table.sort_values("compressibility")
    for _, rows in plot_rows.groupby("stratum"):
        colour = f"cat{kinds.index(rows['kind'].iloc[0]) % 6}"
        plot.line(rows["compressibility"].tolist(), rows["gap"].tolist(), colour, "thin")
    for row in plot_rows.to_dict("records"):
        index = kinds.index(row["kind"])
        fields = "\n".join(f"{short(name)} {row[name]}" for name in material.spanned_fields if name in row)
        tip = f"trial {row['trial']}\ngap {row['gap']:.3f}, compressibility {row['compressibility']:.3f}\n{fields}"
        plot.mark(
            row["compressibility"], row["gap"], f"cat{index % 6}", look="mark", shape=SHAPES[index % 4], size=5, tip=tip
        )
    return drawing


FIGURE = Figure("Generalization gap against compressibility, within strata", 50, _draw)
