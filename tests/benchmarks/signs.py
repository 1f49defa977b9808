"""Every measure on digits, true against random labels, ten seeds: the sign that was published, and ours.

Ten pairs of networks 64-128-128-10 from the same initial weights and batches, one of each pair on true labels, one with
all labels drawn at random; each trained until it fits. Figures: `learned`, `memorised` (means), `difference` (learned −
memorised) with the half width of its 95 % interval (Student's t over pairs), `published` and `ours` (+1: larger where
learned; −1: larger where memorised; 0: no sign published, or the interval holds 0), `agreed` (1, 0; absent without a
published sign).

`SIGNS` was written before the first run, and no sign was changed since. Beside each stands whether the paper compares
true with random labels itself (`shown`), or says something of generalization, width or compression from which the sign
follows (`inferred`).
"""

import json
from pathlib import Path

import torch

from search_spaces import catalog
from trainables.config import TrialConfig
from trainables.dotted import unflatten
from trainables.statistics import mean_ci95
from trainables.trial import TrialContext, run_trial

# Measure → (sign of learned − memorised, how, who says so). What is not here has no published sign that we know of.
SIGNS: dict[str, tuple[int, str, str]] = {
    "norms/frobenius": (-1, "shown", "Neyshabur et al. 2017, arXiv:1706.08947, figure 1"),
    "norms/spectral_product": (-1, "shown", "Bartlett et al. 2017, arXiv:1706.08498, figure 1"),
    "norms/path": (-1, "shown", "Neyshabur et al. 2017, arXiv:1706.08947, figure 1"),
    "norms/two_one": (-1, "inferred", "Bartlett et al. 2017, arXiv:1706.08498: part of a bound that grows"),
    "norms/distance": (-1, "inferred", "Nagarajan & Kolter 2019, arXiv:1901.01672: what limits capacity"),
    "norms/relative_distance": (-1, "inferred", "Nagarajan & Kolter 2019, arXiv:1901.01672"),
    "norms/unit_capacity": (-1, "inferred", "Neyshabur et al. 2019, arXiv:1805.12076: falls as width grows"),
    "dynamics/relative_distance": (-1, "inferred", "Nagarajan & Kolter 2019, arXiv:1901.01672"),
    "margins/normalised_mean": (1, "shown", "Bartlett et al. 2017, arXiv:1706.08498, figure 2"),
    "margins/normalised_quantile": (1, "shown", "Bartlett et al. 2017, arXiv:1706.08498, figure 2"),
    "sharpness/noise": (1, "shown", "Neyshabur et al. 2017, arXiv:1706.08947, figure 2"),
    "sharpness/hessian_largest": (-1, "inferred", "Keskar et al. 2017, arXiv:1609.04836: sharp minima are worse"),
    "sharpness/hessian_trace": (-1, "inferred", "Keskar et al. 2017, arXiv:1609.04836: sharp minima are worse"),
    "spectrum/alpha": (-1, "inferred", "Martin & Mahoney 2021, arXiv:1810.01075: smaller exponents are better"),
    "update_projection/directions": (-1, "inferred", "Nagarajan & Kolter 2019, arXiv:1902.04742: few suffice"),
    "update_projection/score": (1, "inferred", "Nagarajan & Kolter 2019, arXiv:1902.04742: few suffice"),
    "low_rank_probe/rank": (-1, "inferred", "Arora et al. 2018, arXiv:1802.05296: what generalises is compressible"),
    "low_rank_probe/score": (1, "inferred", "Arora et al. 2018, arXiv:1802.05296: what generalises is compressible"),
    "removable_and_repeated/either": (1, "inferred", "Casper et al. 2021, arXiv:1912.04783: grows with width"),
    "removable_and_repeated/removable": (1, "inferred", "Casper et al. 2021, arXiv:1912.04783: grows with width"),
    "removable_and_repeated/knocked_out": (1, "shown", "Morcos et al. 2018, arXiv:1803.06959, figure 1"),
    "representations/effective_dimension": (-1, "inferred", "Ansuini et al. 2019, arXiv:1905.12784: of another one"),
    "intrinsic_dimension/last": (-1, "shown", "Ansuini et al. 2019, arXiv:1905.12784, figure 6"),
    "linear_probe/true_last": (1, "inferred", "Zhang et al. 2017, arXiv:1611.03530: random labels teach nothing"),
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
        published = SIGNS.get(name, (0, "", ""))[0]
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


def as_markdown(figures: dict[str, float]) -> str:
    """The table of the README: measures with a published sign, from figures that were kept."""
    lines = [
        "| measure | learned | memorised | difference | published | ours | | source |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, (_, how, source) in SIGNS.items():
        own = {key: figures.get(f"{name}: {key}") for key in ("learned", "memorised", "difference", "ci95", "agreed")}
        if own["difference"] is None:
            lines.append(f"| {name} | – | – | – | {_sign(SIGNS[name][0])} | – | undefined | {source} ({how}) |")
            continue
        ours = figures[f"{name}: ours"]
        verdict = "agreed" if own["agreed"] else "contradicted" if ours else "open"
        means = " | ".join(f"{own[key]:.3g}" for key in ("learned", "memorised"))
        difference = f"{own['difference']:.3g} ± {own['ci95']:.2g}".replace("-", "−")
        signs = f"{_sign(SIGNS[name][0])} | {_sign(ours)}"
        lines.append(f"| {name} | {means} | {difference} | {signs} | {verdict} | {source} ({how}) |")
    return "\n".join(lines)


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else "0"


if __name__ == "__main__":
    newest = max((Path(__file__).parent / "results").glob("*-signs.json"))
    print(as_markdown(json.loads(newest.read_text())["figures"]))
