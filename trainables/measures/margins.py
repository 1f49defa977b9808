"""Margins on training examples: how much larger the logit of the label given is than the largest other one.

γ(x) = f_y − max_{j≠y} f_j; also over the product of the layers' largest singular values.

References:
    Bartlett et al. 2017, arXiv:1706.08498; Jiang et al. 2019, arXiv:1810.00113.
Cost: one forward pass over the sample of examples, one decomposition of each matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from trainables.looking.look import Look
    from trainables.pausing import Pausing


class Margins(Measure):
    """Mean and low quantile of the margins, as they are and normalised."""

    reports: ClassVar[Mapping[str, str]] = {
        "mean": "mean margin on training examples, labels as given",
        "quantile": "its low quantile (10 % unless told otherwise)",
        "normalised_mean": "mean margin over the product of spectral norms",
        "normalised_quantile": "low quantile over that product",
    }
    needs_classes: ClassVar[bool] = True

    quantile: float = Field(0.1, gt=0, lt=1, description="which quantile of the margins is taken beside their mean")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network and each of its examples."""
        from trainables.looking.look import outputs
        from trainables.looking.margins import margins
        from trainables.looking.weights import spectral_norms

        found = margins(outputs(look.stack, look.sample.inputs).double(), look.sample.labels)
        product = found.new_ones(len(found))
        for weights in look.matrices().values():
            product = product * spectral_norms(weights)
            yield
        mean, low = found.mean(1), _quantile(found, self.quantile)
        networks = {
            "mean": mean,
            "quantile": low,
            "normalised_mean": mean / product,
            "normalised_quantile": low / product,
        }
        examples = {"margin": found}
        index = look.sample.index
        return MeasureResult(networks, examples=examples | ({} if index is None else {"example": index}))


def _quantile(values: Tensor, share: float) -> Tensor:
    """[K] of [K, n], between two values linearly."""
    place = share * (values.shape[1] - 1)
    below = int(place)
    ordered = values.sort(dim=1).values
    above = ordered[:, min(below + 1, values.shape[1] - 1)]
    return ordered[:, below] + (place - below) * (above - ordered[:, below])


ENTRY = Margins
