"""The configuration of a study: what makes it *this* study (its identity), and how one run of it is carried out."""

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from search_spaces.space import CONDITIONS, SearchSpace
from trainables.config import Part

Sampler = Literal["design", "grid", "qmc", "random", "tpe", "nsga2"]
Role = Literal["design", "explore"]
ADAPTIVE: tuple[Sampler, ...] = ("tpe", "nsga2")
_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")


class Objective(Part):
    """A metric that an adaptive sampler optimises. Test metrics are refused: they are recorded, never used."""

    metric: str
    direction: Literal["maximize", "minimize"] = "maximize"

    @field_validator("metric")
    @classmethod
    def _no_test_data(cls, metric: str) -> str:
        uses_test = "test" in re.split(r"[/_]", metric) or (
            re.search(r"(^|/)gap/", metric) and not metric.endswith("gap/val_accuracy")
        )
        if uses_test:
            raise ValueError(
                f"{metric!r} is computed from test data, which no choice may touch; "
                "use a val/… metric, gap/val_accuracy or contrast/auc"
            )
        return metric


DEFAULT_OBJECTIVES = (Objective(metric="contrast/auc"), Objective(metric="control/val/accuracy"))


class RunConfig(Part):
    """How a run is carried out; may differ from launch to launch without making another study."""

    home: Path = Field(Path("studies"), description="directory of all studies")
    data_dir: Path | None = Field(None, description="where data sets lie or are downloaded to; none: <home>/data")
    ledger: str | None = Field(None, description="database URL; none: SQLite in the study's directory")
    tracking_uri: str | None = Field(None, description="MLflow; none: SQLite in the home")
    storage: str | None = Field(None, description="URI for checkpoints and artifacts; none: the study's directory")
    address: str | None = Field(None, description="Ray cluster to connect to; none: start one on this machine")
    max_concurrent: int | None = Field(None, ge=1, description="trials at once; none: as many as the CPUs or GPUs hold")
    cpus_per_trial: float = Field(1.0, gt=0)
    gpus_per_trial: float = Field(0.0, ge=0)
    time_budget: float | None = Field(None, gt=0, description="seconds after which the run stops, resumable")
    keep_checkpoints: bool = Field(False, description="keep the checkpoints of trials that ended")
    progress: bool = Field(True, description="show progress")

    @property
    def data_path(self) -> Path:
        """Where data sets lie."""
        return self.data_dir or self.home / "data"


class StudyConfig(Part):
    """A study: its identity, its budget and how this run carries it out.

    Identity (frozen once the study exists): space, sampler, objectives, seed, role conditions and explicit
    configurations. Budget and run (free to change): trials, run.
    """

    name: Annotated[str, Field(description="of the study, its directory and its MLflow experiment")] = "redundancy"
    space: SearchSpace
    trials: int = Field(24, ge=1, description="trials in total")
    sampler: Sampler = "design"
    scheduler: Literal["none"] = "none"
    objectives: tuple[Objective, ...] = DEFAULT_OBJECTIVES
    seed: int = Field(0, ge=0, lt=2**53)
    configurations: tuple[dict[str, Any], ...] = Field(
        (), description="explicit trials (dotted name → value), run before any proposed one"
    )
    run: RunConfig = RunConfig()

    @field_validator("name")
    @classmethod
    def _file_name(cls, name: str) -> str:
        if not _NAME.match(name):
            raise ValueError("use letters, digits, '.', '_' and '-', at most 64, starting with a letter or digit")
        return name

    @model_validator(mode="after")
    def _adaptive_samplers_never_choose_conditions(self) -> Self:
        spanned = [name for name in CONDITIONS if name in self.space.span]
        if self.role == "explore" and spanned:
            raise ValueError(
                f"sampler={self.sampler} would choose {', '.join(spanned)}, but conditions are assigned by design; "
                f"fix them, e.g. --set {spanned[0]}=1"
            )
        return self

    @model_validator(mode="after")
    def _configurations_are_trials(self) -> Self:
        for params in self.configurations:
            self.space.config(params, self.seed)
        return self

    @property
    def role(self) -> Role:
        """`design` where trials are laid out in advance and carry the answer, `explore` where a sampler adapts."""
        return "explore" if self.sampler in ADAPTIVE else "design"

    @property
    def directory(self) -> Path:
        """`<home>/<name>`: everything of this study."""
        return self.run.home / self.name

    @property
    def ledger_url(self) -> str:
        """The database that holds the ledger."""
        return self.run.ledger or f"sqlite:///{self.directory.absolute() / 'study.db'}"

    @property
    def tracking_uri(self) -> str:
        """The MLflow store."""
        return self.run.tracking_uri or f"sqlite:///{self.run.home.absolute() / 'mlflow.db'}"

    def identity(self) -> dict[str, Any]:
        """What makes this study this study; JSON types. Launching the same identity again resumes it."""
        return self.model_dump(
            mode="json", include={"name", "sampler", "scheduler", "objectives", "seed", "configurations"}
        ) | {"space": self.space.model_dump(mode="json", include={"base", "span"})}

    def fingerprint(self) -> str:
        """16 hex digits of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:16]
