"""Which units of a student have found which units of its teacher?

Cosines between the incoming weights of the first hidden layer and those of the network that made the labels
(`data.name=teacher`).

References:
    Goldt et al. 2019, arXiv:1906.08632; Tian 2020, arXiv:1905.13405.
Cost: none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look

_NO_TEACHER = "no network made the labels; data.name=teacher has one"
_OTHER_INPUTS = "the first hidden units see other numbers than the teacher's"


class Overlaps(Measure):
    """For every teacher unit the cosine with the student unit that is most like it."""

    reports: ClassVar[Mapping[str, str]] = {
        "best": "mean over the teacher's units of the largest cosine with a unit of the student",
        "found": "share of the teacher's units whose largest cosine is above .95",
        "idle": "share of the student's units whose outgoing weights are below a tenth of the longest",
    }

    cosine: float = Field(0.95, gt=0, lt=1, description="above which a unit of the teacher is found")

    def measure(self, look: Look) -> MeasureResult:
        """Measures each network; `cosines` is [K, units of the teacher, units of the student]."""
        from trainables.looking.weights import outgoing_lengths

        if look.teacher is None:
            return MeasureResult(undefined_reasons={"*": _NO_TEACHER})
        group = look.stack.groups[0]
        student = look.stack.incoming_weights(group).double()
        if student.shape[2] != look.teacher.shape[1]:
            return MeasureResult(undefined_reasons={"*": _OTHER_INPUTS})
        teacher = look.teacher.double().expand(len(student), -1, -1)
        lengths = teacher.norm(dim=2)[:, :, None] * student.norm(dim=2)[:, None]
        cosines = teacher @ student.mT / lengths.clamp(min=1e-300)
        best = cosines.amax(2)
        outgoing = outgoing_lengths(look.stack)[group.name]
        networks = {
            "best": best.mean(1),
            "found": (best > self.cosine).double().mean(1),
            "idle": (outgoing < 0.1 * outgoing.amax(1, keepdim=True)).double().mean(1),
        }
        return MeasureResult(networks, arrays={"cosines": cosines})


ENTRY = Overlaps
