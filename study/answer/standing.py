"""How far a study has come, compared with its first plan; from that follows which guarantee its verdicts have."""

from dataclasses import dataclass

_ANY_TIME = (
    "Verdicts are by what holds at any time: however often one looks, stops or extends, all claims together are wrong "
    "with probability at most 2.5 %"
)


@dataclass(frozen=True)
class Standing:
    """Of a study, by its ledger alone.

    Attributes:
        planned: Trials at first, those added by hand not counted.
        total: Trials now, likewise.
        ended: Of these, in whatever state.
    """

    planned: int
    total: int
    ended: int

    @property
    def as_planned(self) -> bool:
        """Whether it ended at its first planned number of trials: neither stopped early nor extended."""
        return self.planned == self.total == self.ended

    @property
    def assurance(self) -> str:
        """The guarantee in a sentence."""
        if self.as_planned:
            return (
                f"All {self.planned:,} planned trials have ended, no fewer and no more: verdicts are by what holds at "
                "any time and by Student’s t at the planned number; all claims together are wrong with probability at "
                "most 5 %."
            )
        if self.total > self.planned:
            return f"Extended from {self.planned:,} planned trials to {self.total:,}. {_ANY_TIME}."
        if self.total < self.planned:
            return f"Ended at {self.total:,} of {self.planned:,} planned trials. {_ANY_TIME}."
        return (
            f"{self.ended:,} of {self.total:,} planned trials have ended. {_ANY_TIME}; at the last planned trial "
            "Student’s t is asked as well."
        )
