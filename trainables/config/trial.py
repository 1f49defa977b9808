"""The whole configuration of one trial, and what identifies it. Torch-free."""

import hashlib
import importlib
import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from trainables.config.compression import CompressionConfig
from trainables.config.data import DataConfig
from trainables.config.measures import MeasuresConfig
from trainables.config.model import ModelConfig
from trainables.config.training import TrainingConfig
from trainables.dotted import flatten
from trainables.parts import ConfigSection

# Fields that begin so decide what the dense networks of a trial are; how many there are is not among them.
SHAPING = ("data.", "model.", "training.")


class TrialConfig(ConfigSection):
    """One trial: what is trained on what, how it is compressed, how often it is replicated.

    `seed` is the study's; the trial's draws also depend on its number (see `trainables.seeding`).
    """

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    training: TrainingConfig = TrainingConfig()
    compression: CompressionConfig = CompressionConfig()
    measures: MeasuresConfig = MeasuresConfig()
    replicates: int = Field(5, ge=1, le=1024, description="networks that differ only in their seed")
    control: bool = Field(True, description="train a clean twin beside each replicate")
    examples: Literal["auto", "always", "never"] = Field(
        "auto", description="record what networks say of each training example; auto: where data.subset is less than 1"
    )
    seed: int = Field(0, ge=0, lt=2**53, description="of all draws; of the study, so never set nor spanned: --seed N")

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        importlib.import_module("trainables.compression.combinations").check(self)
        return self

    @property
    def networks(self) -> int:
        """Replicates and controls together."""
        return self.replicates * (2 if self.has_control else 1)

    @property
    def has_control(self) -> bool:
        """Whether twins are trained: asked for, and the data are not clean already."""
        return self.control and not self.data.clean

    def flat(self) -> dict[str, Any]:
        """Dotted name → value for every field, defaults included; JSON types only."""
        return flatten(self.model_dump(mode="json"))

    def fingerprint(self) -> str:
        """16 hex digits that identify the configuration.

        Hashes only what differs from the defaults, so that a new field whose default changes nothing leaves the
        fingerprints of earlier trials alone.
        """
        return _digest(self._changed_fields())

    def dense_fingerprint(self) -> str:
        """Likewise of all that shapes the dense networks: trials that differ in how they compress have the same one."""
        return _digest({name: value for name, value in self._changed_fields().items() if name.startswith(SHAPING)})

    def _changed_fields(self) -> dict[str, Any]:
        usual = defaults()
        return {k: v for k, v in self.flat().items() if k not in usual or usual[k] != v}


@cache
def defaults() -> Mapping[str, Any]:
    """Dotted name → value of the fields of every trial, where nothing is set."""
    return MappingProxyType(TrialConfig().flat())


def _digest(fields: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:16]
