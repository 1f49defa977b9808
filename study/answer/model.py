"""What an answer holds: plain numbers, the sentences they make, and what was missing."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["yes", "no", "unclear", "missing"]


@dataclass(frozen=True)
class Effect:
    """The contrast (clean twin − noisy network) of a group of trials.

    Attributes:
        label: The group in words, e.g. `noise 0.5` or `criterion random`.
        noise: Label noise of the group (its mean, where a range of noise is pooled); None where conditions are pooled.
        trials: Trials that carry a contrast; the unit of `mean`, `ci95` and `p`.
        mean: Mean contrast in compressibility, −1…1; None without trials.
        ci95: Half width of the 95 % Student t interval over trials; None below 3 trials.
        within: Half width of the paired interval over replicates, where the group is one single trial.
        p: Exact two-sided sign-flip test over trials; None without an interval.
        pairs: Pairs (noisy network, clean twin) in which both interpolated.
        earlier, later, ties: Pairs in which the noisy network kept less, more, or exactly as much as its twin.
        excluded: Pairs left out because a network did not interpolate, or has no compressibility.
    """

    label: str
    noise: float | None
    trials: int
    mean: float | None
    ci95: float | None
    within: float | None
    p: float | None
    pairs: int
    earlier: int
    later: int
    ties: int
    excluded: int

    @property
    def verdict(self) -> Verdict:
        """`yes` or `no` where the interval over trials lies above or below 0, `unclear` where it does not tell."""
        if self.mean is None:
            return "missing"
        if self.ci95 is None or abs(self.mean) <= self.ci95:
            return "unclear"
        return "yes" if self.mean > 0 else "no"


@dataclass(frozen=True)
class Tracking:
    """Rank correlation of compressibility with the generalization gap, within condition and instrument.

    Attributes:
        tau: Kendall's τ pooled over strata, −1…1 (negative: what compresses further has the smaller gap), or None.
        pairs: Pairs of trials that share a stratum.
        p: Permutation within strata, two-sided.
        trials: Trials with both quantities.
        within: The fields that make the strata, as words.
        reason: Why nothing is stated, "" otherwise.
    """

    tau: float | None
    pairs: int
    p: float | None
    trials: int
    within: tuple[str, ...]
    reason: str = ""

    @property
    def verdict(self) -> Verdict:
        """`yes`: a significant negative τ; `no`: a significant positive one."""
        if self.tau is None or self.p is None:
            return "missing"
        if self.p >= 0.05:
            return "unclear"
        return "yes" if self.tau < 0 else "no"


@dataclass(frozen=True)
class Answer:
    """Two sentences and the numbers behind them.

    Attributes:
        sentences: Do memorising networks break earlier? Does compressibility track the gap?
        caveat: What the answer is conditional on.
        placebo: True where every trial with a contrast only renamed the classes, so that none is expected.
        overall: Over all counted conditions, the placebo apart.
        levels: By condition (noise level, kind and inputs), placebo conditions last.
        instruments: By each value of what compressed the networks, where a study spans that.
        retained: The contrast left after what fresh networks of the same sizes reach is subtracted; None without
            recovery or distillation.
        tracking: Rank correlation with the gap.
        counted: Design trials that ended COMPLETE.
        missing: What would have been needed and was not there, one sentence each.
    """

    sentences: tuple[str, str]
    caveat: str
    placebo: bool
    overall: Effect
    levels: tuple[Effect, ...]
    instruments: tuple[Effect, ...]
    retained: Effect | None
    tracking: Tracking
    counted: int
    missing: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """Whether memorising networks break earlier, the scratch arm considered."""
        if self.overall.verdict == "yes" and self.retained is not None and self.retained.verdict != "yes":
            return "unclear"
        return self.overall.verdict

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        verdicts = {"contrast": self.verdict, "tracking": self.tracking.verdict}
        return {"verdicts": verdicts, **asdict(self)}

    def as_text(self) -> str:
        """The sentences, what is missing and the caveat, as paragraphs of plain text."""
        return "\n\n".join([*self.sentences, *self.missing, self.caveat])
