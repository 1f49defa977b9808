"""Simulated studies: how often claims are decided wrongly however they are looked at, and how soon they are decided.

    python -m tests.statistical.null_studies [--studies 10000] [--out FILE.json]

Each study grows block by block, is looked at after every block, and stops at the first verdict. What is computed is the
code's own evidence, on arrays of all studies at once. `tests/statistical/test_false_alarms.py` runs fewer.
"""

import argparse
import itertools
import json
import math
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import beta, rankdata

from study.answer.associating import Slope
from study.answer.evidence import ALPHA, Array, Scale, log_anytime_t, log_bets, log_evidence, mirror_scale, trusts_t

SIGNED = Scale(bounds=(-1.0, 1.0))
BLOCK, UNITS = 6, 60
Draw = Callable[[np.random.Generator, tuple[int, ...]], Array]

# Values with mean 0 of every kind that was seen to matter, within the bounds of a contrast.
SHAPES: dict[str, Draw] = {
    "normal": lambda random, size: np.clip(random.normal(0, 0.2, size), -1, 1),
    "uniform": lambda random, size: random.uniform(-0.5, 0.5, size),
    "t, 3 degrees": lambda random, size: np.clip(0.1 * random.standard_t(3, size), -1, 1),
    # the long tail lies on the side that is not claimed
    "1 − exponential": lambda random, size: _centred(
        0.15 * (1 - random.exponential(1, size)), lambda r, n: 0.15 * (1 - r.exponential(1, n))
    ),
    "−lognormal(.75)": lambda random, size: _centred(
        0.15 * (math.exp(0.28125) - random.lognormal(0, 0.75, size)),
        lambda r, n: 0.15 * (math.exp(0.28125) - r.lognormal(0, 0.75, n)),
    ),
}


@dataclass(frozen=True)
class Rate:
    """How many of so many studies, with the exact 95 % interval (Clopper & Pearson)."""

    what: str
    hits: int
    studies: int

    @property
    def share(self) -> float:
        """Of studies."""
        return self.hits / self.studies

    @property
    def interval(self) -> tuple[float, float]:
        """Of the probability."""
        low = float(beta.ppf(0.025, self.hits, self.studies - self.hits + 1)) if self.hits else 0.0
        high = float(beta.ppf(0.975, self.hits + 1, self.studies - self.hits)) if self.hits < self.studies else 1.0
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.what}: {self.share:.4f} ({low:.4f} to {high:.4f})"


def looks(path: Array) -> Array:
    """What is seen of evidence [studies, units] at the ends of blocks."""
    return path[..., BLOCK - 1 :: BLOCK]


def decided(path: Array, alpha: float = ALPHA) -> Array:
    """For each study the units at the first look at which its evidence suffices; infinity where none does."""
    reached = looks(path) >= math.log(1 / alpha)
    first = (np.argmax(reached, axis=-1) + 1.0) * BLOCK
    return np.where(reached.any(axis=-1), first, math.inf)


def means(shape: str, studies: int, units: int = UNITS, seed: int = 0) -> Array:
    """Null studies of one kind [studies, units]."""
    return SHAPES[shape](np.random.default_rng([seed, *shape.encode()]), (studies, units))


def false_alarms_of_a_mean(shape: str, studies: int) -> dict[str, Rate]:
    """Of the e-value that decides, and of each of the two alone, at α for one claim."""
    values = means(shape, studies)
    trusted = np.where(trusts_t(values, SIGNED), log_anytime_t(values, 0.0), -math.inf)
    paths = {
        "decides": log_evidence(values, 0.0, SIGNED),
        "anytime t, guarded": trusted,
        "betting": log_bets(values, 0.0, SIGNED.bounds),
        "signs (no bounds)": log_evidence(values, 0.0, Scale()),
    }
    return {name: _rate(f"{shape}, {name}", decided(path)) for name, path in paths.items()}


def false_alarms_of_a_difference(studies: int) -> Rate:
    """Two settings on networks of their own, paired in their order: luck of condition and network in both."""
    random = np.random.default_rng(11)
    first, second = (np.clip(random.normal(0.5, 0.15, (studies, UNITS)), 0, 1) for _ in range(2))
    return _rate("unpaired", decided(log_evidence(first - second, 0.0, SIGNED)))


def false_alarms_of_an_order(studies: int) -> Rate:
    """A > B > C where all are the same: every neighbour has to be supported, without correction."""
    random = np.random.default_rng(12)
    arms = [np.clip(random.normal(0.5, 0.15, (studies, UNITS)), 0, 1) for _ in range(3)]
    paths = [np.maximum.accumulate(log_evidence(a - b, 0.0, SIGNED), axis=-1) for a, b in itertools.pairwise(arms)]
    return _rate("order of three", decided(np.minimum(*paths)))


