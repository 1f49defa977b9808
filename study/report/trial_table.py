"""The table of trials: sortable, filterable, failed ones with their reason."""

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from study.report.html import render
from study.report.material import Material, short

_METRICS = {
    "train/epochs_to_fit": "epochs to fit",
    "compressibility/auc": "auc",
    "control/compressibility/auc": "auc, clean twin",
    "baseline/scratch_auc": "auc, scratch",
    "contrast/auc": "contrast",
    "contrast/retained": "contrast, retained",
}
_MOST_ROWS, _WHOLE_ROWS = 2000, 100


@dataclass(frozen=True)
class _Cell:
    """A cell of the table.

    Attributes:
        text: What it shows.
        kind: Its class; "" for plain text.
        value: What it is sorted by; None for its text.
        half: Half of its interval.
        state: Whether it is the state of a trial.
    """

    text: str
    kind: str = ""
    value: str | None = None
    half: str = ""
    state: bool = False


def trial_table(material: Material) -> Markup:
    """The table as HTML with its filter box, or a sentence where there are no trials."""
    trials = material.trials
    if trials.empty:
        return render("trials.html", heads=())
    span = [name for name in material.config.space.span if name in trials.columns]
    score, brief = material.task.score, material.task.brief
    heads_of = {f"train/{score}": f"train {brief}", f"test/{score}": f"test {brief}", f"gap/{score}": "gap", **_METRICS}
    metrics = [name for name in heads_of if name in trials.columns and trials[name].notna().any()]
    roles = trials["role"].nunique() > 1 if "role" in trials.columns else False
    why = "error" in trials.columns and bool(trials["error"].map(_text).any())
    heads = [
        "trial",
        "state",
        *(["role"] if roles else []),
        *(short(name) for name in span),
        *(heads_of[name] for name in metrics),
        "seconds",
        *(["why"] if why else []),
    ]
    shown = trials.sort_values("number").head(_MOST_ROWS)
    return render(
        "trials.html",
        heads=heads,
        rows=[_cells(row, span, metrics, roles=roles, why=why) for row in shown.to_dict("records")],
        left=len(trials) - len(shown),
        long=len(shown) > _WHOLE_ROWS,
        data=material.trials_csv,
    )


def _cells(row: Mapping[Hashable, Any], span: list[str], metrics: list[str], *, roles: bool, why: bool) -> list[_Cell]:
    cells = [_cell(row["number"]), _Cell(str(row.get("state", "")), state=True)]
    cells += [*([_cell(row.get("role"))] if roles else []), *(_cell(row[name]) for name in span)]
    cells += [_cell(row[name], 1 if "epochs" in name else 3, row.get(f"{name}/ci95")) for name in metrics]
    cells.append(_cell(row.get("duration_s"), 1))
    return cells + ([_Cell(_text(row.get("error")), "why")] if why else [])


def _cell(value: Any, digits: int | None = None, half: Any = None) -> _Cell:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _Cell("–", "none", "")
    if isinstance(value, bool | str):
        return _Cell(str(value))
    number = float(value)
    text = f"{number:g}" if digits is None else f"{number:.{digits}f}"
    interval = f"{half:.{digits or 3}f}" if isinstance(half, float) and math.isfinite(half) else ""
    return _Cell(text.replace("-", "−"), "number", repr(number), interval)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
