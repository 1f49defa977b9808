"""What machines cost, as the user says; Ockham knows no prices of its own."""

from dataclasses import replace
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from study.config.yaml_files import read_yaml
from study.errors import UsageError
from trainables.explain import problems_of
from trainables.parts import ConfigSection


class Prices(ConfigSection):
    """What an hour of a core, of a GPU and on the clock costs, in one currency; what is not given costs nothing."""

    currency: str = Field("", description="e.g. EUR; printed behind every amount")
    core_hour: float = Field(0.0, ge=0, description="of one CPU core that a trial holds")
    gpu_hour: float = Field(0.0, ge=0, description="of one GPU; a trial with --gpus-per-trial 0.25 pays a quarter")
    hour: float = Field(0.0, ge=0, description="of everything else (head, disks, network) while any trial runs")

    @model_validator(mode="after")
    def _something_costs(self) -> Self:
        if not (self.core_hour or self.gpu_hour or self.hour):
            raise ValueError("give a price above 0 for at least one of core_hour, gpu_hour, hour")
        return self

    def amount(self, core_hours: float, gpu_hours: float, hours: float) -> float:
        """In the currency."""
        return core_hours * self.core_hour + gpu_hours * self.gpu_hour + hours * self.hour


def read_prices(path: Path) -> Prices:
    """The price table in a YAML file.

    Raises:
        UsageError: It can't be read, or holds something else.
    """
    try:
        return Prices.model_validate(read_yaml(path))
    except UsageError as error:
        raise UsageError(f"--price {error}") from None
    except ValidationError as error:
        wrong = problems_of(error, Prices)
        see = "See infra/prices.example.yaml"
        raise UsageError(replace(each.said_at(f"--price {path}:"), fix=see) for each in wrong) from None
