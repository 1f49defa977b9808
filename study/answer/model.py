"""What an answer holds: plain numbers, the sentences they make, and what was missing."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Verdict = Literal["yes", "no", "unclear", "missing"]
ReadingVerdict = Literal["yes", "no", "unclear", "missing", "collapse"]
AnswerVerdict = Literal["yes", "no", "unclear", "missing", "collapse", "mixed"]

# Both twins of a reading collapse where they survive fewer than these of at least so many levels.
_BRIEF, _MANY = 2.0, 6
# A placebo's contrast this small is none.
NEGLIGIBLE = 0.05


@dataclass(frozen=True)
class Effect:
    """The contrast (clean twin − noisy network) of a group of trials.

    Attributes:
        label: The group in words, e.g. `noise 0.5` or `criterion random`.
        noise: Label noise of the group (its mean, where a range of noise is pooled); None where conditions are pooled.
        trials: Units that carry a contrast, of which `mean`, `ci95` and `p` are: trials, or dense cells.
        mean: Mean contrast in compressibility, −1…1; None without trials.
        ci95: Half width of the 95 % Student t interval over trials; None below 3 trials.
        within: Half width of the paired interval over replicates, where the group is one or two trials, as they are.
        p: Exact two-sided sign-flip test over trials; None without an interval.
        pairs: Pairs (noisy network, clean twin) in which both interpolated; each once, whatever instruments it met.
        earlier, later, ties: Pairs in which the noisy network kept less, more, or exactly as much as its twin.
        excluded: Pairs left out because a network did not interpolate, or has no compressibility.
        unit: What a unit is called, see `study.answer.units`.
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
    unit: str = "trial"

    @property
    def half(self) -> float | None:
        """Half width of the interval that exists: over trials, else over the replicates of the one or two there are."""
        return self.within if self.ci95 is None else self.ci95

    @property
    def verdict(self) -> Verdict:
        """`yes` or `no` where interval and sign-flip test over trials both tell a side, else `unclear`.

        Below 6 trials the exact test never reaches 0.05, so a side is never told, however narrow the interval is.
        """
        if self.p is not None and self.p >= 0.05:
            return "unclear"
        return self._side(self.ci95)

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval over trials."""
        return self.mean is not None and self.ci95 is not None and abs(self.mean) > self.ci95

    @property
    def negligible(self) -> bool:
        """Whether the whole interval over trials lies within ±0.05, a quarter of what noisy labels make of it."""
        return self.mean is not None and self.ci95 is not None and abs(self.mean) + self.ci95 <= NEGLIGIBLE

    @property
    def verdict_as_it_is(self) -> Verdict:
        """As `verdict`, but of these very trials where they are too few to speak for others."""
        return self._side(self.half)

    def _side(self, half: float | None) -> Verdict:
        if self.mean is None:
            return "missing"
        if half is None or abs(self.mean) <= half:
            return "unclear"
        return "yes" if self.mean > 0 else "no"


@dataclass(frozen=True)
class Survival:
    """How one arm fared over the levels: means over networks, then over trials.

    Attributes:
        levels: Levels before the score, scaled from chance (0) to the dense network (1), falls below ½.
        score: At the last level, on the training labels as given, at most 1.
        top_share: Share of the transfer inputs to which the last level's teachers gave one and the same class, and
        agreement: share of them on which their students said the same as they did; None unless distilled.
    """

    levels: float
    score: float
    top_share: float | None
    agreement: float | None


@dataclass(frozen=True)
class Reading:
    """The answer for one value of an instrument that changes what is measured.

    Attributes:
        label: The value, e.g. `uniform noise`.
        phrase: The value in a sentence, e.g. `fitted on uniform noise`.
        contrast: Over its trials.
        levels: By condition, where there are several.
        retained: The contrast above the scratch arm; None without recovery or distillation.
        noisy, clean: How the arms fared; None without stored networks.
        depth: Levels of the shallowest trial.
        absent: Why there is no contrast, where there is none.
        sentence: All that in words.
    """

    label: str
    phrase: str
    contrast: Effect
    levels: tuple[Effect, ...]
    retained: Effect | None
    noisy: Survival | None
    clean: Survival | None
    depth: int
    absent: str
    sentence: str = ""

    @property
    def collapsed(self) -> bool:
        """Whether noisy and clean networks alike break in the first levels, so that a contrast says little."""
        if self.noisy is None or self.clean is None or self.depth < _MANY:
            return False
        return max(self.noisy.levels, self.clean.levels) < _BRIEF

    @property
    def verdict(self) -> ReadingVerdict:
        """Whether memorising networks break earlier, the scratch arm considered."""
        found = self.contrast.verdict_as_it_is
        if found != "missing" and self.collapsed:
            return "collapse"
        if found == "yes" and self.retained is not None and self.retained.verdict_as_it_is != "yes":
            return "unclear"
        return found


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
        excluded: Trials left out because a network did not interpolate or learned another rule than the true one.
    """

    tau: float | None
    pairs: int
    p: float | None
    trials: int
    within: tuple[str, ...]
    reason: str = ""
    excluded: int = 0

    @property
    def verdict(self) -> Verdict:
        """`yes`: a significant negative τ; `no`: a significant positive one."""
        if self.tau is None or self.p is None:
            return "missing"
        if self.p >= 0.05:
            return "unclear"
        return "yes" if self.tau < 0 else "no"


