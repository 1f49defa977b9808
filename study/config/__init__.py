"""What a study is: its identity, its budget, its goals, and how one run of it is carried out.

The names below are imported when first used: where things are (`addresses`, `environment`) is known without a search
space.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from study.config.run_config import OF_ONE_RUN, RunConfig
    from study.config.study_config import ADAPTIVE, CONSTRAINED, Role, Sampler, Scheduler, StudyConfig

__all__ = ["ADAPTIVE", "CONSTRAINED", "OF_ONE_RUN", "Role", "RunConfig", "Sampler", "Scheduler", "StudyConfig"]

_OF_A_RUN = ("OF_ONE_RUN", "RunConfig")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "run_config" if name in _OF_A_RUN else "study_config"
    return getattr(importlib.import_module(f"study.config.{module}"), name)
