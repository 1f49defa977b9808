"""Quantization after training: every number that is stored takes one of 2^b values.

`codebook=uniform`: values s · (q − z), q whole (see `trainables.compression.quantizing.uniform` for s and z). The scale
rule matters: with `scale=range`, s from the largest number, two bits have a larger squared error than one bit,
sign(w) · mean|w|, since most weights become 0 (which in turn Huffman's code makes the most of); the default `scale=mse`
cuts large numbers off where that makes the squared error smallest.
`codebook=kmeans`: the values are the centres that k-means finds. Code books are for a whole layer, or for each of its
output channels (`per=channel`). Every layer counts, the classifier too; biases and batch norm keep 32 bits, batch norm
is recalibrated. Masked weights stay exactly 0 and have no symbol.

A level's size is that of its description (code book and Huffman or fixed words, whichever is shorter): the parameter
count stays, so curves are drawn against `compression.ratio=description_length`.

References: Jacob et al. 2018, arXiv:1712.05877; Rastegari et al. 2016, arXiv:1603.05279 (one bit).
Cost: 80 passes over the weights a level with `scale=mse`; Lloyd's steps on sorted weights with `kmeans`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator

from trainables.compression.interfaces import CompressionResult, Rewriting

if TYPE_CHECKING:
    from trainables.pausing import Pausing
    from trainables.workspace import Workspace


class Quantize(Rewriting):
    """Levels walk down from `first_bits` to `bits` in equal steps, rounded; a level has fewer bits than the last."""

    stage: ClassVar[Literal["shape", "form", "code"]] = "code"
    bits: int = Field(1, ge=1, le=8, description="of the last level")
    first_bits: int = Field(8, ge=1, le=8, description="of the first level")
    codebook: Literal["uniform", "kmeans"] = Field("uniform", description="evenly spaced values, or k-means")
    symmetric: bool = Field(True, description="uniform: zero point 0; false: affine")
    per: Literal["tensor", "channel"] = Field("tensor", description="what has a code book of its own")
    scale: Literal["mse", "range"] = Field("mse", description="uniform: least squared error, or the largest number")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.first_bits < self.bits:
            raise ValueError(f"levels walk down: first_bits={self.first_bits} is less than bits={self.bits}")
        if self.codebook == "kmeans" and (not self.symmetric or self.scale != "mse"):
            raise ValueError("symmetric and scale are of codebook=uniform; k-means finds its values by itself")
        return self

    def bits_at(self, depth: int, number: int) -> int:
        """Bits at level 1 … depth; `bits` at the last."""
        steps = depth - 1
        return self.bits if not steps else round(self.first_bits + (self.bits - self.first_bits) * (number - 1) / steps)

    def level_numbers(self, depth: int) -> tuple[int, ...]:
        """Bits."""
        return tuple(self.bits_at(depth, number) for number in range(1, depth + 1))

    def code_books(self, parts: int, channels: int) -> int:
        """One a layer, or one an output channel."""
        return channels if self.per == "channel" else parts

    def words(self, depth: int) -> tuple[int, int]:
        """`bits`; scale and zero point, or the centres."""
        return self.bits_at(depth, depth), 2 if self.codebook == "uniform" else 2**self.bits

    def rewrite(self, workspace: Workspace, number: int, made: CompressionResult) -> Pausing[CompressionResult]:
        """The networks with quantized numbers."""
        from dataclasses import replace

        from trainables.compression.budgets import with_encoded_weights
        from trainables.compression.quantizing import cluster_values, on_host, uniform

        bits, channel = self.bits_at(workspace.config.compression.depth, number), self.per == "channel"
        written, parts = made.writing(), {}
        here = on_host(written.parts) if self.codebook == "kmeans" else {}
        for name, part in written.parts.items():
            if self.codebook == "kmeans":
                book = cluster_values(here[name], 2**bits, per_channel=channel).to(part.values.device)
            else:
                book = uniform(part, bits, symmetric=self.symmetric, per_channel=channel, rule=self.scale)
            parts[name] = part.with_book(book)
            yield
        return with_encoded_weights(workspace, made, replace(written, parts=parts))


ENTRY = Quantize
