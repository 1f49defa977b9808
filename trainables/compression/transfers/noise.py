"""Every pixel uniform over 0 … 255, the blog's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from trainables.compression.interfaces import Transfer

if TYPE_CHECKING:
    from trainables.bench import Bench
    from trainables.training.inputs import Inputs


class UniformNoise(Transfer):
    """Drawn for each replicate and shared with its control."""

    label: ClassVar[str] = "uniform noise"
    phrase: ClassVar[str] = "fitted on uniform noise"
    rank: ClassVar[int] = 2

    def inputs(self, bench: Bench) -> Inputs:
        """As many as there are training examples."""
        import torch

        from trainables.compression.transfer import drawn_for_replicates

        like = bench.data.images[0].shape

        def noise(replicate: int) -> torch.Tensor:
            return torch.randint(256, like, generator=bench.draws("transfer", replicate), dtype=torch.uint8)

        return drawn_for_replicates(bench, noise)


ENTRY = UniformNoise
