"""The default: a balanced plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from study.sampling.interfaces import LayoutSampler

if TYPE_CHECKING:
    from search_spaces.space import SearchSpace
    from study.sampling.balanced_plan import BalancedPlan


class Design(LayoutSampler):
    """A balanced design in blocks, so that a study stopped early is still balanced."""

    name = "design"

    def layout(self, space: SearchSpace, seed: int) -> BalancedPlan:
        """Endless."""
        from study.sampling.balanced_plan import BalancedPlan  # needs NumPy, and every study asks what its sampler is

        return BalancedPlan(space, seed)


ENTRY = Design
