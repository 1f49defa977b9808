"""The service: config, ledger, proposing, scheduling, recording, resuming, reporting, CLI.

    import study
    handle = study.launch("redundancy", set={"model.width": [64, 128]}, trials=8)

The names below are imported when first used, so that `import study` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.api import StudyHandle, launch, load, resume
    from study.config import RunConfig, StudyConfig
    from study.config.goals import Constraint, Objective, Stopping
    from study.errors import LeaseHeld, UsageError
    from study.events import Listener, Outcome

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
    "resume",
]

_HOMES = {
    "study.api": ("StudyHandle", "launch", "load", "resume"),
    "study.config": ("RunConfig", "StudyConfig"),
    "study.errors": ("LeaseHeld", "UsageError"),
    "study.events": ("Listener", "Outcome"),
    "study.config.goals": ("Constraint", "Objective", "Stopping"),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return __all__
