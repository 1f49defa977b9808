"""What turns a verdict: the claims asked again of the stored curves, under other choices than those of the study."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.answer.deciding import verdicts
from study.answer.resummarising import Summing
from study.answer.selection import column, numbers
from study.answer.standing import Standing
from study.answer.verdict import Finding, Verdicts
from study.answer.words import join_words, plural, with_ends

Kind = Literal["as stated", "reach", "accuracy kept", "stop rule", "exclusion", "replicates", "instrument"]
_SHARES, _REACHES = (0.5, 0.95), (0.5, 0.75)
_STRICT = 0.999
_MOST_VALUES = 24


@dataclass(frozen=True)
class Check:
    """A claim under one choice.

    Attributes:
        kind, choice: What was chosen, and in words.
        claim, verdict, estimate, interval, n, unit, reason: As of a `Finding`.
        stated: The verdict as the study has it.
    """

    kind: Kind
    choice: str
    claim: str
    verdict: str
    estimate: float | None
    interval: tuple[float | None, float | None]
    n: int
    unit: str
    stated: str
    reason: str = ""

    @property
    def is_reversed(self) -> bool:
        """Whether supported became refuted, or the other way round."""
        return {self.verdict, self.stated} == {"supported", "refuted"}

    @property
    def is_lost(self) -> bool:
        """Whether what is decided as stated is decided no more."""
        return self.stated in ("supported", "refuted") and self.verdict in ("open", "undefined")

    @property
    def brief(self) -> str:
        """`0.29 (0.21 to 0.38) supported`."""
        if self.estimate is None:
            return f"{self.verdict}: {self.reason}" if self.reason else self.verdict
        return f"{with_ends(self.estimate, *self.interval)} {self.verdict}"


@dataclass(frozen=True)
class Robustness:
    """All claims under all choices; the first choice is that of the study.

    Attributes:
        checks: A claim and a choice each.
        absent: Choices that this study can't be asked about, and why.
    """

    checks: tuple[Check, ...]
    absent: tuple[str, ...] = ()

    @property
    def claims(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(dict.fromkeys(check.claim for check in self.checks))

    @property
    def choices(self) -> tuple[tuple[Kind, str], ...]:
        """Kind and words of each."""
        return tuple(dict.fromkeys((check.kind, check.choice) for check in self.checks))

    def sentence(self, claim: str) -> str:
        """Which choices turn the verdict on a claim, and which leave it undecided."""
        own = [check for check in self.checks if check.claim == claim and check.kind != "as stated"]
        main_verdict = next(check.stated for check in self.checks if check.claim == claim)
        name = claim.replace("_", " ")
        if main_verdict not in ("supported", "refuted"):
            decisive = [check for check in own if check.verdict in ("supported", "refuted")]
            if not decisive:
                return f"{name}: {main_verdict}, under every choice."
            return f"{name}: {main_verdict}; {join_words([f'{one.verdict} {one.choice}' for one in decisive])}."
        reversals, losses = [one.choice for one in own if one.is_reversed], [one.choice for one in own if one.is_lost]
        summary = f"turned {join_words(reversals)}" if reversals else f"no choice of {len(own)} turns it"
        return f"{name}: {main_verdict}; {summary}{f'; undecided {join_words(losses)}' if losses else ''}."

    def as_dict(self) -> dict[str, Any]:
        """JSON types only."""
        checks = [{**asdict(check), "turned": check.is_reversed, "lost": check.is_lost} for check in self.checks]
        return {"checks": checks, "absent": list(self.absent)}

    def as_frame(self) -> pd.DataFrame:
        """A row a check."""
        rows = []
        for check in self.checks:
            low, high = check.interval
            row = {name: value for name, value in asdict(check).items() if name != "interval"}
            rows.append({**row, "low": low, "high": high, "turned": check.is_reversed})
        return pd.DataFrame(rows)

    def as_text(self) -> str:
        """A sentence a claim, then each claim's verdict under every choice."""
        lines = [self.sentence(claim) for claim in self.claims] or ["No claim to hold against other choices."]
        width = max((len(choice) for _, choice in self.choices), default=0)
        for claim in self.claims:
            lines.append(f"\n{claim}")
            for check in self.checks:
                if check.claim == claim:
                    mark = "!" if check.is_reversed else "?" if check.is_lost else " "
                    lines.append(f" {mark} {check.choice:<{width}}  {check.brief}, {plural(check.n, check.unit)}")
        return "\n".join([*lines, *(f"Not asked: {text}" for text in self.absent)])


Variant = tuple[Kind, str, pd.DataFrame, pd.DataFrame]


