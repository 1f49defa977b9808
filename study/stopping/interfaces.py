"""What a scheduler is: it judges values that trials report while their dense networks train."""

from abc import ABC, abstractmethod

from trainables.registry import Entry, Registry

NO_SCHEDULER = "none"


class Judge(ABC):
    """What a scheduler knows of one study's trials."""

    @abstractmethod
    def report(self, number: int, epoch: int, value: float) -> str:
        """Takes in what a trial reported after an epoch.

        Args:
            number: Of the trial. Its epochs come in ascending order, each once.
            value: More is better.
        Returns:
            Why the trial is not worth training on, in words that may follow a comma; "" if it is.
        """


class Scheduler(Entry, ABC):
    """Base of every module of `study/stopping/schedulers`."""

    @abstractmethod
    def judge(self, *, grace: int, reduction: float, longest: int) -> Judge:
        """A judge who has heard nothing yet.

        Args:
            grace: Epochs that every trial gets.
            reduction: One in so many trials goes on at each rung, where there are rungs.
            longest: Epochs of the study's longest training.
        """


SCHEDULERS: Registry[Scheduler] = Registry(
    "study.stopping.schedulers",
    Scheduler,  # type: ignore[type-abstract]
    "scheduler",
)


def scheduler_names() -> tuple[str, ...]:
    """What `--scheduler` takes."""
    return (NO_SCHEDULER, *SCHEDULERS.names())
