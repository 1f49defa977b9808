"""What another study found out, given to an adaptive sampler as if it had run it.

The trials are copied into the study's own configuration when it is created: it can be resumed and each of its
proposals computed again whatever becomes of the other study.
"""

from typing import Any

from pydantic import model_validator

from study.config.seen import compact
from trainables.parts import ConfigSection


class WarmTrial(ConfigSection):
    """A COMPLETE trial of the other study.

    Attributes:
        number: There.
        params: Values of what this study spans.
        metrics: This study's objectives and what it constrains.
    """

    number: int
    params: dict[str, Any]
    metrics: dict[str, float]


class WarmStart(ConfigSection):
    """The other study, and its trials once they have been looked up. As text: its name."""

    study: str
    trials: tuple[WarmTrial, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"study": value} if isinstance(value, str) else value

    def identity(self) -> dict[str, str]:
        """Which study and which of its trials."""

        return {"study": self.study, "trials": compact(trial.number for trial in self.trials)}
