"""Which examples did networks memorise: scores of examples over many networks, and how well these find changed labels.

mem(i) = P(right on i | i given) − P(right on i | i left out), over networks that are each given a random share of the
examples (Feldman & Zhang 2020, arXiv:2008.03703). Unbiased for networks of that many examples, not of all of them.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from study.answer.halves import Agreement, agreement_of_halves
from study.answer.votes import Bools, Counts, Floats, Votes

_QUANTILES = (0.5, 0.9, 0.99)
# Of more networks than this some are left out together: an interval from a hundred groups is as good.
_MOST_GROUPS = 100


@dataclass(frozen=True)
class Estimate:
    """A number over all examples, with its 95 % interval over networks; None where it is not defined."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def as_text(self) -> str:
        """`0.164 (0.150 to 0.178)`; a dash where it is not defined."""
        if self.value is None:
            return "–"
        return f"{self.value:.3f}" + ("" if self.low is None else f" ({self.low:.3f} to {self.high:.3f})")

    def as_json(self) -> dict[str, float | None]:
        """For scripts."""
        return {"value": self.value, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Memorisation:
    """What is known of the examples of one condition and arm.

    Attributes:
        examples: One row an example: see `example_scores`.
        networks: Distinct dense networks that voted.
        share: The memorised share of the data, the mean score on labels as given.
        true_share: The mean score on true labels.
        quantiles: Share of examples → the score that so many of them do not exceed: a mean hides the few.
        auroc: How likely a changed example has a larger score than a kept one.
        precision: Share of changed labels among as many examples of largest score.
        changed_count: How many labels are changed.
        agreement: Of the scores of two halves of the networks; None where there are too few.
        mislabelled_share: The estimated share of wrong labels, see `study.answer.mislabelled`.
        pairs: Of training and test examples whose influence was looked at.
    """

    examples: pd.DataFrame
    networks: int
    share: Estimate
    true_share: Estimate
    auroc: Estimate
    precision: Estimate
    changed_count: int
    mislabelled_share: Estimate = Estimate(None)
    pairs: int = 0
    agreement: Agreement | None = None
    quantiles: dict[float, float] = field(default_factory=dict)


def memorisation(votes: Votes) -> Memorisation:
    """Scores, and what they amount to, of the votes of one condition and arm."""
    table, changed = example_scores(votes), votes.has_changed_label
    known = table["memorisation"].dropna()
    return Memorisation(
        examples=table,
        networks=votes.networks,
        share=jackknife(votes.given_mask, votes.right, _mean),
        true_share=jackknife(votes.given_mask, votes.truly, _mean),
        auroc=jackknife(votes.given_mask, votes.right, lambda scores: auroc(scores, changed), lowest=0.0),
        precision=jackknife(votes.given_mask, votes.right, lambda scores: precision(scores, changed), lowest=0.0),
        changed_count=int(changed.sum()),
        agreement=agreement_of_halves(votes),
        quantiles={share: float(known.quantile(share)) for share in _QUANTILES} if len(known) else {},
    )


def example_scores(votes: Votes) -> pd.DataFrame:
    """One row an example, in their order.

    Columns: `example`, `label`, `true_label`, `changed`, `given` and `left_out` (networks), `memorisation` and its
    standard error `se` for the label given, `true_memorisation` and `true_se` for the true one, and `Votes.means`.
    """
    own, true = Counts.from_votes(votes.given_mask, votes.right), Counts.from_votes(votes.given_mask, votes.truly)
    return pd.DataFrame(
        {
            "example": np.arange(votes.given_mask.shape[1]),
            "label": votes.label,
            "true_label": votes.true_label,
            "changed": votes.has_changed_label,
            "given": own.given_count.astype(np.int64),
            "left_out": own.left_out.astype(np.int64),
            "memorisation": own.scores,
            "se": own.errors,
            "true_memorisation": true.scores,
            "true_se": true.errors,
            **votes.means,
        }
    )


def auroc(scores: Floats, changed: Bools) -> float | None:
    """P(score of a changed example > that of a kept one) + ½ P(equal), of examples that have one; None without both."""
    known = ~np.isnan(scores)
    ranks, positive = pd.Series(scores[known]).rank().to_numpy(), changed[known]
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not ones or not zeros:
        return None
    return float((ranks[positive].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def precision(scores: Floats, changed: Bools) -> float | None:
    """Share of changed examples among as many of largest score; of equal scores at the end each has its share.

    None where no label is changed.
    """
    known = ~np.isnan(scores)
    values, positive = scores[known], changed[known]
    count = int(positive.sum())
    if not count:
        return None
    last = np.sort(values)[-count]
    above, level = values > last, values == last
    hits = positive[above].sum() + (count - above.sum()) * positive[level].mean()
    return float(hits / count)


def jackknife(
    given: Bools, right: Bools, statistic: Callable[[Floats], float | None], *, lowest: float = -1.0
) -> Estimate:
    """A statistic of the scores with its 95 % interval: networks are left out one by one, or in a hundred groups.

    Args:
        given, right: [M, n] votes.
        statistic: Scores [n] → a number from `lowest` to 1, None where it is not defined.
        lowest: That the statistic can be, and so the end of its interval.
    References:
        Efron & Tibshirani 1993, An Introduction to the Bootstrap, chapter 11; Kott 2001 (delete-a-group).
    """
    value = statistic(Counts.from_votes(given, right).scores)
    if value is None or len(given) < 2:
        return Estimate(value)
    without = [statistic(scores) for scores in scores_without(given, right)]
    left = [one for one in without if one is not None]
    if len(left) < len(without):
        return Estimate(value)
    half = float(stdtrit(len(left) - 1, 0.975) * math.sqrt(jackknife_variance(np.asarray(left))))
    return Estimate(value, max(lowest, value - half), min(1.0, value + half))


def scores_without(given: Bools, right: Bools) -> Iterator[Floats]:
    """The scores [n] without each network in turn; of very many networks, without a hundredth of them at a time."""
    whole, groups = Counts.from_votes(given, right), min(len(given), _MOST_GROUPS)
    for part in (slice(first, None, groups) for first in range(groups)):
        yield whole.without(Counts.from_votes(given[part], right[part])).scores


def jackknife_variance(left: Floats) -> Floats:
    """The variance of statistics, by what they are without each of the groups of networks [groups, …]."""
    spread = left - np.mean(left, axis=0)
    return np.asarray((len(left) - 1) / len(left) * (spread**2).sum(axis=0))


def _mean(scores: Floats) -> float | None:
    known = scores[~np.isnan(scores)]
    return float(known.mean()) if len(known) else None


def as_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows for JSON: what is undefined is None."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
