"""Student and teacher: labels are what a random network says (Gardner & Derrida 1989; Goldt et al. 2019, 1906.08632).

A wide teacher is a rule that is hard but can be learnt, so that it tells difficulty from memorisation.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from trainables.data.raw import Labels
from trainables.data.synthetic import Synthetic, Values
from trainables.explain import in_field

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_CHUNK = 100_000


class Teacher(Synthetic):
    """x ~ N(0, I), and what a two-layer network of random weights says about it.

    Outputs are shifted and scaled to mean 0 and variance 1 over all examples, whichever of them are trained on. In
    classification the label is the class whose output is largest, so classes are about equally frequent; in regression
    the outputs themselves are the target, so a squared error is in units of the target's variance.
    """

    task: Literal["classification", "regression"] = Field(
        "classification", description="which of the teacher's outputs is largest, or the outputs themselves"
    )
    features: int = Field(64, ge=2, le=100_000, description="inputs")
    classes: int = Field(10, ge=2, le=1000, description="outputs of the teacher in classification")
    outputs: int = Field(1, ge=1, le=1000, description="outputs of the teacher in regression")
    units: int = Field(64, ge=1, le=100_000, description="hidden units of the teacher; more make a harder rule")
    activation: Literal["relu", "erf"] = Field(
        "relu", description="of the teacher's hidden units; erf: erf(x/√2), as Goldt et al. have it"
    )

    second: Literal["normal", "ones"] = Field(
        "normal",
        description="outgoing weights of these units; ones: the targets are the plain sum, neither shifted nor scaled",
    )

    @model_validator(mode="after")
    def _outputs_of_the_task(self) -> Self:
        other, mine = ("classes", "outputs") if self.task == "regression" else ("outputs", "classes")
        if getattr(self, other) != type(self).model_fields[other].default:
            raise in_field(other, f"task={self.task} has none; use {mine}, or the other task")
        if self.second == "ones" and (self.task != "regression" or self.outputs > 1):
            raise in_field("second", "ones makes all outputs the same; use task=regression and outputs=1")
        return self

    def task_name(self) -> str:
        """As configured."""
        return self.task

    def draw(self) -> tuple[Values, Labels, int]:
        """Inputs [n, 1, 1, features]."""
        import torch

        x = torch.randn(self.examples, self.features, generator=self.draws("inputs"))
        inputs: Values = x.numpy()
        if self.task == "regression":
            said = self._says(x, self.outputs)
            if self.second == "normal":
                said = (said - said.mean(0)) / said.std(0, correction=0)
            return inputs[:, None, None], said.float().numpy(), self.outputs
        outputs = self._says(x, self.classes)
        outputs = (outputs - outputs.mean(0)) / outputs.std(0)
        labels: npt.NDArray[np.int64] = outputs.argmax(1).numpy()
        return inputs[:, None, None], labels, self.classes

    def teacher_units(self) -> Tensor:
        """Their incoming weights [units, features] float32."""
        return self._first(self.draws("teacher")).t().float()

    def _first(self, draws: torch.Generator) -> Tensor:
        """[features, units] float64."""
        import torch

        first = torch.randn(self.features, self.units, generator=draws)
        return first.double() / math.sqrt(self.features)

    def _says(self, x: Tensor, outputs: int) -> Tensor:
        """[n, outputs] float64, so that hardly an example lies where rounding decides its class."""
        import torch

        draws = self.draws("teacher")
        first = self._first(draws)
        second = torch.randn(self.units, outputs, generator=draws).double()
        if self.second == "ones":
            second = torch.ones_like(second)

        def says(part: Tensor) -> Tensor:
            hidden = part.double() @ first
            return (torch.relu(hidden) if self.activation == "relu" else torch.erf(hidden / math.sqrt(2))) @ second

        return torch.cat([says(part) for part in torch.split(x, _CHUNK)])


ENTRY = Teacher
