"""How far a study has come, compared with its first plan; from that follows which guarantee its verdicts have."""

from dataclasses import dataclass

_ANY_TIME = (
    "Verdicts are by what holds at any time: however often one looks, stops or extends, all claims together are wrong "
    "with probability at most 2.5 %"
)


@dataclass(frozen=True)
class Standing:
    """How far a study has come compared with its plan, by its ledger alone.

    Attributes:
        planned: Trials at first, those added by hand not counted; None where nobody wrote that down.
        total: Trials now, likewise.
        ended: Of these, in whatever state.
        chosen: Trials beside them that somebody had run again and that count.
        explores: Whether the others were chosen by a sampler or scheduler, so that they do not count.
    """

    planned: int | None
    total: int
    ended: int
    chosen: int = 0
    explores: bool = False

    @property
    def as_planned(self) -> bool:
        """Whether it ended at its first planned number of trials: neither stopped early nor extended."""
        return self.planned == self.total == self.ended and not self.chosen and not self.explores

    @property
    def assurance(self) -> str:
        """The guarantee in a sentence."""
        if self.as_planned:
            return (
                f"All {self.total:,} planned trials have ended, no fewer and no more: verdicts are by what holds at "
                "any time and by Student’s t at the planned number; all claims together are wrong with probability at "
                "most 5 %."
            )
        if self.explores:
            return f"{self._exploration_note}. {_ANY_TIME}."
        there = f"{self.ended:,} of {self.total:,} trials have ended"
        if self.ended >= self.total:
            there = f"All {self.total:,} trials have ended"
        if self.planned is None:
            first = f"{there}, and how many were planned at first is not known"
        elif self.total > self.planned:
            first = f"Extended from {self.planned:,} planned trials to {self.total:,}"
            first += "" if self.ended >= self.total else f", of which {self.ended:,} have ended"
        elif self.total < self.planned:
            first = f"Ended at {self.total:,} of {self.planned:,} planned trials"
            if self.ended < self.total:
                first = (
                    f"Cut from {self.planned:,} planned trials to {self.total:,}, of which {self.ended:,} have ended"
                )
        elif self.ended < self.total:
            first = f"{self.ended:,} of {self.total:,} planned trials have ended"
        else:
            first = f"All {self.total:,} planned trials have ended"
        if self.chosen:
            again = f"{self.chosen:,} that {'was' if self.chosen == 1 else 'were'} run again by choice"
            first += f"; with them {'counts' if self.chosen == 1 else 'count'} {again}, each with fresh seeds"
        asked = self.planned == self.total and self.ended < self.total and not self.chosen
        last = "; at the last planned trial Student’s t is asked as well" if asked else ""
        return f"{first}. {_ANY_TIME}{last}."

    @property
    def _exploration_note(self) -> str:
        if not self.chosen:
            return "A sampler or scheduler chose these trials, and none was run again: they decide nothing"
        again = "trial was" if self.chosen == 1 else "trials were"
        alone = "it alone counts" if self.chosen == 1 else "they alone count"
        return f"{self.chosen:,} chosen {again} run again by ockham confirm, with fresh seeds, and {alone}"
