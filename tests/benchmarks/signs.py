"""Every measure on digits, true against random labels, ten seeds: the sign that was published, and ours.

Ten pairs of networks 64-128-128-10 from the same initial weights and batches, one of each pair on true labels, one with
all labels drawn at random; each trained until it fits. Figures: `learned`, `memorised` (means), `difference` (learned −
memorised) with the half width of its 95 % interval (Student's t over pairs), `published` and `ours` (+1: larger where
learned; −1: larger where memorised; 0: no sign published, or the interval holds 0), `agreed` (1, 0; absent without a
published sign).

`SIGNS` was written before the first run.
"""

from pathlib import Path

import torch

from search_spaces import catalog
from trainables.config import TrialConfig, unflatten
from trainables.statistics import mean_ci95
from trainables.trial import TrialContext, run_trial

# Measure → (sign of learned − memorised, who says so). What is not here has no published sign that we know of.
SIGNS: dict[str, tuple[int, str]] = {
    "norms/frobenius": (-1, "Neyshabur et al. 2017, arXiv:1706.08947, figure 1: norms grow with random labels"),
    "norms/spectral_product": (-1, "Bartlett et al. 2017, arXiv:1706.08498, figure 1"),
    "norms/path": (-1, "Neyshabur et al. 2017, arXiv:1706.08947, figure 1"),
    "norms/two_one": (-1, "Bartlett et al. 2017, arXiv:1706.08498"),
    "norms/distance": (-1, "Nagarajan & Kolter 2019, arXiv:1901.01672"),
    "norms/relative_distance": (-1, "Nagarajan & Kolter 2019, arXiv:1901.01672"),
    "norms/unit_capacity": (-1, "Neyshabur et al. 2019, arXiv:1805.12076"),
    "dynamics/relative_distance": (-1, "Nagarajan & Kolter 2019, arXiv:1901.01672"),
    "margins/normalised_mean": (1, "Bartlett et al. 2017, arXiv:1706.08498, figure 2"),
    "margins/normalised_quantile": (1, "Bartlett et al. 2017, arXiv:1706.08498, figure 2"),
    "sharpness/noise": (1, "Neyshabur et al. 2017, arXiv:1706.08947, figure 2"),
    "sharpness/hessian_largest": (-1, "Keskar et al. 2017, arXiv:1609.04836: sharp minima generalise worse"),
    "sharpness/hessian_trace": (-1, "Keskar et al. 2017, arXiv:1609.04836: sharp minima generalise worse"),
    "spectrum/alpha": (-1, "Martin & Mahoney 2021, arXiv:1810.01075: smaller exponents generalise better"),
    "update_projection/directions": (-1, "Nagarajan & Kolter 2019, arXiv:1902.04742, figure 4"),
    "update_projection/score": (1, "Nagarajan & Kolter 2019, arXiv:1902.04742, figure 4"),
    "low_rank_probe/rank": (-1, "Arora et al. 2018, arXiv:1802.05296: networks that generalise are more compressible"),
    "low_rank_probe/score": (1, "Arora et al. 2018, arXiv:1802.05296"),
    "removable_and_repeated/either": (1, "Casper et al. 2021, arXiv:1912.04783"),
    "removable_and_repeated/removable": (1, "Casper et al. 2021, arXiv:1912.04783"),
    "removable_and_repeated/knocked_out": (1, "Morcos et al. 2018, arXiv:1803.06959, figure 1"),
    "representations/effective_dimension": (-1, "Ansuini et al. 2019, arXiv:1905.12784"),
    "intrinsic_dimension/last": (-1, "Ansuini et al. 2019, arXiv:1905.12784, figure 6"),
    "linear_probe/true_last": (1, "Zhang et al. 2017, arXiv:1611.03530: nothing is learned of labels at random"),
}
SEEDS = 10


def measure() -> dict[str, float]:
    """All figures; some minutes on a quiet machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        rows = _rows()
    finally:
        torch.set_num_threads(threads)
    figures: dict[str, float] = {}
    for column in [name for name in rows[0] if name.startswith("measure/")]:
        name = column.removeprefix("measure/")
        values = {arm: [row[column] for row in rows if row["arm"] == arm] for arm in ("control", "replicate")}
        pairs = [pair for pair in zip(*values.values(), strict=True) if None not in pair]
        if len(pairs) < 3:
            continue
        mean, half, _ = mean_ci95([learned - memorised for learned, memorised in pairs])
        ours = 0 if half is None or abs(mean) <= half else int(mean > 0) - int(mean < 0)
        published = SIGNS.get(name, (0, ""))[0]
        learned, memorised = (sum(column) / len(pairs) for column in zip(*pairs, strict=True))
        found = {"learned": learned, "memorised": memorised, "difference": mean, "ci95": half or 0.0}
        found |= {"published": published, "ours": ours} | ({"agreed": float(ours == published)} if published else {})
        figures |= {f"{name}: {key}": float(value) for key, value in found.items()}
    return figures


def _rows() -> list[dict[str, object]]:
    """Of dense networks that fitted both."""
    space = catalog.get("redundancy")
    flat = space.config({"data.label_noise": 1.0, "model.width": 128, "compression.depth": 1}).flat()
    config = TrialConfig.model_validate(unflatten({**flat, "replicates": SEEDS, "measures": "all"}))
    last = [record for record in run_trial(config, TrialContext(0, Path("unused"))) if record is not None][-1]
    return [row for row in last.networks if row["level"] == 0]
