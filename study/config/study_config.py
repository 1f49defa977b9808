"""The configuration of a study: what makes it *this* study (its identity), and how one run of it is carried out."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from search_spaces import catalog
from search_spaces.space import CONDITIONS, MOST_TRIALS, SearchSpace
from study.config.environment import said_in, usual_home
from study.config.goals import Constraint, Objective, Stopping
from study.config.prices import Prices
from study.config.scores import task_in
from study.config.task import check_metric, default_objectives, default_stopping_metric, task_of_study
from study.config.warm_start import WarmStart
from study.errors import UsageError
from study.passwords import HIDDEN, lacks_password, masked, remember
from study.trust import check_address
from trainables.config import TrainingConfig
from trainables.explain import in_field
from trainables.parts import Part
from trainables.task import Task

Sampler = Literal["design", "grid", "qmc", "random", "tpe", "gp", "cmaes", "nsga2", "nsga3"]
Scheduler = Literal["none", "asha", "median"]
Role = Literal["design", "explore"]
ADAPTIVE: tuple[Sampler, ...] = ("tpe", "gp", "cmaes", "nsga2", "nsga3")
CONSTRAINED: tuple[Sampler, ...] = ("tpe", "gp", "nsga2", "nsga3")
OF_ONE_RUN = ("time_budget", "offline")  # a run's settings that the next one does not inherit
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class RunConfig(Part):
    """How a run is carried out; may differ from launch to launch without making another study.

    What the environment says (`$OCKHAM_HOME`, `_LEDGER`, `_TRACKING_URI`, `_STORAGE`, `_ADDRESS`) holds unless told
    otherwise, as for commands.
    """

    refusal: ClassVar[type[ValueError]] = UsageError

    home: Path = Field(default_factory=usual_home, description="directory of all studies")
    data_dir: Path | None = Field(None, description="where data sets lie or are downloaded to; none: <home>/data")
    ledger: str | None = Field(
        default_factory=said_in("OCKHAM_LEDGER"), description="database URL; none: SQLite in the study's directory"
    )
    tracking_uri: str | None = Field(
        default_factory=said_in("OCKHAM_TRACKING_URI"), description="MLflow; none: SQLite in the home"
    )
    offline: bool = Field(
        False, description="start though the MLflow store does not answer: what it is to be told waits in the ledger"
    )
    storage: str | None = Field(
        default_factory=said_in("OCKHAM_STORAGE"),
        description="path or URI for checkpoints and copies of ledger and results; none: the study's directory",
    )
    address: str | None = Field(
        default_factory=said_in("OCKHAM_ADDRESS"),
        description="Ray cluster to connect to; none: start one on this machine",
    )
    max_concurrent: int | None = Field(None, ge=1, description="trials at once; none: as many as the CPUs or GPUs hold")
    cpus_per_trial: float = Field(1.0, gt=0)
    gpus_per_trial: float = Field(0.0, ge=0)
    time_budget: float | None = Field(None, gt=0, description="seconds after which the run stops, resumable")
    prices: Prices | None = Field(None, description="what hours cost; none: hours are told, money is not")
    keep_checkpoints: bool = Field(False, description="keep the checkpoints of trials that ended")
    progress: bool = Field(True, description="show progress")

    @field_validator("home", "data_dir")
    @classmethod
    def _from_anywhere(cls, path: Path | None) -> Path | None:
        """A study is gone on with, and reported on, from other folders than the one that it was launched in."""
        return None if path is None else path.expanduser().absolute()

    @field_validator("ledger", "tracking_uri", "storage", "address")
    @classmethod
    def _whole(cls, url: str | None, info: ValidationInfo) -> str | None:
        remember(url)
        if url is not None:
            check_address(url)
        if url is not None and lacks_password(url) and not (info.context or {}).get("stored"):
            raise ValueError(f"{url} has {HIDDEN} where its password was left out of a file; give the whole URL again")
        return url

    @field_validator("storage")
    @classmethod
    def _absolute(cls, storage: str | None) -> str | None:
        """Workers stand in other folders than the driver."""
        return storage if storage is None or "://" in storage else str(Path(storage).expanduser().absolute())

    def place(self, name: Literal["ledger", "tracking_uri", "storage", "address"]) -> str | None:
        """One of the places to connect to, as it can be used.

        Raises:
            ValueError: It comes from a ledger or a file, which keep no passwords.
        """
        place: str | None = getattr(self, name)
        if place is not None and lacks_password(place):
            option = name.replace("_", "-")
            raise ValueError(f"--{option}: {place} is kept without its password; give it again: --{option} URL")
        return place

    @property
    def data_path(self) -> Path:
        """Where data sets lie."""
        return self.data_dir or self.home / "data"


class StudyConfig(Part):
    """A study: its identity, its budget and how this run carries it out.

    Identity (frozen once the study exists): space, sampler, scheduler, objectives, constraints, warm start, seed and
    explicit configurations. Budget and run (free to change): trials, run.

    `space` may be the name of a named study, which then gives name and number of trials as well unless they are said.
    """

    refusal: ClassVar[type[ValueError]] = UsageError

    name: Annotated[str, Field(description="of the study, its directory and its MLflow experiment")] = "redundancy"
    space: SearchSpace
    trials: int = Field(24, ge=1, le=MOST_TRIALS, description="trials in total")
    added: int = Field(0, ge=0, description="how many of these were put into the queue by hand, beside the sampler")
    sampler: Sampler = "design"
    scheduler: Scheduler = "none"
    stopping: Stopping = Stopping()
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = default_objectives(task_in(()))
    constraints: tuple[Constraint, ...] = ()
    warm_start: WarmStart | None = None
    seed: int = Field(0, ge=0, lt=2**53)
    configurations: tuple[dict[str, Any], ...] = Field(
        (), description="explicit trials (dotted name → value), run before any proposed one"
    )
    run: RunConfig = Field(default_factory=RunConfig)

    @model_validator(mode="before")
    @classmethod
    def _goals_of_the_task(cls, values: Any) -> Any:
        """Objectives and scheduler go by the score of the study's task unless they are told by what."""
        if not isinstance(values, Mapping) or "space" not in values:
            return values
        if isinstance(name := values["space"], str):
            values = {"name": name, "trials": (named := _named(name)).trials, **values, "space": named}
        try:
            space = SearchSpace.model_validate(values["space"])
        except ValidationError:
            return values  # it is told of the field
        task = task_of_study(space)
        found: dict[str, Any] = {"objectives": default_objectives(task), **values, "space": space}
        stopping = found.get("stopping", {})
        if isinstance(stopping, Mapping):
            found["stopping"] = {"metric": default_stopping_metric(task), **stopping}
        return found

    @field_validator("name")
    @classmethod
    def _file_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("use letters, digits, '.', '_' and '-', at most 64, starting with a letter or digit")
        return name

    @model_validator(mode="after")
    def _configurations_are_trials(self) -> Self:
        for number, params in enumerate(self.configurations, start=1):
            try:
                self.space.config(params, self.seed)
            except ValueError as error:
                raise ValueError(f"configuration {number}: {error}") from None
        return self

    @model_validator(mode="after")
    def _what_explores_never_chooses_conditions(self) -> Self:
        spanned = [name for name in CONDITIONS if name in self.space.span]
        if self.role == "explore" and spanned:
            who, does = (
                (f"sampler={self.sampler}", "choose")
                if self.sampler in ADAPTIVE
                else (f"scheduler={self.scheduler}", "compare trials across")
            )
            raise ValueError(
                f"{who} would {does} {', '.join(spanned)}, but conditions are assigned by design; "
                f"fix them, e.g. --set {spanned[0]}=1"
            )
        return self

    @model_validator(mode="after")
    def _goals_are_of_use(self) -> Self:
        metrics = [objective.metric for objective in self.objectives]
        if len(set(metrics)) < len(metrics):
            raise in_field("objectives", f"{max(metrics, key=metrics.count)} is there twice; name each objective once")
        names = [constraint.name for constraint in self.constraints]
        if len(set(names)) < len(names):
            raise in_field("constraints", f"{max(names, key=names.count)} is given twice; write each bound once")
        if self.constraints and self.sampler not in CONSTRAINED:
            raise in_field("constraints", f"sampler={self.sampler} knows none; take one of {', '.join(CONSTRAINED)}")
        if self.warm_start is not None and self.sampler not in ADAPTIVE:
            raise in_field(
                "warm_start", f"sampler={self.sampler} learns from no trials; take one of {', '.join(ADAPTIVE)}"
            )
        usual = Stopping.model_validate({"metric": default_stopping_metric(self.task)})
        if self.scheduler == "none" and self.stopping not in (usual, Stopping()):
            raise in_field("stopping", "there is no scheduler that it could be for; add --scheduler asha or median")
        if self.scheduler != "none":
            try:
                self.stopping.epochs_of_grace(self.longest_training)
            except ValueError as error:
                raise in_field("stopping.grace", str(error)) from None
        return self

    @model_validator(mode="after")
    def _goals_are_of_the_task(self) -> Self:
        task = task_of_study(self.space, self.configurations)
        goals = {
            "objectives": [objective.metric for objective in self.objectives],
            "constraints": [constraint.metric for constraint in self.constraints],
            "stopping.metric": [] if self.scheduler == "none" else [self.stopping.metric.metric],
        }
        for field, metrics in goals.items():
            for metric in metrics:
                try:
                    check_metric(metric, task)
                except ValueError as error:
                    raise in_field(field, str(error)) from None
        return self

    @property
    def task(self) -> Task:
        """What the networks of all trials are asked for."""
        return task_of_study(self.space)

    @property
    def role(self) -> Role:
        """`design` where trials are laid out in advance and carry the answer.

        `explore` where a sampler adapts, or a scheduler leaves only the trials that looked well: a selected sample.
        """
        return "explore" if self.sampler in ADAPTIVE or self.scheduler != "none" else "design"

    @property
    def longest_training(self) -> int:
        """Most epochs that a trial of the study may train."""
        name = "training.epochs"
        if name in self.space.span:
            return max(int(str(epochs)) for epochs in self.space.span[name].corners())
        return int(self.space.base.get(name, TrainingConfig.model_fields["epochs"].default))

    @property
    def directory(self) -> Path:
        """`<home>/<name>`: everything of this study."""
        return self.run.home / self.name

    @property
    def ledger_url(self) -> str:
        """The database that holds the ledger."""
        return self.run.ledger or f"sqlite:///{self.directory / 'study.db'}"

    @property
    def tracking_uri(self) -> str:
        """The MLflow store."""
        return self.run.tracking_uri or f"sqlite:///{self.run.home / 'mlflow.db'}"

    @classmethod
    def stored(cls, text: str) -> Self:
        """What `shown` put down, as JSON; where a place had a password it can't be used (`RunConfig.place`)."""
        return cls.model_validate_json(text, context={"stored": True})

    def shown(self) -> dict[str, Any]:
        """All of it in JSON types, for files and trackers: without passwords."""
        found = self.model_dump(mode="json")
        for name in ("ledger", "tracking_uri", "storage", "address"):
            found["run"][name] = found["run"][name] and masked(found["run"][name])
        return found

    def identity(self) -> dict[str, Any]:
        """What makes this study this study; JSON types. Launching the same identity again resumes it."""
        always = {"name", "sampler", "scheduler", "objectives", "seed", "configurations"}
        # later fields count where they say something, so that studies that were there before them stay themselves
        extra = {
            name for name in ("stopping", "constraints") if getattr(self, name) != type(self).model_fields[name].default
        }
        found = self.model_dump(mode="json", include=always | extra)
        if self.warm_start is not None:
            found["warm_start"] = self.warm_start.identity()
        return found | {"space": self.space.model_dump(mode="json", include={"base", "span"})}

    def fingerprint(self) -> str:
        """16 hex digits of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:16]


def _named(name: str) -> SearchSpace:
    try:
        return catalog.get(name)
    except ValueError as error:
        raise in_field("space", str(error)) from None
