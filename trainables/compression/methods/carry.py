"""Tickets from elsewhere: what other data, or another optimizer, would prune is pruned here (Morcos et al. 2019).

At every level networks of the same initial weights are trained on the source and pruned by the criterion; the networks
of this trial take over which units or weights are left. With `recovery=rewind` they are trained, from the same initial
weights, as the dense networks were: tickets that were carried over (arXiv:1906.02773). `reinit` and `shuffled` are the
controls, `prune` what the trial's own data choose. Between data sets whose files differ a ticket is carried in a file
(`compression.ticket`).

Cost: `epochs` of training a level, as of the dense network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_validator

from trainables.compression.interfaces import CompressionResult, Level, Method
from trainables.compression.methods.prune import Prune
from trainables.parts import require_module

if TYPE_CHECKING:
    from trainables.config import CompressionConfig, TrialConfig
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Carry(Method):
    """Networks of the source start each level where tickets start, and have lost what the levels before took.

    Without a recovery that starts again, the networks of the source are themselves those of the level.
    """

    reads: ClassVar[tuple[str, ...]] = Prune.reads

    epochs: int = Field(20, ge=1, description="passes over the source at each level")
    examples: Literal["same", "others"] = Field(
        "same", description="of the source: those of the trial, or the training examples that data.subset left out"
    )
    inputs: str = Field("true", description="what is done to images of the source: a module of trainables/input_kinds")
    optimizer: str | None = Field(None, description="on the source; none: that of the dense training")
    lr: float | None = Field(None, gt=0, description="on the source; none: that of the dense training")

    @field_validator("inputs")
    @classmethod
    def _inputs(cls, name: str) -> str:
        return require_module("trainables.input_kinds", "kind of inputs", name)

    @field_validator("optimizer")
    @classmethod
    def _optimizer(cls, name: str | None) -> str | None:
        return name and require_module("trainables.optimizers", "optimizer", name)

    def masks(self, compression: CompressionConfig) -> Literal["weights", "units"] | None:
        """As pruning does."""
        return Prune().masks(compression)

    def check(self, config: TrialConfig) -> None:
        """Other examples are those that networks are not given."""
        if self.examples == "others" and config.data.subset == 1:
            raise ValueError(
                "compression.carry.examples=others needs training examples that networks are not given, and "
                "data.subset=1 gives them all; use data.subset=0.5, or examples=same"
            )

    def compress(self, workspace: Workspace, level: Level) -> Pausing[CompressionResult]:
        """Trains the networks of the source, and prunes them."""
        from trainables.compression.carrying import Source, trained_elsewhere

        source = Source(self.epochs, self.examples == "others", self.inputs, self.optimizer, self.lr)
        trained = yield from trained_elsewhere(workspace, level, source)
        return (yield from Prune().compress(workspace, trained))


ENTRY = Carry
