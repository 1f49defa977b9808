"""What a unit or weight carries of kept examples, less what it carries of those whose label was changed.

Carried is the part of a margin that flows through it, averaged over examples of a kind: of a margin m (the logit of the
label given less the largest other one) w·∂m/∂w through a weight, and through a unit the sum over its incoming weights
and its bias, which for a ReLU network is activation times ∂m/∂activation (Bach et al. 2015,
doi:10.1371/journal.pone.0130140; arXiv:1605.01713). The lowest go first: what serves memory most and the rule least.
Margins, not losses: of what a network fits the loss has next to no slope.

Networks without changed labels (clean twins) lose what carries least of their examples. Where targets are numbers, less
the squared error stands where the margin does.

Cost: one forward and one backward pass over the sample of training examples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainables.compression.interfaces import WeightCriterion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from trainables.looking.scoring import Sample, Scoring
    from trainables.stack.model import UnitGroup


class Memorisation(WeightCriterion):
    """Margin carried of kept examples less that of changed ones."""

    def weight_scores(self, scoring: Scoring, tensor: str) -> Tensor:
        """w·∂/∂w of the mean margin of kept examples less that of changed ones."""
        return _slopes(scoring)[tensor] * scoring.stack.tensors()[tensor]

    def scores(self, scoring: Scoring, group: UnitGroup) -> Tensor:
        """The same summed over a unit's incoming weights and its bias."""
        return scoring.incoming_products(group, _slopes(scoring))


def _slopes(scoring: Scoring) -> dict[str, Tensor]:
    """Parameter → derivative of each network's mean margin of kept examples less that of changed ones."""
    from trainables.looking.gradients import mean_gradients

    return scoring.once(
        ("memorisation",),
        lambda: mean_gradients(scoring.stack, _signed_inputs(scoring.sample), 1, _summed_margins),
    )


def _signed_inputs(sample: Sample) -> Iterator[tuple[Tensor, Tensor]]:
    """Inputs, with labels (or numbers) and, last, the weight that each example's margin has: [K, B, 1 + labels]."""
    import torch

    kept = sample.kept_mask
    count = kept.sum(dim=1, keepdim=True)
    weights = torch.where(kept, 1 / count.clamp(min=1), -1 / (sample.count - count).clamp(min=1))
    start = 0
    for inputs, labels in sample.batches():
        own = weights[:, start : start + labels.shape[1], None]
        columns = labels[..., None] if labels.dim() == 2 else labels
        yield inputs, torch.cat([columns.double(), own.double()], dim=2)
        start += labels.shape[1]


def _summed_margins(logits: Tensor, targets: Tensor) -> Tensor:
    """Σ weight · margin; of numbers, whose outputs are as many as they, Σ weight · −(squared error)."""
    from trainables.looking.margins import margins

    given, weights = targets[..., :-1], targets[..., -1]
    if given.shape[2] == logits.shape[2]:
        found = -((logits - given) ** 2).sum(dim=2)
    else:
        found = margins(logits, given[..., 0].long())
    total: Tensor = (found * weights).sum()
    return total


ENTRY = Memorisation
