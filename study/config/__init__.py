"""What a study is: its identity, its budget, its goals, and how one run of it is carried out."""

from study.config.run_config import OF_ONE_RUN, RunConfig
from study.config.study_config import ADAPTIVE, CONSTRAINED, Role, Sampler, Scheduler, StudyConfig

__all__ = ["ADAPTIVE", "CONSTRAINED", "OF_ONE_RUN", "Role", "RunConfig", "Sampler", "Scheduler", "StudyConfig"]
