"""The table of trials: sortable, filterable, failed ones with their reason."""

import math
from collections.abc import Hashable, Mapping
from html import escape
from typing import Any

from study.report.embedding import download
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


def trial_table(material: Material) -> str:
    """The table as HTML with its filter box, or a sentence where there are no trials."""
    trials = material.trials
    if trials.empty:
        return "<p>No trial has been recorded yet.</p>"
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
    header = "".join(f'<th scope="col"><button type="button">{escape(head)}</button></th>' for head in heads)
    shown = trials.sort_values("number").head(_MOST_ROWS)
    body = "".join(_row(row, span, metrics, roles=roles, why=why) for row in shown.to_dict("records"))
    left = len(trials) - len(shown)
    more = f"<p class='note'>The first {len(shown):,} trials; all of them are in the data below.</p>" if left else ""
    size = "scroll long" if len(shown) > _WHOLE_ROWS else "scroll"
    return (
        '<label class="filter">Filter '
        '<input type="search" id="filter" placeholder="failed, or: random 0.5"></label>'
        f'<div class="{size}"><table id="trials"><thead><tr>{header}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>{more}<p class='note files'>"
        f"{download('trials.csv', material.trials_csv, 'all of it as data')}</p>"
    )


def _row(row: Mapping[Hashable, Any], span: list[str], metrics: list[str], *, roles: bool, why: bool) -> str:
    state = str(row.get("state", ""))
    cells = [_cell(row["number"]), f'<td><span class="state {escape(state.lower())}">{escape(state)}</span></td>']
    cells += [*([_cell(row.get("role"))] if roles else []), *(_cell(row[name]) for name in span)]
    cells += [_cell(row[name], 1 if "epochs" in name else 3, row.get(f"{name}/ci95")) for name in metrics]
    cells.append(_cell(row.get("duration_s"), 1))
    cells += [f'<td class="why">{escape(_text(row.get("error")))}</td>'] if why else []
    return f"<tr>{''.join(cells)}</tr>"


def _cell(value: Any, digits: int | None = None, half: Any = None) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return '<td class="none" data-value="">–</td>'
    if isinstance(value, bool | str):
        return f"<td>{escape(str(value))}</td>"
    number = float(value)
    text = f"{number:g}" if digits is None else f"{number:.{digits}f}"
    interval = f" <small>±{half:.{digits or 3}f}</small>" if isinstance(half, float) and math.isfinite(half) else ""
    return f'<td class="number" data-value="{number!r}">{escape(text.replace("-", "−"))}{interval}</td>'


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
