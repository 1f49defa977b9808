"""One layer of filters, the largest answer of each, and a linear classifier (Brutzkus & Globerson 2019)."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from trainables.stack.blocks import dropping
from trainables.stack.planned import PlannedModel
from trainables.stack.step import CLASSES, Plan
from trainables.stack.steps import Conv, Linear, MaxPool, ReLU


class Filters(PlannedModel):
    """Prunable group: the filters; `width` says how many.

    Differs from the paper's theory, not from its experiments on images: the classifier is trained, too.

    References:
        "Why do larger models generalize better?", arXiv:1810.03037.
    """

    default_width: ClassVar[int] = 64

    kernel: int = Field(3, ge=1, le=64, description="pixels on a side of a filter")
    pool: int = Field(0, ge=0, le=64, description="pixels on a side of the windows of max-pooling; 0: the whole image")

    def plan(self, side: int, dropout: float) -> Plan:
        """Dropout after the pooling."""
        pooled = MaxPool(self.pool, max(1, self.pool))
        return (Conv("filters", kernel=self.kernel, padding=0), ReLU(), pooled, *dropping(dropout), Linear(CLASSES))

    def published_units(self) -> Mapping[str, int]:
        """64."""
        return {"filters": self.default_width}


ENTRY = Filters
