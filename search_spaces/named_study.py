"""A named study: its space, the paper that it follows, and the sizes that it comes in."""

from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias, get_args

from pydantic import Field, model_validator

from search_spaces.notation import override
from search_spaces.published import Published
from search_spaces.space import Choices, Range, SearchSpace
from trainables.explain import in_field
from trainables.parts import ConfigSection
from trainables.problems import Refused
from trainables.spelling import unknown

SizeName: TypeAlias = Literal["small", "paper", "large"]
SIZES: tuple[SizeName, ...] = get_args(SizeName)


class Size(ConfigSection):
    """What a size changes of the study's own space.

    Args:
        base: Dotted name → value.
        span: Dotted name → the values it takes, in place of those of the space.
        trials: How many there are; none: as many as the space says.
    """

    base: dict[str, Any] = Field(default_factory=dict)
    span: dict[str, Choices | Range] = Field(default_factory=dict)
    trials: int | None = Field(None, ge=1)


class NamedStudy(ConfigSection):
    """A declaration: what is asked, of which space, after which paper, in which sizes. It holds no code.

    Args:
        space: What `ockham launch NAME` runs.
        size: The size which that is; none: one of its own.
        sizes: The sizes and what each changes; that of `size` changes nothing.
        differs: In what the size `paper` differs from the paper's protocol, a phrase each.
        notes: What its verdicts are to be read with, a sentence each: what was changed after data had been seen, what
            disagrees with the paper and why, or that nobody knows why.
        published: Curves of the paper that reports draw beside the study's own.
    """

    space: SearchSpace
    size: SizeName | None = None
    sizes: dict[SizeName, Size] = Field(default_factory=dict)
    differs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def _its_own_size_changes_nothing(self) -> Self:
        own = self.sizes.get(self.size) if self.size else None
        if own is not None and (own.base or own.span or own.trials is not None):
            raise in_field("sizes", f"{self.size} is the size of the space itself, which it can't change")
        return self

    @property
    def known_sizes(self) -> tuple[SizeName, ...]:
        """Those that it comes in, the smallest first."""
        return tuple(name for name in SIZES if name == self.size or name in self.sizes)

    def at(self, size: str | None) -> SearchSpace:
        """The space of a size; of none the study's own.

        Raises:
            ValueError: It does not come in that size; says in which it does.
        """
        if size is None or size == self.size:
            return self.space
        if size not in self.known_sizes:
            if size in SIZES:
                raise ValueError(f"it comes in no size {size}; it comes in {_join_names(self.known_sizes)}")
            raise Refused([unknown("size", size, self.known_sizes)])
        change = self.sizes[size]
        space = override(self.space, change.base, change.span)
        return space if change.trials is None else space.model_copy(update={"trials": change.trials})

    def names(self, name: str) -> Mapping[SizeName, str]:
        """How a study of each size is called where nobody says otherwise: NAME, or NAME-SIZE."""
        return {size: name if size == self.size else f"{name}-{size}" for size in self.known_sizes}


def _join_names(names: tuple[str, ...]) -> str:
    return " and ".join(names) if names else "one of its own only"
