"""Which score records carry: accuracy where networks were asked for classes, R² where for numbers."""

import re
from collections.abc import Iterable
from functools import cache

from trainables.data.task import TASKS, Task

_DEFAULT = "classification"


@cache
def all_tasks() -> tuple[Task, ...]:
    """One of each, the usual one last."""
    names = sorted(TASKS.names(), key=lambda name: (name == _DEFAULT, name))
    return tuple(TASKS.get(name)() for name in names)


def task_in(names: Iterable[object]) -> Task:
    """The task whose score is in names of metrics or columns (`train/accuracy`, `val_r2`), else the usual one."""
    last = {re.split(r"[/_]", str(name))[-1] for name in names}
    tasks = all_tasks()
    return next((task for task in tasks if task.score in last), tasks[-1])


def capital(words: str) -> str:
    """`accuracy` → `Accuracy`, at the start of a sentence."""
    return words[:1].upper() + words[1:]
