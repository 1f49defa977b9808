"""What a paper published of a curve that its study has too, so that a report can draw one beside the other."""

from typing import Any, Literal, TypeAlias

from pydantic import Field

from search_spaces.quantities import Arm
from trainables.parts import ConfigSection

Point: TypeAlias = tuple[int, float | None]


class Published(ConfigSection):
    """Points of a published curve, read off a text; no figure was measured with a ruler.

    Args:
        title: What the curve is, e.g. `tickets − their dense networks`.
        column: Of networks.parquet: what is drawn.
        arms: Whose curves are drawn.
        minus: What is subtracted within each network: what it was when dense, or another arm at the same level.
        where: Which trials are meant; all.
        points: Level of the compression → the value there; none where only the place was published.
        says: What was published, in words.
        source: Where.
    """

    title: str
    column: str
    arms: tuple[Arm, ...] = ("replicate",)
    minus: Literal["dense"] | Arm | None = None
    where: dict[str, Any] = Field(default_factory=dict)
    points: tuple[Point, ...]
    says: str
    source: str
