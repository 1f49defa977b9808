"""What can be read off each layer by a linear map: the true labels, or the ones that were given?

Ridge regression on class indicators from a layer's activations, fitted on 80 % of the sample of training examples and
scored on the rest, once for true and once for given labels; of seven penalties the best on the rest. The network has
seen all of them in training: what a probe reads of given labels there is what the layer holds of them.

References:
    Alain & Bengio 2016, arXiv:1610.01644.
Cost: one decomposition for each layer, of a matrix of its units or of 410 examples, whichever are fewer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from trainables.looking.measure import Measure, MeasureResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look
    from trainables.pausing import Pausing

_PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


class LinearProbe(Measure):
    """Accuracy of linear probes of each layer, for true and for given labels."""

    reports: ClassVar[Mapping[str, str]] = {
        "true_first": "accuracy, for true labels, of a probe of the first hidden layer",
        "given_first": "the same for the labels given",
        "true_last": "accuracy, for true labels, of a probe of the last hidden layer",
        "given_last": "the same for the labels given",
    }
    needs_classes: ClassVar[bool] = True

    fitted: float = Field(0.8, gt=0, lt=1, description="share of the sample that probes are fitted on")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures the first and last hidden layer of each network; as layers all, inputs and logits included."""
        features, sample = look.features(), look.sample
        cut = int(self.fitted * sample.count)
        if not 0 < cut < sample.count:
            return MeasureResult(
                undefined_reasons={"*": f"{sample.count} examples are too few to fit on some and score on others"}
            )
        classes = features["outputs"].shape[2]
        targets = {"given": sample.labels} | ({} if sample.truth is None else {"true": sample.truth})
        layers: dict[str, dict[str, Tensor]] = {name: {} for name in targets}
        for layer, values in features.items():
            for name, accuracy in probe_accuracy(values.double(), targets, classes, cut).items():
                layers[name][layer] = accuracy
            yield
        hidden = [layer for layer in features if layer not in ("inputs", "outputs")]
        networks = {f"{name}_first": by_layer[hidden[0]] for name, by_layer in layers.items()}
        networks |= {f"{name}_last": by_layer[hidden[-1]] for name, by_layer in layers.items()}
        unknown = dict.fromkeys(("true_first", "true_last"), "nobody knows the true labels")
        return MeasureResult(networks, layers, undefined_reasons=unknown)


def probe_accuracy(values: Tensor, targets: Mapping[str, Tensor], classes: int, cut: int) -> dict[str, Tensor]:
    """Name → [K], the largest accuracy over the penalties on what comes after `cut`.

    Penalties are times the mean of the squared lengths of the centred answers.

    Args:
        values: [K, n, d] float64.
        targets: Name → [K, n] int64.
        classes: How many there are.
        cut: Examples that are fitted on.
    """
    centre = values[:, :cut].mean(1, keepdim=True)
    fit, rest = values[:, :cut] - centre, values[:, cut:] - centre
    by_units = fit.shape[2] < cut
    own, axes = torch.linalg.eigh(fit.mT @ fit if by_units else fit @ fit.mT)
    own = own.clamp(min=0)
    # The mean of the squared lengths, whichever of the two matrices has the eigenvalues.
    mean = own.sum(1) / cut
    across = (rest if by_units else rest @ fit.mT) @ axes
    found = {}
    for name, labels in targets.items():
        wanted = torch.nn.functional.one_hot(labels[:, :cut], classes).double()
        shift = wanted.mean(1, keepdim=True)
        inner = axes.mT @ (fit.mT @ (wanted - shift) if by_units else wanted - shift)
        accuracies = []
        for penalty in _PENALTIES:
            weights = own + (penalty * mean).clamp(min=1e-12)[:, None]
            said = (across / weights[:, None] @ inner + shift).argmax(2)
            accuracies.append((said == labels[:, cut:]).double().mean(1))
        found[name] = torch.stack(accuracies).amax(0)
    return found


ENTRY = LinearProbe
