"""The service: config, ledger, proposing, scheduling, recording, resuming, reporting, CLI.

    import study
    handle = study.launch("redundancy", set={"model.width": [64, 128]}, trials=8)

The names below are imported when first used, so that `import study` costs nothing.
"""

from typing import TYPE_CHECKING

from study.lazy import on_first_use

if TYPE_CHECKING:
    from study.api import StudyHandle, launch, load, resume
    from study.config import RunConfig, StudyConfig
    from study.config.goals import Constraint, Objective, Stopping
    from study.errors import LeaseHeld, UsageError
    from study.events import Listener, Outcome
    from trainables.export.packed import load_packed

__all__ = [
    "Constraint",
    "LeaseHeld",
    "Listener",
    "Objective",
    "Outcome",
    "RunConfig",
    "Stopping",
    "StudyConfig",
    "StudyHandle",
    "UsageError",
    "launch",
    "load",
    "load_packed",
    "resume",
]

__getattr__ = on_first_use(
    __name__,
    {
        "study.api": ("StudyHandle", "launch", "load", "resume"),
        "study.config": ("RunConfig", "StudyConfig"),
        "study.config.goals": ("Constraint", "Objective", "Stopping"),
        "trainables.export.packed": ("load_packed",),
        "study.errors": ("LeaseHeld", "UsageError"),
        "study.events": ("Listener", "Outcome"),
    },
)


def __dir__() -> list[str]:
    return __all__
