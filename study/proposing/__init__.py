"""What the next trial is. Every proposal is a function of the study's config, the trial's number and, for samplers that
learn, the trials they were shown: it can be computed again anywhere."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from search_spaces.space import SearchSpace
from study.config import StudyConfig
from study.errors import UsageError
from study.ledger.rows import Proposal, TrialRow
from study.proposing.crossing import CrossedLayout, without_crossed
from study.sampling.interfaces import Layout, laying_out

if TYPE_CHECKING:
    from study.proposing import adaptive

__all__ = ["Proposer"]


class Proposer:
    """Proposes trials by number. Keeps what it computed to answer the next call sooner; pickles without it.

    Args:
        config: Of the study. Its explicit configurations come first, as trials 0, 1, …

    Raises:
        UsageError: The sampler doesn't fit the space or the number of trials.
    """

    def __init__(self, config: StudyConfig) -> None:
        self._config = config
        self._layout: Layout | None = None
        self._adaptive: adaptive.Adaptive | None = None
        if config.learns:
            from study.proposing.adaptive import Adaptive

            self._adaptive = Adaptive(config)
        else:
            self._layout = _layout(config, config.space)
            if config.draws == "cell" and config.space.instruments:
                self._layout = CrossedLayout(config.space, _layout(config, without_crossed(config.space)))

    def propose(self, number: int, history: Sequence[TrialRow] = (), *, added: int = 0) -> Proposal:
        """The trial to run as `number`.

        Args:
            number: From 0 on.
            history: The trials below `number` in any state and order, later states after earlier ones; only adaptive
                samplers look at them.
            added: Trials of lower numbers that were put into the queue by hand: a layout goes on as if they were not.
        Raises:
            UsageError: A grid has no cell left.
        """
        explicit, place = self._config.configurations, number - added
        if place < len(explicit):
            return Proposal(dict(explicit[place]), role=self._config.role, number=number)
        if self._adaptive is not None:
            return self._adaptive.propose(number, history)
        if self._layout is None:
            raise RuntimeError("a sampler either adapts or lays out")
        index = place - len(explicit)
        params = self._config.space.active(self._layout.point(index))
        cell = f"cell {self._layout.cell(index)}" if isinstance(self._layout, CrossedLayout) else None
        return Proposal(params, role=self._config.role, number=number, cell=cell)

    def __reduce__(self) -> tuple[type["Proposer"], tuple[Any, ...]]:
        return Proposer, (self._config,)


def _layout(config: StudyConfig, space: SearchSpace) -> Layout:
    sampler, explicit = laying_out(config.sampler), len(config.configurations)
    size = sampler.size(space)
    if space is config.space and size is not None and config.trials - config.added > size + explicit:
        more = f" and {explicit} configurations" if explicit else ""
        raise UsageError(
            f"the grid has {size} cells{more}, fewer than the {config.trials} trials asked for; "
            f"take --trials {size + explicit}, or --sampler design, which goes round again"
        )
    return sampler.layout(space, config.seed)
