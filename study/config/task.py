"""What the networks of a study are asked for, and the goals that go by it."""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces.space import SearchSpace
from study.config.goals import Objective
from study.config.scores import all_tasks
from trainables.data.task import Task, task_of

_MOST_CORNERS = 1000


def task_of_study(space: SearchSpace, configurations: Iterable[Mapping[str, Any]] = ()) -> Task:
    """The task that all trials of a study have.

    Raises:
        ValueError: They have several, whose scores do not compare.
    """
    data = {name: spanned.corners() for name, spanned in space.span.items() if _chooses_data(name)}
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    corners = itertools.islice(itertools.product(*data.values()), _MOST_CORNERS)
    points = [space.active({**first, **dict(zip(data, values, strict=True))}) for values in corners]
    tasks = [task_of(space.config(point).data) for point in [*points, *configurations]]
    found = {task.score: task for task in tasks}
    if len(found) > 1:
        names = " and ".join(task.label for task in found.values())
        raise ValueError(
            f"trials of this study would have {names}, which do not compare; fix data.name and its fields, and make a "
            "study of each"
        )
    return tasks[0]


def _chooses_data(name: str) -> bool:
    """Whether the field says which data set it is, or how that is made."""
    return name == "data.name" or (name.startswith("data.") and name.count(".") > 1)


def default_objectives(task: Task) -> tuple[Objective, ...]:
    """How much earlier noisy networks break, and that clean ones are worth something."""
    return Objective(metric="contrast/auc"), Objective(metric=f"control/val/{task.score}")


def default_stopping_metric(task: Task) -> str:
    """What a scheduler goes by."""
    return f"val/{task.score}"


def check_metric(metric: str, task: Task) -> None:
    """Refuses the score of another task.

    Raises:
        ValueError: It is that; says what would do.
    """
    for other in all_tasks():
        if other.score != task.score and other.score in re.split(r"[/_]", metric):
            fits = re.sub(rf"(?<=[/_]){other.score}(?=/|$)", task.score, metric)
            raise ValueError(f"{metric!r} is never recorded here, networks are judged by {task.label}; use {fits}")
