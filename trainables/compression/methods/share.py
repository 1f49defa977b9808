"""Weight sharing: the weights of each layer are clustered by k-means, and each becomes the centre of its cluster.

The second step of Deep Compression (Han et al. 2016, arXiv:1510.00149), its third, Huffman's code, is how a level's
size is counted (`trainables.compression.description`); `prune+share` is all three. Unlike there the centres are not
trained afterwards, and k-means starts from more than evenly spaced centres. Every layer counts, the classifier too;
biases and batch norm keep 32 bits, batch norm is recalibrated. Masked weights stay exactly 0 and have no symbol.

The parameter count stays, so curves are drawn against `compression.ratio=description_length`.

Cost: one sort of the weights, then Lloyd's steps at a look-up a centre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Share(Rewriting):
    """Levels walk from `first_clusters` to `clusters` by equal factors, rounded; each has fewer than the last."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "code"
    clusters: int = Field(2, ge=2, le=4096, description="different weights a layer at the last level")
    first_clusters: int = Field(256, ge=2, le=4096, description="at the first level")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.first_clusters < self.clusters:
            raise ValueError(
                f"levels walk down: first_clusters={self.first_clusters} is less than clusters={self.clusters}"
            )
        return self

    def clusters_at(self, depth: int, number: int) -> int:
        """At level 1 … depth; `clusters` at the last."""
        if depth == 1:
            return self.clusters
        factor: float = (self.clusters / self.first_clusters) ** ((number - 1) / (depth - 1))
        return round(self.first_clusters * factor)

    def level_numbers(self, depth: int) -> tuple[int, ...]:
        """Clusters."""
        return tuple(self.clusters_at(depth, number) for number in range(1, depth + 1))

    def words(self, depth: int) -> tuple[int, int]:
        """Enough for `clusters` centres; these."""
        return (self.clusters_at(depth, depth) - 1).bit_length(), self.clusters

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks with clustered weights."""
        from dataclasses import replace

        from trainables.compression.budgets import with_encoded_weights
        from trainables.compression.quantizing import cluster_values, on_host

        count = self.clusters_at(workspace.config.compression.depth, number)
        written, parts = made.writing(), {}
        here = on_host(written.parts)
        for name, part in written.parts.items():
            parts[name] = part.with_book(cluster_values(here[name], count, per_channel=False).to(part.values.device))
            yield
        return with_encoded_weights(workspace, made, replace(written, parts=parts))


ENTRY = Share
