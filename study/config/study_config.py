"""The configuration of a study: what makes it *this* study (its identity), its budget, its run."""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from search_spaces import catalog
from search_spaces.carrying import carry_claims, refusals
from search_spaces.space import CONDITIONS, MOST_TRIALS, SearchSpace
from study.config.addresses import command_line, sqlite_url, store_uri
from study.config.goals import Constraint, Objective, Stopping
from study.config.run_config import RunConfig
from study.config.scores import task_in
from study.config.task import check_metric, default_objectives, default_stopping_metric, task_of_study
from study.config.warm_start import WarmStart
from study.errors import UsageError
from study.passwords import mask_passwords
from study.sampling.interfaces import SAMPLERS, bounded_names, learning_names
from study.stopping.interfaces import NO_SCHEDULER, SCHEDULERS, scheduler_names
from trainables.config import TrainingConfig
from trainables.data.task import Task
from trainables.explain import in_field
from trainables.parts import ConfigSection
from trainables.problems import Refused, problems_in
from trainables.spelling import unknown

Role = Literal["design", "explore"]
Draws = Literal["number", "cell"]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class StudyConfig(ConfigSection):
    """A study: its identity, its budget and how this run carries it out.

    Identity (frozen once the study exists): space, sampler, scheduler, objectives, constraints, warm start, seed and
    explicit configurations. Budget and run (free to change): trials, run. What draws are keyed by is settled when the
    study comes into being.

    `space` may be the name of a named study, which then gives name and number of trials as well unless they are said.
    """

    refusal: ClassVar[type[Refused]] = UsageError

    name: Annotated[str, Field(description="of the study, its directory and its MLflow experiment")] = "redundancy"
    space: SearchSpace
    trials: int = Field(24, ge=1, le=MOST_TRIALS, description="trials in total")
    planned: int | None = Field(None, ge=1, description="how many there were to be when the study came into being")
    added: int = Field(0, ge=0, description="how many of these were put into the queue by hand, beside the sampler")
    sampler: str = "design"
    scheduler: str = NO_SCHEDULER
    stopping: Stopping = Stopping()
    objectives: Annotated[tuple[Objective, ...], Field(min_length=1)] = default_objectives(task_in(()))
    constraints: tuple[Constraint, ...] = ()
    warm_start: WarmStart | None = None
    seed: int = Field(0, ge=0, lt=2**53)
    draws: Draws = Field("cell", description="what draws are keyed by: the dense cell, or (once) the trial's number")
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
            values = {"name": name, "trials": (named := _named_space(name)).trials, **values, "space": named}
        try:
            space = SearchSpace.model_validate(values["space"])
        except ValidationError:
            return values  # it is told of the field
        stated = space is values["space"] and bool(space.claims)  # without claims no other study has to be imported
        if stated and any(space.claims == catalog.get(name).claims for name in catalog.names()):
            space, _ = carry_claims(space)  # a named study's, in Python: what it can't carry is left out, as by name
        task = task_of_study(space)
        found: dict[str, Any] = {"objectives": default_objectives(task), **values, "space": space}
        stopping = found.get("stopping", {})
        if isinstance(stopping, Mapping):
            found["stopping"] = {"metric": default_stopping_metric(task), **stopping}
        return found

    @field_validator("sampler")
    @classmethod
    def _known_sampler(cls, name: str) -> str:
        if name not in SAMPLERS.names():
            SAMPLERS.get(name)  # says which there are
        return name

    @field_validator("scheduler")
    @classmethod
    def _known_scheduler(cls, name: str) -> str:
        if name not in scheduler_names():
            raise Refused([unknown("scheduler", name, scheduler_names())])
        return name

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
                at = ("configurations", str(number))
                said = (problem.said_at(f"configuration {number}:").in_section(*at) for problem in problems_in(error))
                raise Refused(said) from None
        return self

    @model_validator(mode="after")
    def _trials_can_decide_the_claims(self, info: ValidationInfo) -> Self:
        if (info.context or {}).get("stored"):
            return self  # they were looked at when they were stated
        for claim in self.space.claims:
            if reasons := refusals(claim, self.space):
                raise in_field("space.claims", f"the claim {claim.name} can't be decided: {'; '.join(reasons)}")
        if self.run.until_decided and (self.role == "explore" or not self.space.claims):
            why = "it claims nothing" if self.role == "design" else "trials that are selected decide nothing"
            raise in_field("until_decided", f"{self.name} would never be: {why}; leave it out, or state claims first")
        return self

    @model_validator(mode="after")
    def _what_explores_never_chooses_conditions(self) -> Self:
        spanned = [name for name in CONDITIONS if name in self.space.span]
        if self.role == "explore" and spanned:
            who, does = (
                (f"sampler={self.sampler}", "choose")
                if self.learns
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
        if self.constraints and not SAMPLERS.get(self.sampler).keeps_bounds:
            raise in_field(
                "constraints", f"sampler={self.sampler} knows none; take one of {', '.join(bounded_names())}"
            )
        if self.warm_start is not None and not self.learns:
            raise in_field(
                "warm_start", f"sampler={self.sampler} learns from no trials; take one of {', '.join(learning_names())}"
            )
        usual = Stopping.model_validate({"metric": default_stopping_metric(self.task)})
        if self.scheduler == NO_SCHEDULER and self.stopping not in (usual, Stopping()):
            raise in_field(
                "stopping",
                f"there is no scheduler that it could be for; add --scheduler {' or '.join(SCHEDULERS.names())}",
            )
        if self.scheduler != NO_SCHEDULER:
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
            "stopping.metric": [] if self.scheduler == NO_SCHEDULER else [self.stopping.metric.metric],
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
    def learns(self) -> bool:
        """Whether the sampler proposes from what trials brought."""
        return SAMPLERS.get(self.sampler).learns

    @property
    def names_objectives(self) -> bool:
        """Whether anything goes by `objectives`: a sampler that learns, or a user who named some for a design."""
        return self.learns or self.objectives != default_objectives(self.task)

    @property
    def ranked_by(self) -> tuple[Objective, ...]:
        """What the best trial is best at; of a design that nobody named objectives for, the primary scalar."""
        return self.objectives if self.names_objectives else (Objective(metric="compressibility/auc"),)

    @property
    def role(self) -> Role:
        """`design` where trials are laid out in advance and carry the answer.

        `explore` where a sampler adapts, or a scheduler leaves only the trials that looked well: a selected sample.
        """
        return "explore" if self.learns or self.scheduler != NO_SCHEDULER else "design"

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
        return self.run.ledger or sqlite_url(self.directory / "study.db")

    @property
    def store_uri(self) -> str:
        """Where MLflow's store is: the one that was named, or the home's own."""
        return store_uri(self.run.home, self.run.tracking_uri)

    def command(self, verb: str, *options: str) -> str:
        """`ockham VERB NAME …`, to be pasted."""
        return command_line(verb, self.name, *options, home=self.run.home, ledger=self.run.ledger)

    @classmethod
    def from_stored(cls, text: str) -> Self:
        """The study whose `public_fields` were put down as JSON; where a place had a password it can't be used.

        What does not say by what draws are keyed is older than the question.
        """
        text = json.dumps({"draws": "number", **json.loads(text)})
        return cls.model_validate_json(text, context={"stored": True})

    def public_fields(self) -> dict[str, Any]:
        """The whole configuration in JSON types, for files and trackers: without passwords."""
        found = self.model_dump(mode="json")
        for name in ("ledger", "tracking_uri", "storage", "address"):
            found["run"][name] = found["run"][name] and mask_passwords(found["run"][name])
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
        if self.space.claims:
            found["claims"] = [claim.identity() for claim in self.space.claims]
        crossed = {"crossed"} if self.space.crossed else set()
        return found | {"space": self.space.model_dump(mode="json", include={"base", "span"} | crossed)}

    def drawn_as(self, stored: "StudyConfig") -> "StudyConfig":
        """This study with the draws, the plan and, where it had none, the claims of the one that there is.

        One from before there were cells crosses nothing; what it did not claim before its data it never did.
        """
        space = self.space if stored.draws == "cell" else self.space.model_copy(update={"crossed": ()})
        run = self.run
        if not stored.space.claims:
            space, run = space.model_copy(update={"claims": ()}), run.model_copy(update={"until_decided": False})
        return self.model_copy(update={"draws": stored.draws, "planned": stored.planned, "space": space, "run": run})

    def fingerprint(self) -> str:
        """16 hex digits of the identity."""
        return hashlib.sha256(json.dumps(self.identity(), sort_keys=True).encode()).hexdigest()[:16]


def _named_space(name: str) -> SearchSpace:
    try:
        return carry_claims(catalog.get(name))[0]
    except ValueError as error:
        raise in_field("space", str(error)) from None
