"""What a study will take, before it runs: some of its own trials, really trained for seconds, or those that it has.

A trial that does not end within its seconds is extrapolated from above: all epochs that it may train, at the speed of
those it did; each level that is left like those it reached, although deeper ones are smaller.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from study.config import StudyConfig
from study.costs.cost import Cost, cost
from study.proposing import Proposer
from trainables.config import TrialConfig
from trainables.record import Record

SECONDS = 60.0  # of all trials; most trials are over long before, and one of long epochs may take longer
_FIRST_PART = 0.75
TRIALS = 3
_FIRST_BLOCK = 24


@dataclass(frozen=True)
class TimedTrial:
    """Seconds of one trial; `whole` if it ended, else an upper estimate.

    Attributes:
        levels: Whether a level was measured; else each of their epochs counts as one of dense training, and the fresh
            networks beside them do not count.
    """

    seconds: float
    whole: bool
    levels: bool = True


@dataclass(frozen=True)
class TimeEstimate:
    """What the trials that are left will take.

    Attributes:
        trials: That are left.
        timed_trials: Those that were measured; empty where the ledger's own were taken.
        seconds: Of a trial, on average.
        slots: Trials at once.
        wall_s: On the clock, all trials.
    """

    trials: int
    timed_trials: tuple[TimedTrial, ...]
    seconds: float
    slots: int
    wall_s: float
    cost: Cost


@dataclass
class _TimedRun:
    started: float
    epochs: int = 0
    dense_s: float = 0.0
    dense_done: bool = False
    levels: list[float] = field(default_factory=list)
    ended: bool = False


def estimate(config: StudyConfig, durations: Sequence[float], timed: Sequence[TimedTrial], slots: int) -> TimeEstimate:
    """From the seconds of trials that have ended, or else of those that were timed."""
    seconds = list(durations) or [each.seconds for each in timed]
    mean, left = sum(seconds) / len(seconds), max(0, config.trials - len(durations))
    wall = math.ceil(left / slots) * mean
    return TimeEstimate(left, tuple(timed), mean, slots, wall, cost(left * mean, wall, config.run))


def representative(config: StudyConfig, count: int = TRIALS) -> list[tuple[int, TrialConfig]]:
    """Number and configuration of some trials of the first block, spread over it."""
    proposer, last = Proposer(config), min(config.trials, _FIRST_BLOCK) - 1
    numbers = sorted({round(last * part / max(1, count - 1)) for part in range(count)})
    return [(number, config.space.config(proposer.propose(number).params, config.seed)) for number in numbers]


def calibrate(
    trials: Sequence[tuple[int, str]], data_dir: str, threads: float, gpu: float, seconds: float = SECONDS
) -> dict[int, TimedTrial]:
    """Really runs trials, each for its part of `seconds`; leaves nothing behind.

    Args:
        trials: Number and configuration (JSON).
        gpu: Share of a GPU that a trial has; it is started before the clock, as is all that a process does once.
    Returns:
        By number; without those that were left when one took the time of all.
    """
    import torch

    if gpu:
        from trainables.probing import probe

        probe(torch.device("cuda"))
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, int(threads)))
    configs = [(number, TrialConfig.model_validate_json(text)) for number, text in trials]
    timed: dict[int, TimedTrial] = {}
    try:
        # What a process does once, libraries and data, is no part of an epoch: in the first it would count for each.
        number, trial = configs[0]
        next(_begin(trial, number, Path(data_dir), gpu), None)
        end = time.monotonic() + seconds
        for number, trial in configs:
            timed[number] = _time_trial(trial, number, Path(data_dir), gpu, seconds / len(trials))
            if time.monotonic() > end:
                break
    finally:
        torch.set_num_threads(before)
    return timed


def _begin(trial: TrialConfig, number: int, data_dir: Path, gpu: float) -> Iterator[Record | None]:
    from trainables.trial import TrialContext, run_trial

    return run_trial(trial, TrialContext(number, data_dir, "cuda" if gpu else "cpu", gpu_share=min(1.0, gpu or 1.0)))


def _time_trial(trial: TrialConfig, number: int, data_dir: Path, gpu: float, seconds: float) -> TimedTrial:
    first = _run(trial, number, data_dir, gpu, _FIRST_PART * seconds)
    if first.ended:
        return TimedTrial(time.monotonic() - first.started, whole=True)
    levels, per_epoch = first.levels, first.dense_s / first.epochs
    epochs = first.epochs if first.dense_done else _most_epochs(trial, data_dir)
    dense_s = per_epoch * epochs
    if not levels:  # compression is measured on a network that was trained for less long
        fresh = trial.compression.scratch_budget != "recovery"  # and train as long as dense ones at each level
        short = trial.training.model_copy(
            update={"steps": None, "epochs": max(1, first.epochs // (16 if fresh else 4))}
        )
        levels = _run(trial.model_copy(update={"training": short}), number, data_dir, gpu, seconds / 4).levels
        if fresh:
            levels = [level + per_epoch * max(0, epochs - short.epochs) for level in levels]
    if levels:
        return TimedTrial(dense_s + sum(levels) / len(levels) * trial.compression.depth, whole=False)
    from trainables.compression.scratch import epochs_of_all_levels

    return TimedTrial(dense_s + per_epoch * epochs_of_all_levels(trial.compression), whole=False, levels=False)


def _most_epochs(trial: TrialConfig, data_dir: Path) -> int:
    training = trial.training
    if training.steps is None:
        return training.epochs
    from trainables.data.loading import prepare

    examples, _, _ = prepare(trial.data, data_dir)
    return math.ceil(training.steps / math.ceil(examples / training.batch_size))


def _run(trial: TrialConfig, number: int, data_dir: Path, gpu: float, seconds: float) -> _TimedRun:
    """Runs a trial until its seconds are spent, but at least to its first report."""
    progress = _TimedRun(time.monotonic())
    since = progress.started
    for record in _begin(trial, number, data_dir, gpu):
        now = time.monotonic()
        if record is not None and record.stage == "dense":
            progress.epochs, progress.dense_s = record.step, now - progress.started
        elif record is not None and record.stage == "level":
            if record.step:
                progress.levels.append(now - since)
            progress.dense_done, since = True, now
        if progress.epochs and now - progress.started > seconds:
            return progress
    progress.ended = True
    return progress
