"""The claims under other choices, as a section of the page: what would turn a verdict."""

from markupsafe import Markup

from study.answer.robustness import Robustness
from study.report.html import render


def robustness_section(robustness: Robustness | None) -> Markup:
    """A sentence a claim and a table of all choices; "" where nothing was asked."""
    if robustness is None or not robustness.checks:
        return Markup()
    checks = {(check.choice, check.claim): check for check in robustness.checks}
    data = robustness.as_frame().to_csv(index=False)
    return render("robustness.html", robustness=robustness, checks=checks, data=data)
