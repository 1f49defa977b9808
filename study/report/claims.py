"""The claims of a study on the first screen: each a sentence with its verdict, failed placebos first."""

from markupsafe import Markup

from study.answer.verdict import WHOLE, Finding, Verdicts, disagreeing
from study.report.html import render

_MOST_LARGE = 3  # claims whose verdict stands there in large letters
_MOST_OPEN = 12


def claims_block(verdicts: Verdicts) -> Markup:
    """A section for each claim, its conditions folded below it; descriptions, what is missing, what holds."""
    asked = [found for found in verdicts.headlines if found.role != "description"]
    later = [found for found in verdicts.exploratory if found.condition in WHOLE and found.role != "description"]

    def body(found: Finding) -> str:
        _, _, rest = found.sentence.partition(": ")
        return rest.removeprefix(found.says).strip() + disagreeing(verdicts.conditions(found.claim))

    return render(
        "claims.html",
        verdicts=verdicts,
        asked=asked,
        later=later,
        many=len(asked) > _MOST_LARGE,
        described=_descriptions(verdicts),
        body=body,
        brief=_brief,
    )


def _brief(found: Finding) -> str:
    return found.brief if found.verdict == "described" else f"{found.verdict}, {found.brief}"


def _descriptions(verdicts: Verdicts) -> list[tuple[str, tuple[Finding, ...], bool]]:
    """What each description says, its conditions, and whether it is unfolded: where there is nothing else to see."""
    alone = not any(found.role != "description" and found.estimate is not None for found in verdicts.listed_findings)
    every = [found for found in (*verdicts.findings, *verdicts.exploratory) if found.role == "description"]
    described = []
    for claim in dict.fromkeys(found.claim for found in every):
        mine = [found for found in every if found.claim == claim]
        under = verdicts.conditions(claim) or tuple(mine)
        described.append((mine[0].says, under, alone and len(under) <= _MOST_OPEN))
    return described
