"""How many labels of a data set are wrong, by the memorisation scores of its examples: not how many are memorised.

Networks memorise rare examples whose label is right, too. So the scores are taken for a mixture of two kinds, those of
changed and those of kept labels. What either kind looks like is read off anchors: one example in five, drawn by lot, of
which the study knows whether its label was changed. Of all others nothing but the scores is used.

With mean scores U of the others, μ₁ and μ₀ of changed and kept anchors, the share is (U − μ₀)/(μ₁ − μ₀), and its
interval holds every w with |U − w·μ₁ − (1 − w)·μ₀| within its error (Fieller 1954): where changed and kept labels have
the same scores, it holds all.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from study.answer.memorisation import Estimate, jackknife_variance, scores_without
from study.answer.votes import Bools, Counts, Floats, Votes

_ANCHORS = 5
# A kind with fewer anchors is looked up where the study has more.
_FEWEST = 5
_GRID = np.linspace(-1, 2, 3001)


@dataclass(frozen=True)
class _Part:
    """Mean score of some examples, the same without each group of networks, and spread and number of the examples."""

    value: float
    without: Floats
    variance: float
    count: int


@dataclass(frozen=True)
class _Labels:
    """The networks of one condition and arm, and which examples their anchors are.

    Args:
        rule: Whether changed labels still follow a rule, so that they are not wrong, only called otherwise.
    """

    votes: Votes
    rule: bool

    def anchors(self, *, changed: bool) -> Bools:
        """[n], of that kind; none where labels follow a rule."""
        drawn = np.zeros(len(self.votes.label), dtype=bool)
        if not self.rule:
            order = np.random.default_rng(0).permutation(len(drawn))
            drawn[order[: len(drawn) // _ANCHORS]] = True
        return np.asarray(drawn & (self.votes.has_changed_label == changed))

    def part(self, mask: Bools) -> _Part:
        """The mean score of a set of examples, and that without each group of networks."""
        given, right = self.votes.given_mask[:, mask], self.votes.right[:, mask]
        scores = Counts.from_votes(given, right).scores
        known = ~np.isnan(scores)
        some = scores[known]
        if not len(some):
            return _Part(np.nan, np.full(1, np.nan), 0.0, 0)
        means = [
            float(np.nanmean(own)) if np.isfinite(own := one[known]).any() else np.nan
            for one in scores_without(given, right)
        ]
        variance = float(some.var(ddof=1)) if len(some) > 1 else 0.0
        return _Part(float(some.mean()), np.asarray(means), variance, len(some))


def mislabelled_shares(conditions: Sequence[tuple[Votes, bool]]) -> list[Estimate]:
    """The share of wrong labels in each condition and arm of a study, with its 95 % interval.

    A condition without enough anchors of a kind takes those of the one with the fewest changed labels that has them.
    The interval is over networks and over examples.

    Args:
        conditions: Votes, and whether labels follow a rule of the inputs all the same (classes renamed).
    """
    every = [_Labels(*one) for one in conditions]
    ranked = sorted(every, key=lambda one: one.votes.has_changed_label.mean())
    return [_share(one, ranked) for one in every]


def _share(own: _Labels, ranked: Sequence[_Labels]) -> Estimate:
    sources = [_source(own, ranked, changed=changed) for changed in (True, False)]
    if sources[0] is None or sources[1] is None or own.votes.networks < 2:
        return Estimate(None)
    masks = [~(own.anchors(changed=True) | own.anchors(changed=False))]
    masks += [one.anchors(changed=changed) for one, changed in zip(sources, (True, False), strict=True) if one]
    owners = [own, sources[0], sources[1]]
    parts = [one.part(mask) for one, mask in zip(owners, masks, strict=True)]
    if any(np.isnan(part.value) or np.isnan(part.without).any() for part in parts):
        return Estimate(None)
    rest, changed, kept = parts
    apart = changed.value - kept.value
    w = _GRID
    missed = rest.value - w * changed.value - (1 - w) * kept.value
    error = _network_variance(owners, parts, w) + w**2 * changed.variance / changed.count
    error += (1 - w) ** 2 * kept.variance / kept.count
    mixed = np.clip(w, 0, 1)
    error += (mixed * changed.variance + (1 - mixed) * kept.variance) / rest.count
    degrees = min(*(len(part.without) - 1 for part in parts), changed.count - 1, kept.count - 1)
    within = w[missed**2 <= stdtrit(degrees, 0.975) ** 2 * error]
    if not apart or not len(within):
        return Estimate(None)
    low, high = (float(np.clip(end, 0, 1)) for end in (within[0], within[-1]))
    return Estimate(float(np.clip((rest.value - kept.value) / apart, low, high)), low, high)


def _source(own: _Labels, ranked: Sequence[_Labels], *, changed: bool) -> _Labels | None:
    """Whose anchors of a kind are used."""
    enough = (one for one in (own, *ranked) if one.anchors(changed=changed).sum() >= _FEWEST)
    return next(enough, None)


def _network_variance(owners: Sequence[_Labels], parts: Sequence[_Part], w: Floats) -> Floats:
    """Jackknife variance of U − w·μ₁ − (1 − w)·μ₀; networks of different conditions are independent."""
    weights = (np.ones_like(w), -w, w - 1)
    total = np.zeros_like(w)
    for owner in {id(one): one for one in owners}.values():
        mine = [k for k, one in enumerate(owners) if one is owner]
        left = sum(weights[k][None, :] * parts[k].without[:, None] for k in mine)
        total += jackknife_variance(np.asarray(left))
    return total
