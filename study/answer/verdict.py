"""What is known of each claim: estimate, intervals, evidence, verdict, and all that as a sentence."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from study.answer.evidence import FEWEST
from study.answer.words import plural, signed

Word = Literal["supported", "refuted", "open", "undefined", "described"]
Interval = tuple[float, float]
POOLED = "pooled"


@dataclass(frozen=True)
class Finding:
    """A claim under one condition, or pooled over all.

    Attributes:
        claim, says, role: Of the claim.
        condition: In words, `pooled`, or "" where a claim has one condition.
        verdict: supported, refuted, open or undefined; described where none is asked for.
        by: What it rests on: `any time`, `planned n`, or "".
        decided_with: Units that were there when it was decided at any time; else None.
        estimate, tau: What is compared, Kendall's τ-b beside a slope of ranks; None where undefined.
        interval: Simultaneous, at any time; unbounded ends are None.
        alone: The sequence of each e-value by itself: `anytime_t`, `betting`.
        planned_interval: Simultaneous, by Student's t, for a study that ends at its planned number of trials.
        e_for, e_against: log₁₀ of the e-values against "it is not so" and "it is so"; None: no evidence at all.
        p_for, p_against: The same by t (an association: by permutation).
        spread: Standard deviation over units; of what a slope leaves.
        n, planned, unit: Units counted, planned, and what one is.
        excluded: Why units are missing → how many.
        needs: About how many more units until it is decided; None where nothing tells.
        reason: Why it is undefined.
        sentence: All that in words.
    """

    claim: str
    says: str
    role: str
    condition: str
    verdict: Word
    by: str = ""
    decided_with: int | None = None
    estimate: float | None = None
    tau: float | None = None
    interval: tuple[float | None, float | None] = (None, None)
    alone: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    planned_interval: tuple[float | None, float | None] = (None, None)
    e_for: float | None = None
    e_against: float | None = None
    p_for: float | None = None
    p_against: float | None = None
    spread: float | None = None
    n: int = 0
    planned: int = 0
    unit: str = "trial"
    excluded: dict[str, int] = field(default_factory=dict)
    needs: int | None = None
    reason: str = ""
    sentence: str = ""

    @property
    def decided(self) -> bool:
        """Whether more units can't change it."""
        return self.verdict in ("supported", "refuted", "described")

    @property
    def brief(self) -> str:
        """`0.29 (0.21 to 0.38), 24 trials`, or why there is no number; about how many more units it needs."""
        if self.estimate is None:
            return self.reason or "no units"
        low, high = self.planned_interval if self.by == "planned n" else self.interval
        between = "" if low is None or high is None else f" ({signed(low)} to {signed(high)})"
        more = f", about {plural(self.needs, f'more {self.unit}')}" if self.needs and not self.decided else ""
        return f"{signed(self.estimate)}{between}, {plural(self.n, self.unit)}{more}"

    @property
    def hopeless(self) -> bool:
        """Whether of the first eight units or more none is defined, so that more are not worth waiting for."""
        return self.verdict == "undefined" and self.n == 0 and sum(self.excluded.values()) >= FEWEST


