"""Measures of random networks against the same formulas written down again, plainly, for one network in NumPy."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.engine import look, stack, taken
from trainables.looking.look import Look
from trainables.looking.measure import MEASURES, MeasureResult
from trainables.stack.model import StackedModel

Floats = npt.NDArray[np.float64]
NETWORKS = (0, 1)


class Plain:
    """One network of a stack: weights [outputs, inputs] and biases of its layers, and the examples of a look."""

    def __init__(self, seen: Look, model: StackedModel, network: int) -> None:
        tensors = model.tensors()
        self.weights = [tensors[f"layers.{i}.weight"][network].double().numpy().T for i in range(3)]
        self.biases = [tensors[f"layers.{i}.bias"][network].double().numpy().ravel() for i in range(3)]
        self.train = seen.sample.inputs[network].flatten(1).double().numpy()
        self.val = seen.validation.inputs[network].flatten(1).double().numpy()
        self.labels = seen.sample.labels[network].numpy()

    def answers(self, x: Floats, weights: Sequence[Floats] = (), biases: Sequence[Floats] = ()) -> list[Floats]:
        """Inputs, hidden units, logits."""
        found = [x]
        for place, (w, b) in enumerate(zip(weights or self.weights, biases or self.biases, strict=True)):
            x = x @ w.T + b
            x = x if place == 2 else np.maximum(x, 0)
            found.append(x)
        return found

    def score(self, weights: Sequence[Floats] = (), biases: Sequence[Floats] = ()) -> float:
        """Accuracy on the labels given."""
        said = self.answers(self.train, weights, biases)[-1].argmax(1)
        return float((said == self.labels).mean())


@pytest.fixture(scope="module")
def seen() -> Look:
    return look(stack(2), initial=lambda: stack(2, seed=9))


def measured(seen: Look, name: str, **fields: object) -> MeasureResult:
    return taken(MEASURES.get(name).model_validate(fields), seen)


def hsic(first: Floats, second: Floats) -> float:
    """Song et al. 2012, equation 5."""
    n, ones = len(first), np.ones(len(first))
    k, m = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
    sums = (ones @ k @ ones) * (ones @ m @ ones) / ((n - 1) * (n - 2))
    return float((np.trace(k @ m) + sums - 2 / (n - 2) * (ones @ k @ m @ ones)) / (n * (n - 3)))


@pytest.mark.parametrize("network", NETWORKS)
def test_representations(seen: Look, network: int) -> None:
    found, own = measured(seen, "representations"), Plain(seen, seen.stack, network)
    layers = own.answers(own.val)
    values = [np.sort(np.linalg.eigvalsh(np.cov(layer.T)))[::-1] for layer in layers[1:3]]
    grams = [layer @ layer.T for layer in layers]
    alike = [hsic(a, b) / math.sqrt(hsic(a, a) * hsic(b, b)) for a, b in itertools.pairwise(grams)]
    shares = [(np.searchsorted(np.cumsum(v) / v.sum(), 0.95) + 1) / len(v) for v in values]
    last, classes = own.answers(own.train)[2], np.unique(own.labels)
    means = np.stack([last[own.labels == one].mean(0) for one in classes])
    apart, off = means - means.mean(0), last - means[np.searchsorted(classes, own.labels)]
    inverse = np.linalg.pinv(apart.T @ apart / len(classes), rcond=1e-6)
    wanted = {
        "effective_dimension": np.mean([v.sum() ** 2 / (v**2).sum() for v in values]),
        "components": np.mean(shares),
        "cka_neighbours": np.mean(alike),
        "collapse": np.trace(off.T @ off / len(last) @ inverse) / len(classes),
    }
    assert {name: found.networks[name][network].item() for name in wanted} == pytest.approx(wanted, rel=1e-3)


@pytest.mark.parametrize("network", NETWORKS)
def test_projections(seen: Look, network: int) -> None:
    own, start = Plain(seen, seen.stack, network), Plain(seen, seen.state("initial") or seen.stack, network)
    near, low, left = [], [], []
    for w, z in zip(own.weights, start.weights, strict=True):
        _, added, inputs = np.linalg.svd(w - z, full_matrices=False)
        near.append(z + (w - z) @ inputs[:3].T @ inputs[:3])
        left.append(added[3])
        u, s, v = np.linalg.svd(w, full_matrices=False)
        low.append(u[:, :4] * s[:4] @ v[:4])
    found = measured(seen, "update_projection", top=3).networks
    assert found["score"][network].item() == pytest.approx(own.score(near))
    assert found["residual"][network].item() == pytest.approx(np.mean(left), rel=1e-5)
    assert measured(seen, "low_rank_probe", rank=4).networks["score"][network].item() == pytest.approx(own.score(low))


@pytest.mark.parametrize("network", NETWORKS)
def test_units_that_are_removable_or_repeated(seen: Look, network: int) -> None:
    """All 28 of them are switched off."""
    own = Plain(seen, seen.stack, network)
    layers, whole = own.answers(own.train), own.score()
    sums = dict.fromkeys(("removable", "repeated", "either", "partners"), 0.0)
    for layer in (0, 1):
        with np.errstate(invalid="ignore"):
            alike = np.abs(np.nan_to_num(np.corrcoef(layers[layer + 1].T)))
        np.fill_diagonal(alike, 0)
        partners = (alike >= 0.5).sum(1)
        for unit, count in enumerate(partners):
            weights, biases = [w.copy() for w in own.weights], [b.copy() for b in own.biases]
            weights[layer][unit], biases[layer][unit] = 0, 0
            spare = whole - own.score(weights, biases) < 0.001
            sums["removable"] += spare
            sums["repeated"] += count > 0
            sums["either"] += spare or count > 0
            sums["partners"] += count
    found = measured(seen, "removable_and_repeated").networks
    wanted = {name: value / 28 for name, value in sums.items()}
    assert {name: found[name][network].item() for name in wanted} == pytest.approx(wanted)


@pytest.mark.parametrize("network", NETWORKS)
def test_spectra(seen: Look, network: int) -> None:
    found, own = measured(seen, "spectrum").layers, Plain(seen, seen.stack, network)
    for place, w in enumerate(own.weights):
        longer, shorter = max(w.shape), min(w.shape)
        values = np.linalg.svd(w, compute_uv=False) ** 2 / longer
        roots = math.sqrt(longer - 1) + math.sqrt(shorter)
        scale = roots * (1 / math.sqrt(longer - 1) + 1 / math.sqrt(shorter)) ** (1 / 3)
        factor, variance = (roots**2 + 0.98 * scale) / longer, values.mean()
        for _ in range(50):
            variance = values[values <= variance * factor].mean()
        shares = values / values.sum()
        wanted = {
            "stable_rank": values.sum() / values.max(),
            "soft_rank": variance * (1 + math.sqrt(shorter / longer)) ** 2 / values.max(),
            "entropy": -(shares * np.log(shares)).sum() / math.log(shorter),
            "spikes": (values > variance * factor).sum(),
        }
        numbers = {name: found[name][f"layers.{place}"][network].item() for name in wanted}
        assert numbers == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("network", NETWORKS)
def test_noise(seen: Look, network: int) -> None:
    """The bisection done again, with the same draws."""
    own, tensors = Plain(seen, seen.stack, network), seen.stack.tensors()
    names = [f"layers.{i}.weight" for i in range(3)]
    noises = [
        {
            name: torch.randn(tensors[name].shape[1:], generator=seen.draws(f"noise {draw} {name}", network))
            * tensors[name][network].std()
            for name in names
        }
        for draw in range(5)
    ]
    low, high = 0.0, 2.0
    for _ in range(10):
        middle = (low + high) / 2
        moved = [
            [(tensors[name][network] + middle * noise[name]).double().numpy().T for name in names] for noise in noises
        ]
        stands = np.mean([own.score(weights) for weights in moved]) >= own.score() - 0.1 - 1e-12
        low, high = (middle, high) if stands else (low, middle)
    assert measured(seen, "sharpness", products=2, signs=1).networks["noise"][network].item() == pytest.approx(low)
