"""What a display knows about a study that runs: counts, running trials, the last results, the time that is left."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Any

from study.config import StudyConfig
from study.display.words import metric
from trainables.record import Record

if TYPE_CHECKING:
    from study.ledger import TrialRow

LAST = 8
_ENDED = ("COMPLETE", "PRUNED", "FAILED")


@dataclass
class Running:
    """A trial on its way.

    `began_at` is on the board's clock; `epochs` and `depth` are what it goes through at most; `score` is the name of
    its networks' score.
    """

    number: int
    params: Mapping[str, Any]
    epochs: int | None
    depth: int
    began_at: float
    stage: str = ""
    step: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    score: str = "accuracy"

    @property
    def last_step(self) -> int | None:
        """The largest value `step` can reach in this stage."""
        return {"dense": self.epochs, "level": self.depth}.get(self.stage)

    def doing(self) -> str:
        """`epoch 35/400  train 0.412` or `level 4/12  ×2.5  train 0.812`."""
        if self.stage == "dense":
            of = "" if self.epochs is None else f"/{self.epochs}"
            return f"epoch {self.step}{of}  train {metric(self.metrics, f'train/{self.score}')}"
        if self.stage == "level":
            train = metric(self.metrics, f"level/train_{self.score}")
            return f"level {self.step}/{self.depth}  ×{self.metrics.get('level/ratio', 1.0):.1f}  train {train}"
        return "measuring" if self.stage == "summary" else "starting"


class Board:
    """Fed by a `Listener` while a study runs, or once from the ledger.

    Args:
        counts: State → trials, of what was there before.
        clock: Seconds from any origin.
    """

    def __init__(self, config: StudyConfig, counts: Mapping[str, int], clock: Callable[[], float] = monotonic) -> None:
        self.config, self._clock = config, clock
        self.counts = {state: counts.get(state, 0) for state in _ENDED}
        self.running: dict[int, Running] = {}
        self.last: deque[TrialRow] = deque(maxlen=LAST)
        self.began_at = clock()
        self._slots = 1
        self._highest = -1
        self._durations: deque[float] = deque(maxlen=200)

    def start(self, number: int, params: Mapping[str, Any], began_at: float | None = None) -> None:
        """A trial starts (again); `params` are the spanned ones."""
        spanned = {name: params[name] for name in self.config.space.span if name in params}
        trial = self.config.space.config(params, self.config.seed)
        self.running[number] = Running(
            number,
            spanned or dict(params),
            trial.training.epochs if trial.training.steps is None else None,
            trial.compression.depth,
            self._clock() if began_at is None else began_at,
            score=self.config.task.score,
        )
        self._slots = max(self._slots, len(self.running))
        self._highest = max(self._highest, number)

    def report(self, number: int, record: Record) -> None:
        """A running trial says how far it is."""
        if trial := self.running.get(number):
            trial.stage, trial.step = record.stage, record.step
            trial.metrics = record.metrics

    def end(self, row: "TrialRow") -> None:
        """A trial is over, for good."""
        trial = self.running.pop(row.number, None)
        self.counts[row.state] += 1
        self.last.append(row)
        self.count_duration(
            row.duration_s if row.duration_s is not None or trial is None else self._clock() - trial.began_at
        )

    def count_duration(self, seconds: float | None) -> None:
        """Counts a finished trial's duration for the estimate."""
        if seconds is not None:
            self._durations.append(seconds)

    @property
    def total(self) -> int:
        """The budget; trials may be added while it runs."""
        return max(self.config.trials, self._highest + 1)

    @property
    def ended_count(self) -> int:
        """Trials that are over."""
        return sum(self.counts.values())

    @property
    def failed_count(self) -> int:
        """Trials that failed."""
        return self.counts["FAILED"]

    def elapsed_s(self) -> float:
        """Seconds since the board was set up."""
        return self._clock() - self.began_at

    def age(self, trial: Running) -> float:
        """Seconds since the trial started."""
        return self._clock() - trial.began_at

    @property
    def starting(self) -> bool:
        """Whether this run has not come to its first trial yet."""
        return self._highest < 0

    def remaining(self) -> float | None:
        """Estimated seconds to the end: the mean duration so far over as many slots as were seen in use."""
        left = self.total - self.ended_count
        if left <= 0:
            return 0.0
        if not self._durations:
            return None
        mean = sum(self._durations) / len(self._durations)
        started = [max(mean - self.age(trial), 0.05 * mean) for trial in self.running.values()]
        work = sum(started) + max(0, left - len(started)) * mean
        return max([work / min(self._slots, left), *started])

    def clear(self) -> None:
        """Nothing runs any more."""
        self.running.clear()
