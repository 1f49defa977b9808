"""What other packages say of the same matrices and points, written to `oracles.json` beside the matrices.

    python -m venv --system-site-packages oracles && oracles/bin/pip install powerlaw==2.0.0 weightwatcher==0.7.7 \
        pytorch-cka==1.1.3 scikit-dimension==0.5.0
    oracles/bin/python -m tests.golden.oracles

They are no dependencies of the tests: together they bring compilers and notebooks. With `--train` the matrices are
trained anew as well: the two hidden layers of a clean and of a noisy network on digits (`trained.npz`).
"""

import json
import logging
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

HERE = Path(__file__).parent
PACKAGES = ("powerlaw", "weightwatcher", "pytorch-cka", "scikit-dimension")


def matrices() -> dict[str, np.ndarray]:
    """Name → a trained matrix [outputs, inputs] float32."""
    with np.load(HERE / "trained.npz") as stored:
        return dict(stored)


def answers() -> dict[str, np.ndarray]:
    """Name → answers [n, units] of two layers that have something in common, and of one that has not."""
    draws = np.random.default_rng(7)
    first = draws.standard_normal((60, 12)) @ draws.standard_normal((12, 20))
    second = np.maximum(first @ draws.standard_normal((20, 16)) + draws.standard_normal((60, 16)), 0)
    return {"first": first, "second": second, "other": draws.standard_normal((60, 9))}


def points() -> dict[str, np.ndarray]:
    """Name → points [n, d] on a ball, on a curved surface, and in noise around it."""
    draws = np.random.default_rng(11)
    angle, height = draws.uniform(4, 12, 600), draws.uniform(0, 10, 600)
    roll = np.stack([angle * np.cos(angle), height, angle * np.sin(angle)], 1)
    ball = draws.standard_normal((600, 5)) @ draws.standard_normal((5, 12))
    return {"roll": roll, "five of twelve": ball, "noisy roll": roll + 0.2 * draws.standard_normal(roll.shape)}


def train() -> None:
    """Trains the matrices."""
    from tests.engine import config
    from trainables.trial import TrialContext, run_to_level

    wanted: dict[str, Any] = {"data__split": (1000, 300, 400), "data__label_noise": 1.0, "model__width": 96}
    wanted |= {"training__epochs": 400, "training__batch_size": 50, "replicates": 1, "compression__depth": 1}
    running = run_to_level(config(**wanted), TrialContext(0, Path("unused")), 0)
    while True:
        try:
            next(running)
        except StopIteration as end:
            tensors = end.value.networks_here().tensors()
            break
    named = {"noisy": 0, "clean": 1}
    found = {
        f"{name} {layer}": tensors[f"layers.{layer}.weight"][k].T.numpy()
        for name, k in named.items()
        for layer in (0, 1)
    }
    np.savez_compressed(HERE / "trained.npz", **found)


def said_of_matrices() -> dict[str, dict[str, float]]:
    """What powerlaw and weightwatcher find in the trained matrices."""
    import powerlaw
    import weightwatcher

    found: dict[str, dict[str, float]] = {}
    for name, matrix in matrices().items():
        values = np.linalg.svd(matrix.astype(np.float64), compute_uv=False) ** 2 / max(matrix.shape)
        fit = powerlaw.Fit(values, parameter_ranges={"alpha": [1, 1e3]}, verbose=False)
        law = {"alpha": float(fit.power_law.alpha), "xmin": float(fit.power_law.xmin), "D": float(fit.power_law.D)}
        layer = nn.Linear(matrix.shape[1], matrix.shape[0])
        layer.weight = nn.Parameter(torch.from_numpy(matrix))
        details = weightwatcher.WeightWatcher(model=nn.Sequential(layer)).analyze(
            mp_fit=True, randomize=False, plot=False
        )
        row = details.iloc[0]
        watched = {key: float(row[key]) for key in ("alpha", "xmin", "D", "stable_rank", "num_spikes", "lambda_max")}
        found[name] = {f"powerlaw {key}": value for key, value in law.items()}
        found[name] |= {f"weightwatcher {key}": value for key, value in watched.items()}
    return found


def main() -> None:
    """Writes what they say."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import cka
    import skdim

    if "--train" in sys.argv:
        train()
    layers = answers()
    pairs = [("first", "second"), ("first", "other"), ("second", "other")]
    tensors = {name: torch.from_numpy(values) for name, values in layers.items()}
    alike = {f"{a}, {b}": float(cka.cka_from_features(tensors[a], tensors[b])) for a, b in pairs}
    dimensions = {
        name: float(skdim.id.TwoNN(discard_fraction=0.1).fit(cloud).dimension_) for name, cloud in points().items()
    }
    said = {
        "versions": {name: version(name) for name in PACKAGES},
        "matrices": said_of_matrices(),
        "cka": alike,
        "two nearest neighbours": dimensions,
    }
    (HERE / "oracles.json").write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
