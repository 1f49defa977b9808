"""Whether two halves of the networks give the examples the same scores, as closely as the scores' errors promise."""

from dataclasses import dataclass

import numpy as np

from study.answer.votes import Counts, Votes

_FEWEST = 4  # networks: two in each half, so that an example can be given in it and left out


@dataclass(frozen=True)
class Agreement:
    """How far the memorisation scores of two halves of the networks agree.

    Attributes:
        examples: How many have a score in both halves.
        correlation: Of the two scores, over examples (Pearson); None where a half has the same score for all.
        deviation: Root mean square of (one score − the other) / √(se² + se²): about 1 where errors are as large as they
            say, less where they are cautious, as those of few networks are.
    """

    examples: int
    correlation: float | None
    deviation: float

    def as_text(self) -> str:
        """`scores of two halves of the networks correlate 0.98 and differ by 0.98 standard errors (…)`."""
        correlate = "" if self.correlation is None else f"correlate {self.correlation:.2f} and "
        return (
            f"scores of two halves of the networks {correlate}differ by {self.deviation:.2f} standard errors "
            f"(root mean square; up to about 1 their errors are large enough)"
        )

    def as_json(self) -> dict[str, float | int | None]:
        """For scripts."""
        return {"examples": self.examples, "correlation": self.correlation, "deviation": self.deviation}


def agreement_of_halves(votes: Votes) -> Agreement | None:
    """Every second network against the others; None of fewer than four networks, or without an example scored twice."""
    if votes.networks < _FEWEST:
        return None
    first, second = (Counts.from_votes(votes.given_mask[start::2], votes.right[start::2]) for start in (0, 1))
    known = ~np.isnan(first.scores) & ~np.isnan(second.scores)
    if not known.any():
        return None
    one, other = first.scores[known], second.scores[known]
    error = np.hypot(first.errors[known], second.errors[known])
    varies = np.ptp(one) > 0 and np.ptp(other) > 0
    return Agreement(
        int(known.sum()),
        float(np.corrcoef(one, other)[0, 1]) if varies else None,
        float(np.sqrt(np.mean(((one - other) / error) ** 2))),
    )
