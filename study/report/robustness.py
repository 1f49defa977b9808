"""The claims under other choices, as a section of the page: what would turn a verdict."""

from html import escape

from study.answer.robustness import Check, Robustness
from study.report.embedding import download


def robustness_section(robustness: Robustness | None) -> str:
    """A sentence a claim and a table of all choices; "" where nothing was asked."""
    if robustness is None or not robustness.checks:
        return ""
    sentences = "".join(f"<li>{escape(robustness.sentence(claim))}</li>" for claim in robustness.claims)
    found = {(check.choice, check.claim): check for check in robustness.checks}
    heads = "".join(f"<th>{escape(claim.replace('_', ' '))}</th>" for claim in robustness.claims)
    rows = ""
    for kind, choice in robustness.choices:
        cells = "".join(_cell(found.get((choice, claim))) for claim in robustness.claims)
        rows += f"<tr><td>{escape(kind)}</td><td>{escape(choice)}</td>{cells}</tr>"
    absent = "".join(f"<li>{escape(text)}</li>" for text in robustness.absent)
    not_asked = f'<ul class="notes">{absent}</ul>' if absent else ""
    data = download("robustness.csv", robustness.as_frame().to_csv(index=False), "data")
    return (
        '<section id="robustness"><h2>Robustness: each verdict under other choices</h2>'
        f"<ul>{sentences}</ul>"
        f'<div class="scroll"><table><thead><tr><th>kind</th><th>choice</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{not_asked}"
        '<p class="note">From stored curves alone, pooled over conditions; nothing was trained again. Choices are not '
        "corrected for each other: they say what a verdict hangs on, not how certain it is. "
        "Intervals are drawn for all claims at once; Holm’s steps decide some before their intervals do. "
        f"<span class='files'>{data}</span></p></section>"
    )


def _cell(check: Check | None) -> str:
    if check is None:
        return '<td class="none">–</td>'
    kind = "turned" if check.is_reversed else "lost" if check.is_lost else "same"
    return f'<td class="{kind}">{escape(check.brief)}</td>'
