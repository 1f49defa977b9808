"""Made-up studies of which each trial has one number, and their verdicts."""

from typing import Any

import numpy as np
import pandas as pd

from search_spaces.claims import Claim
from search_spaces.quantities import Metric
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.answer.deciding import verdicts
from study.answer.standing import Standing
from study.answer.verdict import Verdicts

M = Metric(metric="measure/x/y", bounds=(-2, 2))
X = Metric(metric="measure/x/x", bounds=(0, 1))
WIDTHS = (64, 128, 256)
NO_NETWORKS = pd.DataFrame({"trial": pd.Series(dtype="int64")})


def spread(mean: float, n: int = 24, deviation: float = 0.1, seed: int = 0) -> list[float]:
    """n values with exactly this mean and deviation."""
    values = np.random.default_rng(seed).normal(size=n)
    return list(mean + deviation * (values - values.mean()) / values.std(ddof=1))


def study(values: Any, **columns: Any) -> pd.DataFrame:
    n = len(values)
    frame = {
        "number": range(n),
        "state": "COMPLETE",
        "role": "design",
        "model.width": [WIDTHS[i % 3] for i in range(n)],
    }
    return pd.DataFrame({**frame, "data.label_noise": 1.0, "measure/x/y": values, **columns})


def decide(claims: Any, trials: pd.DataFrame, planned: int | None = None, **more: Any) -> Verdicts:
    claims = claims if isinstance(claims, tuple) else (claims,)
    space = SearchSpace(base={"data.label_noise": 1.0}, span={"model.width": Choices(values=WIDTHS)}, claims=claims)
    total, ended = more.pop("total", planned or len(trials)), len(trials)
    standing = Standing(planned or len(trials), total, ended)
    plan = more.pop("plan", trials)
    return verdicts(space, trials, more.pop("networks", NO_NETWORKS), plan=plan, standing=standing, **more)


def claim(quantity: Any, comparison: Any, name: str = "x", **more: Any) -> Claim:
    return Claim(name=name, says="It is so.", quantity=quantity, comparison=comparison, **more)
