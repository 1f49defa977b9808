"""The claims of a study on the first screen: each a sentence with its verdict, failed placebos first."""

from html import escape

from study.answer.verdict import POOLED, Finding, Verdicts, disagreeing

_MOST_LARGE = 3  # claims whose verdict stands there in large letters
_MOST_OPEN = 12


def claims_block(verdicts: Verdicts) -> str:
    """A section for each claim, its conditions folded below it; descriptions, what is missing, what holds."""
    first = ""
    if verdicts.failed_placebos:
        said = "nothing below can be read as meant until it is explained."
        first = f'<p class="unfinished"><b>A placebo fails:</b> {said}</p>'
    asked = [found for found in verdicts.headlines if found.role != "description"]
    large = "" if len(asked) <= _MOST_LARGE else " many"
    title = "<h2>Claims, stated before the data</h2>" if asked else ""
    items = "".join(_section(found, verdicts) for found in asked)
    later = [found for found in verdicts.exploratory if found.condition in ("", POOLED) and found.role != "description"]
    if later:
        items += f"<h2>Exploratory, stated once there were data ({plural_claims(len(later))} tried)</h2>"
        items += "".join(_section(found, verdicts) for found in later)
    if not asked and not later:
        items = "<p>No claims: nothing was stated, and nothing is usually asked of such trials.</p>"
    notes = "".join(f"<li>{escape(text)}</li>" for text in verdicts.notes)
    listed = f'<ul class="notes">{notes}</ul>' if notes else ""
    return (
        f'<section class="claims{large}">{first}{title}{items}{_descriptions(verdicts)}{listed}'
        f'<p class="caveat">{escape(verdicts.assurance)}</p><p class="caveat">{escape(verdicts.caveat)}</p></section>'
    )


def prose(text: str) -> str:
    """Escaped, with numbers and their signs kept on one line."""
    escaped = escape(text)
    for sign in (" ± ", " = ", " &lt; ", " %"):
        escaped = escaped.replace(sign, sign.replace(" ", "\u00a0"))
    return escaped


def plural_claims(count: int) -> str:
    """`1 claim`, `2 claims`."""
    return f"{count} claim" + ("" if count == 1 else "s")


def _section(found: Finding, verdicts: Verdicts) -> str:
    under = verdicts.conditions(found.claim)
    _, _, rest = found.sentence.partition(": ")
    body = rest.removeprefix(found.says).strip() + disagreeing(under)
    return (
        f'<section class="verdict {found.verdict}"><h3>{escape(found.says)}</h3>'
        f'<p class="word">{found.verdict.capitalize()}</p><p>{prose(body)}</p>{_conditions(under)}</section>'
    )


def _conditions(under: tuple[Finding, ...]) -> str:
    rows = "".join(f"<li>{escape(one.condition)}: {prose(_short(one))}</li>" for one in under)
    return f"<details><summary>by condition</summary><ul>{rows}</ul></details>" if rows else ""


def _short(found: Finding) -> str:
    return found.brief if found.verdict == "described" else f"{found.verdict}, {found.brief}"


def _descriptions(verdicts: Verdicts) -> str:
    """What is described, folded below claims and open where there is nothing else."""
    alone = not any(found.role != "description" and found.estimate is not None for found in verdicts.listed_findings)
    every = [found for found in (*verdicts.findings, *verdicts.exploratory) if found.role == "description"]
    items = ""
    for claim in dict.fromkeys(found.claim for found in every):
        mine = [found for found in every if found.claim == claim]
        under = verdicts.conditions(claim) or tuple(mine)
        rows = "".join(f"<li>{prose(': '.join(filter(None, (one.condition, _short(one)))))}</li>" for one in under)
        start = "<details open>" if alone and len(under) <= _MOST_OPEN else "<details>"
        items += f"{start}<summary>{escape(mine[0].says)}</summary><ul>{rows}</ul></details>"
    return f'<section class="described"><h2>Described</h2>{items}</section>' if items else ""
