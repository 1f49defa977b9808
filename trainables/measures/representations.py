"""How alike layers answer: to each other, to their twins' layers, and to what they were before compression.

Linear CKA by the unbiased estimator, on validation inputs; effective dimension (Σλ)²/Σλ² of each layer's activations
there, and the share of components for 95 % of their variance; at the last hidden layer the collapse of classes, on
training examples with the labels given.

References:
    Kornblith et al. 2019, arXiv:1905.00414; Papyan et al. 2020, arXiv:2008.08186.
Cost: one forward pass over 512 validation examples for each kind of network, and products of 512 × 512 matrices.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field

from trainables.looking.measure import Measure, MeasureResult, When
from trainables.looking.similarity import cka, cka_table, collapse, components, effective_dimension, gram

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainables.looking.look import Look, State
    from trainables.pausing import Pausing

_LEAST = 4
_SILENT = "no unit's activations vary"
_WHY_UNDEFINED = {
    "cka_neighbours": "no hidden layer's activations vary",
    "cka_twin": "no unit's activations vary, or none of the twin's",
    "cka_dense": "no unit's activations vary, or none of the dense network's",
    "collapse": "the last hidden layer answers the same to all classes, or only one was given",
    "effective_dimension": _SILENT,
    "components": _SILENT,
}


class Representations(Measure):
    """CKA, effective dimensions, components and the collapse of classes."""

    reports: ClassVar[Mapping[str, str]] = {
        "cka_neighbours": "mean CKA between neighbouring layers",
        "cka_twin": "mean over hidden layers of the CKA with the same layer of the twin",
        "cka_dense": "mean over hidden layers of the CKA with the same layer of the dense network",
        "effective_dimension": "mean over hidden layers of (Σλ)²/Σλ² of the activations' covariance",
        "components": "mean over hidden layers of the share of components that explain 95 % of the variance",
        "collapse": "tr(Σ_W Σ_B⁺)/C of the classes given at the last hidden layer; 0 where classes are points",
    }
    needs_dense: ClassVar[bool] = True

    when: When = Field("levels", description="of dense networks, at all levels, or at reports during training too")

    def measure(self, look: Look) -> Pausing[MeasureResult]:
        """Measures each network and each hidden layer; `cka` is [K, layers, layers] from inputs to outputs."""
        answers = look.features(on="val")
        if next(iter(answers.values())).shape[1] < _LEAST:
            return MeasureResult(undefined_reasons={"*": f"fewer than {_LEAST} validation examples"})
        yield
        grams = {layer: gram(values) for layer, values in answers.items()}
        yield
        hidden = [layer for layer in answers if layer not in ("inputs", "outputs")]
        table = cka_table([*grams.values()])
        yield
        layers = {
            "effective_dimension": {layer: effective_dimension(answers[layer]) for layer in hidden},
            "components": {layer: components(answers[layer].double()) for layer in hidden},
        }
        others: dict[str, State] = {"cka_twin": "twin", "cka_dense": "dense"}
        for name, state in others.items():
            if name == "cka_dense" and look.level == 0:
                continue
            if theirs := look.features(state, "val"):
                yield
                layers[name] = {layer: cka(grams[layer], gram(theirs[layer])) for layer in hidden}
        networks = {name: torch.stack([*by_layer.values()]).nanmean(0) for name, by_layer in layers.items()}
        names = list(grams)
        beside = [table[:, names.index(a), names.index(b)] for a, b in pairwise(names)]
        networks["cka_neighbours"] = torch.stack(beside).nanmean(0)
        if look.sample.task.has_classes:
            classes = look.features()["outputs"].shape[2]
            networks["collapse"] = collapse(look.features()[hidden[-1]], look.sample.labels, classes)
        missing = {name: why for name, why in _why_missing(look).items() if name not in networks}
        return MeasureResult(networks, layers, arrays={"cka": table}, undefined_reasons=_WHY_UNDEFINED | missing)


def _why_missing(look: Look) -> dict[str, str]:
    return {
        "cka_twin": "no clean twins are trained",
        "cka_dense": "these are the dense networks" if look.level == 0 else "the dense networks have other units",
        "collapse": "networks are asked for numbers, not for classes",
    }


ENTRY = Representations