@dataclass(frozen=True)
class Verdicts:
    """All claims of a study.

    Attributes:
        findings: Those stated before the data: claims, then placebos, then descriptions.
        exploratory: Those stated, or met, once there were data.
        guarantee: `planned` (planned n and any time), or `any time`.
        assurance: What that means here, as a sentence.
        family: How many claims × conditions share the 5 %.
    """

    findings: tuple[Finding, ...]
    exploratory: tuple[Finding, ...]
    guarantee: Literal["planned", "any time"]
    assurance: str
    family: int

    @property
    def failed_placebos(self) -> tuple[Finding, ...]:
        """Placebos that did not come out as nothing: with them no other verdict can be read."""
        return tuple(found for found in self.findings if found.role == "placebo" and found.verdict == "refuted")

    @property
    def all_decided(self) -> bool:
        """Whether every claim and placebo stated before the data is decided, pooled; the hopeless is not waited for."""
        asked = [found for found in self.headlines if found.role != "description"]
        return bool(asked) and all(found.decided or found.hopeless for found in asked)

    @property
    def headlines(self) -> tuple[Finding, ...]:
        """One finding a claim: the pooled one, or the only one; failed placebos first."""
        main = [found for found in self.findings if found.condition in ("", POOLED)]
        failed = set(map(id, self.failed_placebos))
        return tuple(sorted(main, key=lambda found: id(found) not in failed))

    def of(self, claim: str, condition: str = "") -> Finding:
        """The finding of a claim: pooled unless a condition is named.

        Raises:
            KeyError: There is none.
        """
        for found in (*self.findings, *self.exploratory):
            if found.claim == claim and found.condition in ((condition,) if condition else ("", POOLED)):
                return found
        raise KeyError(claim)

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)

    def as_text(self) -> str:
        """A paragraph for each claim, its conditions below it, and the assurance."""
        lines = []
        if self.failed_placebos:
            lines.append("A placebo fails: nothing below can be read as meant until that is explained.")
        lines += _listed(self.findings)
        if self.exploratory:
            tried = len({found.claim for found in self.exploratory})
            lines.append(f"Exploratory, stated once there were data ({plural(tried, 'claim')} tried):")
            lines += _listed(self.exploratory)
        return "\n".join([*lines, self.assurance])


def sentence(found: Finding, kind: str) -> str:
    """The verdict with what it rests on, e.g. `Supported: … 0.29, between 0.21 and 0.37; 24 trials; …`.

    Args:
        kind: Of the quantity.
    """
    where = f" ({found.condition})" if found.condition not in ("", POOLED) else ""
    start = f"{found.verdict.capitalize()}{where}: {found.says}"
    if found.verdict == "undefined":
        return f"{start} {found.reason[:1].upper()}{found.reason[1:]}."
    what = "slope of ranks" if kind in ("association", "slope") and found.tau is not None else "estimate"
    numbers = f"{what.capitalize()} {signed(found.estimate or 0.0)}"
    interval = found.planned_interval if found.by == "planned n" else found.interval
    if None not in interval:
        numbers += f", between {signed(interval[0] or 0.0)} and {signed(interval[1] or 0.0)}"
    elif found.verdict != "described":
        numbers += ", not bounded yet"
    if found.tau is not None:
        numbers += f" (Kendall τ {signed(found.tau)})"
    parts = [numbers, plural(found.n, found.unit)]
    if found.by == "any time":
        parts.append(f"decided at any time, with {found.decided_with}")
    elif found.by:
        parts.append(f"decided at the planned number of {found.unit}s")
    elif found.verdict == "open" and found.needs:
        parts.append(f"about {found.needs} more to decide it")
    if missing := sum(found.excluded.values()):
        why = ", ".join(found.excluded)
        parts.append(f"{missing} left out ({why})")
    if disagreement := _disagreement(found):
        parts.append(disagreement)
    return f"{start} {'; '.join(parts)}."


def ends(interval: Interval) -> tuple[float | None, float | None]:
    """An interval for JSON: unbounded ends are None."""
    low, high = (end if math.isfinite(end) else None for end in interval)
    return low, high


def _disagreement(found: Finding) -> str:
    """Where the two sequences exclude each other, which neither the mean nor any guard sees."""
    first, second = found.alone.get("anytime_t"), found.alone.get("betting")
    if first is None or second is None:
        return ""
    apart = _below(first[1], second[0]) or _below(second[1], first[0])
    return "the anytime t and betting exclude each other's intervals: look at the values" if apart else ""


def _below(high: float | None, low: float | None) -> bool:
    return high is not None and low is not None and high < low


def _listed(findings: tuple[Finding, ...]) -> list[str]:
    main = [found for found in findings if found.condition in ("", POOLED)]
    lines = []
    for found in main:
        lines.append(found.sentence)
        others = [one for one in findings if one.claim == found.claim and one is not found]
        lines += [f"  {one.condition}: {one.verdict}, {one.brief}" for one in others]
    return lines
