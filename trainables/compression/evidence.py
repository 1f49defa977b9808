"""What a trial lets its criteria look at."""

import torch
from torch import Tensor

from trainables.bench import Bench
from trainables.compression.scoring import SAMPLE_EXAMPLES, Sample, Scoring
from trainables.stack.model import StackedModel


def scoring(bench: Bench, stack: StackedModel, origin: list[Tensor] | None, *names: str | int) -> Scoring:
    """For units of `stack`, which are these units of the dense networks.

    Args:
        origin: For each group [K, units] int64; None: they come from no dense network, and have no initial weights.
        names: Of the draws, e.g. the level's number.
    Raises:
        ValueError: When initial weights are asked for and there are none.
    """

    def initial() -> StackedModel:
        if origin is None:
            raise ValueError("these units come from no dense network, so that they have no initial weights")
        return bench.initial().keep_units(origin)

    return Scoring(
        stack,
        initial=initial,
        sample=lambda: bench.once("scoring sample", lambda: _sample(bench)),
        draws=lambda part, network: bench.draws_for_networks("criterion", *names, part)(network),
        input_shape=bench.input_shape,
    )


def _sample(bench: Bench) -> Sample:
    labels = bench.data.labels
    count = labels.shape[1]
    chosen = [
        torch.randperm(count, generator=bench.draws("scoring", replicate))[:SAMPLE_EXAMPLES]
        for replicate in range(bench.replicates)
    ]
    index = torch.stack([chosen[network % bench.replicates] for network in range(bench.networks)]).to(labels.device)
    return Sample(bench.train_inputs.gather(index[None])[0], labels.gather(1, index))