@dataclass(frozen=True)
class Rank:
    """How far networks compress under one combination of instruments.

    Attributes:
        label: The combination in words, e.g. `magnitude l2, lowest`.
        trials: How many.
        mean: Of `compressibility/auc`, 0…1.
        ci95: Half width of its 95 % interval over trials; None below 3.
        within: Half width over the networks of the one trial there is.
        behind, behind_ci95: Mean and half width of how much the best compresses further, paired on the same networks
            (over cells, or where there are fewer than 3 over networks); None where combinations share none.
    """

    label: str
    trials: int
    mean: float
    ci95: float | None
    within: float | None
    behind: float | None = None
    behind_ci95: float | None = None

    @property
    def half(self) -> float | None:
        """Half width of the interval that exists."""
        return self.within if self.ci95 is None else self.ci95


@dataclass(frozen=True)
class Answer:
    """Two sentences and the numbers behind them.

    Attributes:
        sentences: Do memorising networks break earlier? Does compressibility track the gap?
        caveat: What the answer is conditional on.
        placebo: True where in every trial with a contrast the data still followed a rule, so that none is expected.
        overall: Over all counted conditions, the placebo apart; without mean where `readings` must not be pooled.
        levels: By condition (noise level, kind and inputs), placebo conditions last; empty where `readings` are not.
        instruments: By each value of what compressed the networks, where a study spans that.
        retained: The contrast left after what fresh networks of the same sizes reach is subtracted; None without
            recovery or distillation.
        tracking: Rank correlation with the gap.
        counted: Design trials that ended COMPLETE.
        missing: What would have been needed and was not there, one sentence each.
        readings: One answer per value of an instrument that changes what is measured; empty where one answer does.
        ranking: Where all labels are true: how far networks compress by each combination of instruments, best first.
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
    readings: tuple[Reading, ...] = ()
    ranking: tuple[Rank, ...] = ()

    @property
    def verdict(self) -> AnswerVerdict:
        """Whether memorising networks break earlier, the scratch arm considered; `mixed` where readings differ."""
        if self.readings:
            found = {reading.verdict for reading in self.readings}
            return found.pop() if len(found) == 1 else "mixed"
        if self.overall.verdict == "yes" and self.retained is not None and self.retained.verdict != "yes":
            return "unclear"
        return self.overall.verdict

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        verdicts = {"contrast": self.verdict, "tracking": self.tracking.verdict}
        return {"verdicts": verdicts, **asdict(self)}

    def as_text(self) -> str:
        """The sentences, what is missing and the caveat, as paragraphs of plain text."""
        return "\n\n".join([*self.paragraphs, *self.missing, self.caveat])

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The first sentence, the readings behind it, the second sentence."""
        first, second = self.sentences
        return (first, *(reading.sentence for reading in self.readings), second)
