"""The claims of a study on the first screen: each a sentence with its verdict, failed placebos first."""

from html import escape

from study.answer.verdict import POOLED, Finding, Verdicts


def claims_block(verdicts: Verdicts | None) -> str:
    """A list of verdicts, conditions folded below each; "" for a study that claims nothing."""
    if verdicts is None or not (verdicts.findings or verdicts.exploratory):
        return ""
    first = ""
    if verdicts.failed_placebos:
        said = "nothing below can be read as meant until it is explained."
        first = f'<p class="unfinished"><b>A placebo fails:</b> {said}</p>'
    items = "".join(_item(found, verdicts.findings) for found in verdicts.headlines)
    later = [found for found in verdicts.exploratory if found.condition in ("", POOLED)]
    explored = ""
    if later:
        explored = f"<h3>Exploratory, stated once there were data ({len(later)} tried)</h3><ul>" + "".join(
            _item(found, verdicts.exploratory) for found in later
        )
        explored += "</ul>"
    title = "Claims, stated before the data" if verdicts.findings else "Claims"
    return (
        f'<section class="claims"><h2>{title}</h2>{first}<ul>{items}</ul>{explored}'
        f'<p class="caveat">{escape(verdicts.assurance)}</p></section>'
    )


def _item(found: Finding, all_findings: tuple[Finding, ...]) -> str:
    others = [one for one in all_findings if one.claim == found.claim and one is not found]
    rows = "".join(f"<li>{escape(one.condition)}: {escape(one.verdict)}, {escape(one.brief)}</li>" for one in others)
    more = f"<details><summary>by condition</summary><ul>{rows}</ul></details>" if rows else ""
    word, _, rest = found.sentence.partition(": ")
    return f'<li class="{found.verdict}"><b>{escape(word)}.</b> {escape(rest)}{more}</li>'
