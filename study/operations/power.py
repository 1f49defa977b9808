"""What the planned design can tell: the effect of each claim that it detects at 80 %."""

import math
from collections.abc import Iterator

from scipy.special import stdtrit

from search_spaces.claims import Claim
from study.answer.deciding import verdicts
from study.answer.evidence import ALPHA
from study.answer.words import plural
from study.config import StudyConfig
from study.ledger import Ledger
from study.ledger.frames import network_frame, trial_frame
from study.settings.verdicts import plan_of, standing_of

_POWER = 0.8
# Standard deviations over trials of the default study, for what it measures; ranks have 1.
_USUAL = {"twins of compressibility/auc": 0.09, "association": 1.0}


def power(config: StudyConfig, like: Ledger | None = None) -> Iterator[str]:
    """A line for each claim: units planned, and the effect that Student's t finds with them at 80 %.

    One-sided, and simultaneous over the family.

    Args:
        like: A pilot or similar study, whose spread is taken in place of the default study's.
    """
    rows = [] if like is None else like.trials()
    networks = network_frame(config.directory if like is None else like.config.directory, rows)
    found = verdicts(config.space, trial_frame(rows), networks, plan=plan_of(config), standing=standing_of(config, 0))
    claims = {claim.name: claim for claim in config.space.claims}
    for one in found.headlines:
        spread = _USUAL.get(_kind(claims[one.claim])) if like is None else one.spread
        units, of = plural(one.planned, one.unit), "the default study" if like is None else like.name
        if one.planned < 3:
            yield f"{one.claim}: {units} planned, too few to tell an effect."
        elif not spread:
            unknown = "its spread is not known (--like NAME takes that of a pilot or similar study)"
            yield f"{one.claim}: {units} planned; {unknown if like is None else f'{of} has no spread of it'}."
        else:
            family = max(1, found.family)
            yield f"{one.claim}: {units} planned {_tells(claims[one.claim], spread, one.planned, family, of)}."


def _tells(claim: Claim, spread: float, n: int, family: int, of: str) -> str:
    """What n units tell at 80 %; of ranks, whose slopes lie between −1 and 1, perhaps nothing."""
    least, ranks = detectable(spread, n, family), claim.quantity.kind == "association"
    known = f"(spread {spread:.2f}, that of {of}; one of {family} in the family)"
    if ranks and least >= 1:
        return f"are too few to tell at 80 %: slopes of ranks lie between −1 and 1 {known}"
    return f"find {'a slope of ranks' if ranks else 'an effect'} of {least:.2f} at 80 % {known}"


def detectable(spread: float, n: int, family: int) -> float:
    """The mean that n units with this standard deviation tell from 0 with probability .8, one-sided at .025/family."""
    quantiles = float(stdtrit(n - 1, 1 - ALPHA / family)) + float(stdtrit(n - 1, _POWER))
    return quantiles * spread / math.sqrt(n)


def _kind(claim: Claim) -> str:
    metric = getattr(claim.quantity, "metric", "")
    return f"{claim.quantity.kind} of {metric}" if metric else claim.quantity.kind
