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
        planned_count: Trials at first, those added by hand not counted; None where nobody wrote that down.
        total: Trials now, likewise.
        ended_count: Of these, in whatever state.
        chosen_count: Trials beside them that somebody had run again and that count.
        explores: Whether the others were chosen by a sampler or scheduler, so that they do not count.
    """

    planned_count: int | None
    total: int
    ended_count: int
    chosen_count: int = 0
    explores: bool = False

    @property
    def as_planned(self) -> bool:
        """Whether it ended at its first planned number of trials: neither stopped early nor extended."""
        return self.planned_count == self.total == self.ended_count and not self.chosen_count and not self.explores

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
        there = f"{self.ended_count:,} of {self.total:,} trials have ended"
        if self.ended_count >= self.total:
            there = f"All {self.total:,} trials have ended"
        if self.planned_count is None:
            first = f"{there}, and how many were planned at first is not known"
        elif self.total > self.planned_count:
            first = f"Extended from {self.planned_count:,} planned trials to {self.total:,}"
            first += "" if self.ended_count >= self.total else f", of which {self.ended_count:,} have ended"
        elif self.total < self.planned_count:
            first = f"Ended at {self.total:,} of {self.planned_count:,} planned trials"
            if self.ended_count < self.total:
                first = f"Cut from {self.planned_count:,} planned trials to {self.total:,}"
                first += f", of which {self.ended_count:,} have ended"
        elif self.ended_count < self.total:
            first = f"{self.ended_count:,} of {self.total:,} planned trials have ended"
        else:
            first = f"All {self.total:,} planned trials have ended"
        if self.chosen_count:
            again = f"{self.chosen_count:,} that {'was' if self.chosen_count == 1 else 'were'} run again by choice"
            first += f"; with them {'counts' if self.chosen_count == 1 else 'count'} {again}, each with fresh seeds"
        asked = self.planned_count == self.total and self.ended_count < self.total and not self.chosen_count
        last = "; at the last planned trial Student’s t is asked as well" if asked else ""
        return f"{first}. {_ANY_TIME}{last}."

    @property
    def _exploration_note(self) -> str:
        if not self.chosen_count:
            return "A sampler or scheduler chose these trials, and none was run again: they decide nothing"
        again = "trial was" if self.chosen_count == 1 else "trials were"
        alone = "it alone counts" if self.chosen_count == 1 else "they alone count"
        return f"{self.chosen_count:,} chosen {again} run again by ockham confirm, with fresh seeds, and {alone}"
