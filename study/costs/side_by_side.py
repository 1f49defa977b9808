"""Trials timed beside as many others as will share a GPU or a machine with them: alone they would be faster."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from study.config import RunConfig
from study.config.shares import how_many_fit
from study.costs.estimate import TimedTrial, calibrate

T = TypeVar("T")


def sharing(run: RunConfig, slots: int, on_one: int) -> int:
    """Trials that slow each other down: those of one GPU, or else those of one machine.

    Args:
        slots: Trials at once in the study.
        on_one: That fit on a machine; 0: nobody knows.
    """
    if run.gpus_per_trial > 0:
        of_gpu = how_many_fit(1.0, run.gpus_per_trial)
        return max(1, min(of_gpu, on_one or of_gpu, slots))
    return max(1, min(on_one, slots))


def timed_together(
    trials: Sequence[tuple[int, str]], data_dir: str, run: RunConfig, neighbours: int
) -> list[TimedTrial]:
    """`calibrate` in so many tasks at once of the Ray that this process has joined, if possible on one machine."""
    import ray
    from ray.util.placement_group import placement_group, remove_placement_group
    from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

    needs = {"CPU": run.cpus_per_trial} | ({"GPU": run.gpus_per_trial} if run.gpus_per_trial else {})
    group = placement_group([needs] * neighbours, strategy="PACK")
    task = ray.remote(num_cpus=run.cpus_per_trial, num_gpus=run.gpus_per_trial)(calibrate).options(
        scheduling_strategy=PlacementGroupSchedulingStrategy(group)
    )
    rest = (data_dir, run.cpus_per_trial, run.gpus_per_trial)
    try:
        found: list[dict[int, TimedTrial]] = ray.get(
            [task.remote(_rotate(trials, index), *rest) for index in range(neighbours)]
        )
    finally:
        remove_placement_group(group)
    return means(found)


def means(found: Sequence[Mapping[int, TimedTrial]]) -> list[TimedTrial]:
    """The mean time of each trial, over the tasks that timed it."""
    numbers = sorted(set().union(*found))
    return [
        TimedTrial(
            sum(each.seconds for each in same) / len(same),
            whole=all(each.whole for each in same),
            levels=all(each.levels for each in same),
        )
        for same in ([timed[number] for timed in found if number in timed] for number in numbers)
    ]


def _rotate(items: Sequence[T], index: int) -> list[T]:
    """All items, those from `index` on first: no two tasks begin with the same trial if there are enough of them."""
    at = index % len(items)
    return [*items[at:], *items[:at]]
