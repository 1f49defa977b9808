"""What a study wants of metrics: objectives, constraints, and when a scheduler gives a trial up.

Each can be written as text without spaces or characters that a shell knows: `val/loss:min`, `cost/seconds:max=30`.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from study.config.scores import all_tasks
from trainables.parts import ConfigSection

Direction = Literal["maximize", "minimize"]
_DIRECTIONS: dict[str, Direction] = {"max": "maximize", "min": "minimize"}
_SMALLER_IS_BETTER = re.compile(r"(^|/)(cost|gap)/|/loss$|(^|/)bound/")
_SCORES = "|".join(task.score for task in all_tasks())
_WHILE_TRAINING = re.compile(
    rf"^(control/)?((train|val)/({_SCORES}|loss)|train/(kept|changed|recovered)_({_SCORES})|gap/val_({_SCORES}))\Z"
)


def without_test_data(metric: str) -> str:
    """`metric`, unless it is computed from test data, which are recorded but never used for a choice.

    Raises:
        ValueError: It is.
    """
    uses_test = "test" in re.split(r"[/_]", metric) or (
        re.search(r"(^|/)gap/", metric) and not re.search(rf"(^|/)gap/val_({_SCORES})\Z", metric)
    )
    if uses_test:
        raise ValueError(
            f"{metric!r} is computed from test data, which no choice may touch; "
            "use a val/… metric, gap/val_accuracy or contrast/auc"
        )
    return metric


class Objective(ConfigSection):
    """A metric that an adaptive sampler optimises. Test metrics are refused.

    As text: `contrast/auc`, `val/loss:min`, `val/accuracy:max`. Without a direction losses, gaps and costs are
    minimised and everything else is maximised.
    """

    metric: str
    direction: Direction = "maximize"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        metric, colon, word = value.partition(":")
        if not metric or (colon and word not in _DIRECTIONS):
            raise ValueError(f"{value!r}: write METRIC, METRIC:max or METRIC:min, e.g. val/loss:min")
        if not word:
            word = "min" if _SMALLER_IS_BETTER.search(metric) else "max"
        return {"metric": metric, "direction": _DIRECTIONS[word]}

    @field_validator("metric")
    @classmethod
    def _no_test_data(cls, metric: str) -> str:
        return without_test_data(metric)

    @property
    def sign(self) -> float:
        """Times the metric: larger is better."""
        return 1.0 if self.direction == "maximize" else -1.0


class Constraint(ConfigSection):
    """A bound that a sampler tries to keep a metric within. As text: `cost/seconds:max=30`, `val/accuracy:min=0.8`."""

    metric: str
    max: float | None = None
    min: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        match = re.fullmatch(r"(?P<metric>[^:=]+):(?P<bound>max|min)=(?P<value>[^:=]+)", value)
        if match is None:
            raise ValueError(f"{value!r}: write METRIC:max=NUMBER or METRIC:min=NUMBER, e.g. cost/seconds:max=30")
        return {"metric": match["metric"], match["bound"]: match["value"]}

    @field_validator("metric")
    @classmethod
    def _no_test_data(cls, metric: str) -> str:
        return without_test_data(metric)

    @model_validator(mode="after")
    def _one_bound(self) -> Self:
        if (self.max is None) == (self.min is None):
            raise ValueError(f"a constraint on {self.metric} has one bound, max or min; write two for two bounds")
        return self

    @property
    def name(self) -> str:
        """Tells it from the other constraints of a study: `cost/seconds:max`."""
        return f"{self.metric}:{'max' if self.max is not None else 'min'}"

    def violation(self, metrics: Mapping[str, float]) -> float | None:
        """By how much the bound is missed: at most 0 where it is kept. None where the metric is undefined."""
        value = metrics.get(self.metric)
        if value is None:
            return None
        return value - self.max if self.max is not None else float(self.min or 0.0) - value

    def is_met(self, metrics: Mapping[str, float]) -> bool:
        """Whether the constraint is kept; it is not where the metric is undefined."""
        by = self.violation(metrics)
        return by is not None and by <= 0

    def __str__(self) -> str:
        return f"{self.name}={self.max if self.max is not None else self.min:g}"


class Stopping(ConfigSection):
    """When a scheduler gives a trial up, by a metric of the dense networks while they train."""

    metric: Objective = Objective(metric="val/accuracy")
    grace: int | None = Field(None, ge=1, description="epochs every trial gets; none: a sixteenth of training.epochs")
    reduction: float = Field(4.0, gt=1, le=100, description="asha: one in so many trials goes on at each rung")

    @field_validator("metric")
    @classmethod
    def _known_while_training(cls, metric: Objective) -> Objective:
        if not _WHILE_TRAINING.match(metric.metric):
            raise ValueError(
                f"{metric.metric!r} is not known while networks train; take val/accuracy, val/loss, train/accuracy, "
                "train/loss or gap/val_accuracy (r2 instead of accuracy where networks say numbers)"
            )
        return metric

    def epochs_of_grace(self, longest: int) -> int:
        """Epochs every trial gets in a study whose longest training is `longest` epochs.

        Raises:
            ValueError: The grace would last to the end.
        """
        grace = self.grace or max(1, longest // 16)
        if grace >= longest:
            raise ValueError(f"{grace} epochs of grace in a training of {longest} leave nothing to stop")
        return grace
