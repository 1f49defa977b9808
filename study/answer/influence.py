"""What a training example does to test examples: how much oftener networks that were given it are right on them.

infl(i, j) = P(right on test example j | i given) − P(right on j | i left out), over networks that are each given a
random share of the training examples (Feldman & Zhang 2020, arXiv:2008.03703).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from study.answer.votes import Bools, Floats, smoothed_variance

# Pairs whose influence is known at a time.
_PAIRS = 1 << 23
_LEVEL = 0.05


@dataclass(frozen=True)
class Influence:
    """For each training example [n] the test example that it helps most.

    Attributes:
        largest: The influence on it; nan where no network was given the training example, or none was left it out.
        on: Its number among test examples; of several the first.
        errors: The standard error, as of memorisation scores.
        pairs: How many pairs of a training and a test example were looked at.
        chance: [n], how likely so large an influence is where there is none (Fisher's exact test, one-sided): errors
            of few networks say little of how far chance goes among very many pairs.
    """

    largest: Floats
    on: npt.NDArray[np.int64]
    errors: Floats
    pairs: int
    chance: Floats

    @property
    def certain(self) -> Bools:
        """[n], whether the largest influence is more than chance makes of so many pairs, in 95 of 100 studies."""
        return np.asarray(self.chance <= _LEVEL / self.pairs)


def influence(given: Bools, tested: Bools) -> Influence:
    """The influence of each training example where it is largest.

    Args:
        given: [M, n], whether the network was given the training example.
        tested: [M, m], whether it is right on the test example.
    """
    (networks, count), tests = given.shape, tested.shape[1]
    right = tested.astype(np.float32)
    inside, all_right = given.sum(axis=0), right.sum(axis=0, dtype=np.float64)
    from scipy.stats import hypergeom  # takes a second to import

    (largest, errors, chance), on = np.full((3, count), np.nan), np.zeros(count, dtype=np.int64)
    together = max(1, _PAIRS // tests)
    for start in range(0, count, together):
        part = slice(start, min(count, start + together))
        # Whole numbers below 2²⁴, which products of float32 hold exactly.
        hits = (given[:, part].T.astype(np.float32) @ right).astype(np.float64)
        first, second = inside[part, None], networks - inside[part, None]
        with np.errstate(invalid="ignore", divide="ignore"):
            found = hits / first - (all_right - hits) / second
        known = (first[:, 0] > 0) & (second[:, 0] > 0)
        at = np.where(known[:, None], found, -np.inf).argmax(axis=1)
        rows = np.arange(len(at))
        on[part], largest[part] = at, np.where(known, found[rows, at], np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            own, other = hits[rows, at], all_right[at] - hits[rows, at]
            variance = smoothed_variance(own, first[:, 0]) + smoothed_variance(other, second[:, 0])
        errors[part] = np.where(known, np.sqrt(variance), np.nan)
        chance[part] = hypergeom.sf(own - 1, networks, all_right[at], inside[part])
    return Influence(largest, on, errors, count * tests, chance)
