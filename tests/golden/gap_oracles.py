"""What mbe-eval says of measures and gaps of made-up studies, written to `gap_oracles.json` beside it.

    python -m venv --system-site-packages oracles && oracles/bin/pip install mbe-eval==0.5.0
    oracles/bin/python -m tests.golden.gap_oracles

Of Ψ it says one number for each field that varies (ours averages those of training fields alone).
"""

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

ORACLES = Path(__file__).with_suffix(".json")
FIELDS = ("noise", "criterion", "width", "lr")
TRAINING = ("width", "lr")


def studies() -> dict[str, pd.DataFrame]:
    """Name → configurations with the columns `gap`, `measure` and the fields: all corners of a plan, some of them, and
    one with ties."""
    draws = np.random.default_rng(5)
    levels = [(0.25, 0.5, 1.0), ("l2", "random"), (64, 96, 160, 256), (0.1, 0.05)]
    whole = pd.MultiIndex.from_product(levels, names=FIELDS).to_frame(index=False)
    noise, width, rate = (whole[name].to_numpy() for name in ("noise", "width", "lr"))
    whole["gap"] = noise - 0.04 * np.log2(width) + draws.normal(0, 0.03, len(whole))
    whole["measure"] = np.log2(width) - 3 * rate + 2 * noise + draws.normal(0, 0.5, len(whole))
    some = whole.sample(29, random_state=3).reset_index(drop=True)
    tied = whole.assign(measure=whole["measure"].round(), gap=whole["gap"].round(1))
    return {"whole": whole, "some": some, "tied": tied}


def main() -> None:
    """Writes what it says."""
    from mbe_eval.comparators import granulated_kendall, jiang_normalized_cmi

    said: dict[str, Any] = {"versions": {"mbe-eval": version("mbe-eval")}}
    for name, frame in studies().items():
        _, axes = granulated_kendall(frame, "measure", "gap", FIELDS)
        smallest, subsets = jiang_normalized_cmi(frame, "measure", "gap", FIELDS, max_conditioning=2)
        said[name] = {
            "taus": dict(zip(axes["hyperparameter"], axes["granulated_kendall"], strict=True)),
            "cmi": smallest,
            "none": float(subsets.loc[subsets["conditioning"] == "none", "normalized_cmi"].iloc[0]),
        }
    ORACLES.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
