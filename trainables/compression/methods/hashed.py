"""Hashed weights: every layer but the classifier has few different values, and a hash says which weight has which.

w_ij = ξ(i, j) · v_h(i,j) with a hash h into the values and signs ξ, both drawn from a seed (HashedNets, Chen et al.
2015, arXiv:1504.04788), the same for all networks. Here after training: v_b = mean of ξ · w over the weights of bucket
b, the least-squares fit. HashedNets learn the values instead; fitted afterwards they lose most of what a network knew,
which shows how much depends on *which* weights are equal (compare `share`, which chooses). Biases, batch norm
(recalibrated) and the classifier stay as they are.

Cost: two passes over the weights a level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.stack.model import StackedModel
    from trainables.workspace import Workspace


class Hashed(Rewriting):
    """Level l has, in every layer, the largest share of its weights as values at which the ratio reaches its target."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "form"

    def least_parameters(self, stack: StackedModel) -> int:
        """One number a layer."""
        from trainables.compression.budgets import parameters_with
        from trainables.compression.few_numbers import numbers_for

        return parameters_with(stack, numbers_for(stack, 0), lambda _, count: count)

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks with weights that share values at random."""
        from trainables.compression.few_numbers import by_buckets

        yield
        return by_buckets(workspace, number, made)


ENTRY = Hashed