def robustness(
    space: SearchSpace, trials: pd.DataFrame, networks: pd.DataFrame, *, plan: pd.DataFrame, standing: Standing
) -> Robustness:
    """Each claim and placebo of a study, pooled over conditions, under other choices than those that it was run with.

    Pure, and of stored curves alone: nothing is trained again. Intervals are those that go with the verdict.

    Args:
        space: Of the study, with its claims.
        trials, networks, plan, standing: As for `verdicts`.
    """
    claims = tuple(claim for claim in space.claims if claim.role != "description")
    space = space.model_copy(update={"claims": claims})

    def ask(trials: pd.DataFrame, networks: pd.DataFrame, plan: pd.DataFrame) -> Verdicts:
        return verdicts(space, trials, networks, plan=plan, standing=standing, brief=True)

    main = ask(trials, networks, plan)
    if not claims or not main.counted:
        return Robustness(())
    checks = [_check("as stated", "as stated", finding, finding.verdict) for finding in main.headlines]
    absent: list[str] = []
    for kind, choice, own_trials, theirs in (
        *_of_curves(trials, networks, absent),
        *_of_instruments(space, trials, networks),
    ):
        rows = plan[plan["number"].isin(own_trials["number"])] if kind == "instrument" else plan
        answer = ask(own_trials, theirs, rows)
        checks += [_check(kind, choice, one, main.finding_of(one.claim).verdict) for one in answer.headlines]
    order = {claim.name: place for place, claim in enumerate(claims)}
    checks.sort(key=lambda check: order[check.claim])
    return Robustness(tuple(checks), tuple(absent))


def _check(kind: Kind, choice: str, found: Finding, stated: str) -> Check:
    return Check(kind, choice, found.claim, found.verdict, found.estimate, found.shown_interval, found.n,
                 found.unit, stated, found.reason)  # fmt: skip


def _of_curves(trials: pd.DataFrame, networks: pd.DataFrame, absent: list[str]) -> Iterator[Variant]:
    """What can be summed up another way from the curves."""
    if networks.empty or "ratio" not in networks.columns:
        absent.append("other summaries of curves: no networks are stored.")
        return
    summing = Summing(trials, networks)
    for reach in _REACHES:
        yield "reach", f"with curves up to {reach:g} of L", summing.trials(reach=reach), networks
    for share in _SHARES:
        words = f"by the ratio at which {share:.0%} of the accuracy is left".replace("%", " %")
        yield "accuracy kept", words, summing.trials(share=share), networks
    yield from _fits(summing, networks, absent)
    count = int(networks["network"].max()) + 1
    for fewer in sorted({max(2, count // 2), count - 1}):
        if 2 <= fewer < count:
            some = networks[networks["network"] < fewer]
            rows = summing.trials(networks=some).assign(replicates=fewer)
            yield "replicates", f"with {fewer} of {count} networks a trial", rows, some


def _fits(summing: Summing, networks: pd.DataFrame, absent: list[str]) -> Iterator[Variant]:
    """Which networks count as having fitted."""
    dense = networks[networks["level"] == 0]
    strict = f"with networks alone that fitted {_STRICT:g}"
    rules: list[tuple[Kind, str, Callable[[pd.DataFrame], pd.Series]]] = [
        ("exclusion", "with networks that did not fit", lambda rows: pd.Series(True, index=rows.index)),
        ("stop rule", strict, lambda rows: numbers(rows, summing.score) >= _STRICT),
        ("stop rule", "with networks alone that a stopping rule ended",
         lambda rows: column(rows, "stop_reason", "").fillna("").astype(str).ne("")),
    ]  # fmt: skip
    for kind, choice, rule in rules:
        fits = rule(dense)
        if fits.eq(dense["interpolated"].astype(bool)).all():
            absent.append(f"{choice}: these are the same networks.")
            continue
        if not fits.any():
            absent.append(f"{choice}: there are none.")
            continue
        by = pd.Series(fits.to_numpy(), index=pd.MultiIndex.from_frame(dense[["trial", "arm", "network"]]))
        arm = networks["arm"].str.removeprefix("scratch_")
        whose = pd.MultiIndex.from_frame(networks[["trial", "network"]].assign(arm=arm)[["trial", "arm", "network"]])
        theirs = networks.assign(interpolated=by.reindex(whose).fillna(False).astype(bool).to_numpy())
        yield kind, choice, summing.trials(networks=theirs, refit=True), theirs


def _of_instruments(space: SearchSpace, trials: pd.DataFrame, networks: pd.DataFrame) -> Iterator[Variant]:
    """Without each value of each way of compressing that was spanned."""
    for name, options in space.span.items():
        values: Sequence[Any] = options.values if isinstance(options, Choices) else ()
        if not name.startswith("compression.") or not 2 <= len(values) <= _MOST_VALUES or name not in trials.columns:
            continue
        for value in values:
            rows = trials[trials[name].astype(str) != str(value)]
            if 0 < len(rows) < len(trials) and np.any(rows["state"] == "COMPLETE"):
                yield "instrument", f"without {name.rpartition('.')[2].replace('_', ' ')} {value}", rows, networks
