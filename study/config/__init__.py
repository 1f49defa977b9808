"""What a study is: its identity, its budget, its goals, and how one run of it is carried out."""

from study.config.study_config import ADAPTIVE, CONSTRAINED, Role, RunConfig, Sampler, Scheduler, StudyConfig

__all__ = ["ADAPTIVE", "CONSTRAINED", "Role", "RunConfig", "Sampler", "Scheduler", "StudyConfig"]
