"""What is known of each claim: estimate, intervals, evidence, verdict, and all that as a sentence."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from study.answer.course import Point
from study.answer.evidence import FEWEST
from study.answer.words import plural, with_ends, with_half

Word = Literal["supported", "refuted", "open", "undefined", "described"]
Interval = tuple[float, float]
POOLED = "pooled"
WHOLE = ("", POOLED)  # condition of a finding about a claim as a whole: it has one alone, or several pooled


@dataclass(frozen=True)
class Finding:
    """A claim under one condition, or pooled over all.

    Attributes:
        claim, says, role: Of the claim.
        condition: In words, `pooled`, or "" where a claim has one condition.
        verdict: supported, refuted, open or undefined; described where none is asked for.
        by: What it rests on: `any time`, `planned n`, or "".
        decided_with: Units that were there when it was decided at any time; else None.
        stepped: Whether its interval, drawn for the whole family, would not decide it alone: Holm's steps did.
        estimate, tau: What is compared, Kendall's τ-b beside a slope of ranks; None where undefined.
        interval: Simultaneous, at any time; unbounded ends are None.
        alone: The sequence of each e-value by itself: `anytime_t`, `betting`.
        planned_interval: Simultaneous, by Student's t, for a study that ends at its planned number of trials.
        e_for, e_against: log₁₀ of the e-values against "it is not so" and "it is so"; None: no evidence at all.
        p_for, p_against: The same by t (an association: by permutation).
        spread: Standard deviation over units; of what a slope leaves.
        pairs: Pairs of units that a slope of ranks compares; None of all others.
        ahead: How many units lie on the claimed side of which number, and whether that is above it; None where that
            says nothing.
        behind: How much less than the best condition it has on the same units, and the half width of that (95 %).
        course: Units, the estimate with them and both ends of the sequence by then; () where nobody asked.
        n, planned, unit: Units counted, planned, and what one is.
        excluded: Why units are missing → how many.
        needs: About how many more units until it is decided; None where nothing tells.
        reason: Why it is undefined.
        otherwise: What it means for other claims unless it is supported.
        sentence: All that in words.
    """

    claim: str
    says: str
    role: str
    condition: str
    verdict: Word
    by: str = ""
    decided_with: int | None = None
    stepped: bool = False
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
    pairs: int | None = None
    ahead: tuple[int, float, bool] | None = None
    behind: tuple[float, float | None] | None = None
    course: tuple[Point, ...] = ()
    n: int = 0
    planned: int = 0
    unit: str = "trial"
    excluded: dict[str, int] = field(default_factory=dict)
    needs: int | None = None
    reason: str = ""
    otherwise: str = ""
    sentence: str = ""

    @property
    def is_decided(self) -> bool:
        """Whether more units can't change it."""
        return self.verdict in ("supported", "refuted", "described")

    @property
    def half(self) -> float | None:
        """Half width of Student's interval; None where it has no ends."""
        low, high = self.planned_interval
        return None if low is None or high is None else (high - low) / 2

    @property
    def shown_interval(self) -> tuple[float | None, float | None]:
        """The interval that goes with the verdict: at any time, or at the planned number."""
        return self.planned_interval if self.by == "planned n" or self.verdict == "described" else self.interval

    @property
    def contradicts_itself(self) -> bool:
        """Whether no number fits all that was seen: its units changed as the study went on."""
        low, high = self.shown_interval
        return low is not None and high is not None and low > high

    @property
    def brief(self) -> str:
        """`0.29 (0.21 to 0.38), 24 trials`, or why there is no number; about how many more units it needs."""
        if self.estimate is None:
            return self.reason or "no units"
        if self.verdict == "described":
            less = ""
            if self.behind is not None:
                less = f"; {with_half(*self.behind)} behind the first, paired"
                less += "" if self.differs_from_best else " (not told apart)"
            return f"{with_half(self.estimate, self.half)}, {plural(self.n, self.unit)}{less}"
        low, high = (None, None) if self.contradicts_itself else self.shown_interval
        more = f", about {plural(self.needs, f'more {self.unit}')}" if self.needs and not self.is_decided else ""
        return f"{with_ends(self.estimate, low, high)}, {plural(self.n, self.unit)}{more}"

    @property
    def differs_from_best(self) -> bool:
        """Whether a paired difference to the best has an interval without 0."""
        return self.behind is not None and self.behind[1] is not None and abs(self.behind[0]) > self.behind[1]

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
        counted: Trials that all this rests on.
        notes: What was missing, a sentence each.
        caveat: What all this is conditional on.
    """

    findings: tuple[Finding, ...]
    exploratory: tuple[Finding, ...]
    guarantee: Literal["planned", "any time"]
    assurance: str
    family: int
    counted: int = 0
    notes: tuple[str, ...] = ()
    caveat: str = ""

    @property
    def failed_placebos(self) -> tuple[Finding, ...]:
        """Placebos that did not come out as nothing: with them no other verdict can be read."""
        return tuple(finding for finding in self.findings if finding.role == "placebo" and finding.verdict == "refuted")

    @property
    def all_decided(self) -> bool:
        """Whether every claim and placebo stated before the data is decided: over all its conditions together.

        Neither single conditions nor what is hopeless are waited for.
        """
        questions = [finding for finding in self.headlines if finding.role != "description"]
        return bool(questions) and all(finding.is_decided or finding.hopeless for finding in questions)

    @property
    def headlines(self) -> tuple[Finding, ...]:
        """One finding a claim: the pooled one, or the only one; failed placebos first."""
        main = [finding for finding in self.findings if finding.condition in WHOLE]
        failures = set(map(id, self.failed_placebos))
        return tuple(sorted(main, key=lambda finding: id(finding) not in failures))

    @property
    def listed_findings(self) -> tuple[Finding, ...]:
        """The headlines, those of exploratory claims after them."""
        return (*self.headlines, *(finding for finding in self.exploratory if finding.condition in WHOLE))

    def conditions(self, claim: str) -> tuple[Finding, ...]:
        """A claim under each condition, pooled apart; of a description those with the largest number first."""
        own = [one for one in (*self.findings, *self.exploratory)
                if one.claim == claim and one.condition not in WHOLE]  # fmt: skip
        if own and own[0].role == "description":
            own.sort(key=lambda one: math.inf if one.estimate is None else -one.estimate)
        return tuple(own)

    def finding_of(self, claim: str, condition: str = "") -> Finding:
        """The finding of a claim: pooled unless a condition is named.

        Raises:
            KeyError: There is none.
        """
        for finding in (*self.findings, *self.exploratory):
            if finding.claim == claim and finding.condition in ((condition,) if condition else WHOLE):
                return finding
        raise KeyError(claim)

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)

    def as_text(self) -> str:
        """A paragraph for each claim, its conditions below it, what is missing, and the assurance."""
        return "\n".join([*self.paragraphs(), *self.notes, self.assurance, self.caveat])

    def paragraphs(self, most: int = 1000) -> list[str]:
        """Each claim's sentence, then its conditions, a line each.

        Args:
            most: Conditions of one claim that are listed; how many more there are is said.
        """
        lines = []
        if self.failed_placebos:
            lines.append("A placebo fails: nothing below can be read as meant until that is explained.")
        lines += self._list_findings(self.findings, most)
        if self.exploratory:
            claim_count = len({finding.claim for finding in self.exploratory})
            lines.append(f"Exploratory, stated once there were data ({plural(claim_count, 'claim')} tried):")
            lines += self._list_findings(self.exploratory, most)
        return lines or ["No claims: nothing was stated, and nothing is usually asked of such trials."]

    def _list_findings(self, findings: tuple[Finding, ...], most: int) -> list[str]:
        lines = []
        failures = {finding.claim for finding in self.failed_placebos}
        for name in sorted(dict.fromkeys(finding.claim for finding in findings), key=lambda name: name not in failures):
            own, under = [finding for finding in findings if finding.claim == name], self.conditions(name)
            whole = [finding for finding in own if finding.condition in WHOLE]
            lines.append(whole[0].sentence + disagreeing(under) if whole else f"Described: {own[0].says}")
            details = [f"{one.condition}: {one.brief}" if one.verdict == "described"
                    else f"{one.condition}: {one.verdict}, {one.brief}" for one in under]  # fmt: skip
            lines += [f"  {line}" for line in details[:most]]
            if len(details) > most:
                lines.append(f"  … and {len(details) - most} more")
        return lines


def disagreeing(conditions: Sequence[Finding]) -> str:
    """That a claim holds under some condition and another's sign is the other one; else "".

    Where it holds under none, numbers about 0 have either sign by chance.
    """
    claims = [one for one in conditions if one.estimate and one.role == "claim"]
    signs = {(one.estimate or 0.0) > 0 for one in claims}
    if len(signs) < 2 or not any(one.verdict == "supported" for one in claims):
        return ""
    return " The sign differs between conditions."


def ends(interval: Interval) -> tuple[float | None, float | None]:
    """An interval for JSON: unbounded ends are None."""
    low, high = (end if math.isfinite(end) else None for end in interval)
    return low, high
