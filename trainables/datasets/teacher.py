"""Student and teacher: labels are what a random network says (Gardner & Derrida 1989; Goldt et al. 2019, 1906.08632).

A wide teacher is a rule that is hard but can be learnt, so that it tells difficulty from memorisation.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field

from trainables.data.synthetic import Synthetic, Values, normal_as_bytes


class Teacher(Synthetic):
    """x ~ N(0, I); the label is the class whose output is largest among those of a two-layer ReLU network.

    Outputs are shifted and scaled to mean 0 and deviation 1 over the examples, so that classes are about equally
    frequent. The teacher sees the very bytes that its students see.
    """

    features: int = Field(64, ge=2, le=100_000, description="inputs")
    classes: int = Field(10, ge=2, le=1000)
    units: int = Field(64, ge=1, le=100_000, description="hidden units of the teacher; more make a harder rule")

    def draw(self) -> tuple[Values, npt.NDArray[np.int64], int]:
        """Inputs [n, 1, 1, features]."""
        x = torch.randn(self.examples, self.features, generator=self.draws("inputs"))
        draws = self.draws("teacher")
        first = torch.randn(self.features, self.units, generator=draws) / math.sqrt(self.features)
        second = torch.randn(self.units, self.classes, generator=draws)
        inputs: Values = x.numpy()
        seen = torch.from_numpy(self.as_bytes(inputs).astype(np.float32)).sub_(127.5).div_(127.5 / 4)
        outputs = torch.relu(seen @ first) @ second
        outputs = (outputs - outputs.mean(0)) / outputs.std(0)
        labels: npt.NDArray[np.int64] = outputs.argmax(1).numpy()
        return inputs[:, None, None], labels, self.classes

    def as_bytes(self, inputs: Values) -> npt.NDArray[np.uint8]:
        """Four deviations on each side."""
        return normal_as_bytes(inputs)


ENTRY = Teacher