def false_alarms_of_an_association(studies: int, strata: int = 6, alpha: float = ALPHA) -> Rate:
    """Unrelated values in strata that the design fills evenly; a look at each block.

    At a smaller α than .025 it is one claim of several. What strata add to both values ranks never see.
    """
    random = np.random.default_rng([13, strata])
    x, y = (random.normal(size=(studies, strata, UNITS // strata)) for _ in range(2))
    largest = np.full(studies, -math.inf)
    for n in range(BLOCK, UNITS + 1, BLOCK):
        products = (_ranked(x, n // strata) * _ranked(y, n // strata)).sum(axis=(1, 2))
        now = [Slope(n, strata, n, float(product), n).log_evidence(0.0) for product in products]
        largest = np.maximum(largest, now)
    hits = int(np.count_nonzero(largest >= math.log(1 / alpha)))
    return Rate(f"association in {strata} strata at {alpha:g}", hits, studies)


def _ranked(values: Array, each: int) -> Array:
    """Ranks of the first so many units of each stratum, centred, variance 1 (0 for a single unit)."""
    ranks = rankdata(values[..., :each], axis=-1) - (each + 1) / 2
    standard: Array = ranks / math.sqrt(max(1.0, (each**2 - 1) / 12))
    return standard


def false_alarms_of_a_family(studies: int, claims: int = 5) -> Rate:
    """Of any of several independent claims of which none is so, at α/m each (Holm's first step)."""
    values = means("normal", studies * claims, seed=2).reshape(studies, claims, UNITS)
    path = log_evidence(values, 0.0, SIGNED).max(axis=1)
    return _rate(f"any of {claims} claims", decided(path, ALPHA / claims))


def misses_of_the_sequence(shape: str, studies: int) -> Rate:
    """How often the truth is left out at any time by the sequence with 1/α = 40 on each side."""
    values = means(shape, studies, seed=3)
    up, down = log_evidence(values, 0.0, SIGNED), log_evidence(-values, 0.0, mirror_scale(SIGNED))
    return _rate(f"sequence, {shape}", decided(np.maximum(up, down)))


def units_until_decided(studies: int, effect: float = 0.29, spread: float = 0.1, family: int = 1) -> dict[str, float]:
    """Units, looked at one by one, until contrasts like the default study's are decided; how many are by 24."""
    values = np.clip(np.random.default_rng(14).normal(effect, spread, (studies, UNITS)), -1, 1)
    reached = log_evidence(values, 0.0, SIGNED) >= math.log(family / ALPHA)
    enough = np.cumsum(values, axis=-1) / np.arange(1, UNITS + 1) >= 0.05
    reached &= enough
    first = np.where(reached.any(axis=-1), np.argmax(reached, axis=-1) + 1.0, math.inf)
    return {
        "median": float(np.median(first)),
        "nine in ten": float(np.quantile(first, 0.9, method="higher")),
        "by 24": float(np.mean(first <= 24)),
    }


def recorded(values: Sequence[float], studies: int) -> Rate:
    """Values that a study has seen, centred and drawn anew."""
    seen = np.array(values) - np.mean(values)
    drawn = np.random.default_rng(15).choice(seen, (studies, UNITS))
    return _rate("recorded, centred and resampled", decided(log_evidence(drawn, 0.0, SIGNED)))


def _rate(what: str, units: Array) -> Rate:
    return Rate(what, int(np.isfinite(units).sum()), len(units))


def _centred(values: Array, again: Draw) -> Array:
    """Clipped to the bounds, which moves the mean: it is put back to 0 by that of a million more."""
    more = np.clip(again(np.random.default_rng(99), (1_000_000,)), -1, 1)
    centred: Array = np.clip(values, -1, 1) - more.mean()
    return np.clip(centred, -1, 1)


def main() -> None:
    """Prints the table, and keeps it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--values", type=Path, help="JSON list of a study's recorded contrasts")
    asked = parser.parse_args()
    rates = [rate for shape in SHAPES for rate in false_alarms_of_a_mean(shape, asked.studies).values()]
    rates += [false_alarms_of_a_difference(asked.studies), false_alarms_of_an_order(asked.studies)]
    rates += [
        false_alarms_of_an_association(asked.studies, strata, alpha)
        for strata, alpha in ((1, ALPHA), (3, ALPHA), (6, ALPHA), (3, ALPHA / 5), (6, ALPHA / 5))
    ]
    rates.append(false_alarms_of_a_family(asked.studies))
    rates += [misses_of_the_sequence(shape, asked.studies) for shape in SHAPES]
    if asked.values:
        rates.append(recorded(json.loads(asked.values.read_text()), asked.studies))
    soon = {family: units_until_decided(asked.studies, family=family) for family in (1, 5)}
    for rate in rates:
        print(rate)
    print(soon)
    if asked.out:
        found = {"python": platform.python_version(), "numpy": np.__version__, "block": BLOCK, "units": UNITS}
        kept = [asdict(rate) | {"share": rate.share, "interval": rate.interval} for rate in rates]
        asked.out.write_text(json.dumps({**found, "rates": kept, "until decided": soon}, indent=1) + "\n")


if __name__ == "__main__":
    main()
