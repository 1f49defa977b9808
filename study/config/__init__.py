"""What a study is: its identity, its budget, its goals, and how one run of it is carried out.

The names below are imported when first used: where things are (`addresses`, `environment`) is known without a search
space.
"""

from typing import TYPE_CHECKING

from study.lazy import on_first_use

if TYPE_CHECKING:
    from study.config.run_config import OF_ONE_RUN, RunConfig
    from study.config.study_config import Role, StudyConfig

__all__ = ["OF_ONE_RUN", "Role", "RunConfig", "StudyConfig"]

__getattr__ = on_first_use(
    __name__,
    {"study.config.run_config": ("OF_ONE_RUN", "RunConfig"), "study.config.study_config": ("Role", "StudyConfig")},
)
