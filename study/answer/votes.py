"""What networks say of the examples of a study, and how many of those that were given an example are right on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Votes:
    """What M distinct dense networks of one arm and condition say of n examples.

    Args:
        given_mask: [M, n], whether the network was given the example.
        right: [M, n], whether it says the label given.
        truly: [M, n], whether it says the true one.
        test_right: [M, m], whether it is right on each test example; None where that was not recorded.
        label, true_label: [n]; the label given is the same for all networks.
        means: Name → [n], means over networks that were given the example, nan where there is none: `lost_at`, the
            share of the levels after which compressed networks that had it right lose it for good, 1 where they never
            do; where training was followed `learned`, the first epoch in which it was right, of networks that had it
            right once, and `forgotten`, how often it was wrong after it was right.
    """

    given_mask: Bools
    right: Bools
    truly: Bools
    label: npt.NDArray[np.int64]
    true_label: npt.NDArray[np.int64]
    means: Mapping[str, Floats] = field(default_factory=dict)
    test_right: Bools | None = None

    @property
    def networks(self) -> int:
        """M."""
        return len(self.given_mask)

    @property
    def has_changed_label(self) -> Bools:
        """[n], where the label given is not the true one."""
        return np.asarray(self.label != self.true_label)


@dataclass(frozen=True)
class Counts:
    """For each example [n]: how many networks were given it, how many were not, and how many of either are right."""

    given_count: Floats
    right_given: Floats
    left_out: Floats
    right_left_out: Floats

    @classmethod
    def from_votes(cls, given: Bools, right: Bools) -> "Counts":
        """Counts made from the votes of M networks on n examples."""
        inside, out = (given & right).sum(axis=0), (~given & right).sum(axis=0)
        count = given.sum(axis=0)
        return cls(*(np.asarray(part, dtype=np.float64) for part in (count, inside, len(given) - count, out)))

    def without(self, some: "Counts") -> "Counts":
        """The counts of all other networks."""
        return Counts(*(getattr(self, name) - getattr(some, name) for name in self.__dataclass_fields__))

    @property
    def scores(self) -> Floats:
        """[n], the memorisation scores; nan where no network was given the example, or none was left it out."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.right_given / self.given_count - self.right_left_out / self.left_out)

    @property
    def errors(self) -> Floats:
        """[n], standard errors √(p₁(1 − p₁)/n₁ + p₀(1 − p₀)/n₀) with p = (right + ½)/(n + 1).

        Without the halves most examples would have an error of 0, since all networks agree on them.
        """
        first, second = (
            smoothed_variance(right, count)
            for right, count in ((self.right_given, self.given_count), (self.right_left_out, self.left_out))
        )
        return np.asarray(np.where(np.isnan(self.scores), np.nan, np.sqrt(first + second)))


def smoothed_variance(right: Floats, count: Floats) -> Floats:
    """p(1 − p)/n of a share, with p = (right + ½)/(n + 1), which is 0 nowhere."""
    share = (right + 0.5) / (count + 1)
    with np.errstate(divide="ignore"):
        return np.asarray(share * (1 - share) / count)
