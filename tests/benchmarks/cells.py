"""The study `criteria` on digits: dense networks trained for every trial, against once a cell; trial by trial in turn.

`python -m tests.benchmarks.cells [NETWORKS] [criteria…]`: seconds of both, and what pairing on the same networks does
to the differences between criteria; 5 networks a trial unless told otherwise.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from search_spaces import catalog
from study.answer.pairs import network_areas
from study.config import StudyConfig
from study.proposing import Proposer
from trainables.config import TrialConfig
from trainables.dense_store import DenseStore
from trainables.trial import TrialContext, run_trial

DIGITS = {"data.name": "digits", "data.train_size": None, "training.batch_size": 50}
WAYS = ("a training a trial", "a training a cell")


def timed(config: TrialConfig, context: TrialContext) -> tuple[float, bool, list[dict[str, object]]]:
    """Seconds, whether dense networks were reused, and rows of networks."""
    begun = time.perf_counter()
    last = [record for record in run_trial(config, context) if record is not None][-1]
    return time.perf_counter() - begun, "cost/reused_seconds" in last.metrics, [*last.networks]


def main(wanted: list[str]) -> None:
    """Runs both ways and prints the ratio."""
    torch.set_num_threads(1)
    replicates = [int(word) for word in wanted if word.isdigit()]
    wanted = [word for word in wanted if not word.isdigit()]
    space = catalog.get("criteria").fix({**DIGITS, "replicates": replicates[0]} if replicates else DIGITS)
    proposer = Proposer(StudyConfig(name="criteria", space=space))
    seconds, trained = dict.fromkeys(WAYS, 0.0), dict.fromkeys(WAYS, 0)
    trials: list[dict[str, object]] = []
    rows: dict[str, list[dict[str, object]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(36):
            proposal = proposer.propose(number)
            if wanted and proposal.params["compression.criterion"] not in wanted:
                continue
            config = space.config(proposal.params)
            trials.append({"number": number, **config.flat()})
            for way, context in (
                (WAYS[0], TrialContext(number, Path(folder))),
                (
                    WAYS[1],
                    TrialContext(number, Path(folder), cell=proposal.cell, dense=DenseStore(Path(folder), 1 << 30)),
                ),
            ):
                spent, reused, networks = timed(config, context)
                seconds[way] += spent
                trained[way] += not reused
                rows[way] += [{"trial": number, **row} for row in networks]
    for way in WAYS:
        print(f"{way}: {len(trials)} trials, {trained[way]} dense trainings, {seconds[way]:.1f} s")
    print(f"ratio {seconds[WAYS[0]] / seconds[WAYS[1]]:.2f}")
    print(_differences(pd.DataFrame(trials), pd.DataFrame(rows[WAYS[1]])))


def _differences(trials: pd.DataFrame, networks: pd.DataFrame) -> str:
    """Spread over networks of how much further one criterion compresses than another, lowest first; and of L1 and L2.

    Paired, both meet the same network; unpaired, each its own, so that their variances add up.
    """
    areas = network_areas(trials, networks)
    lowest = trials[trials["compression.direction"] == "lowest"]
    criterion = dict(zip(lowest["number"], lowest["compression.criterion"], strict=True))
    mine = areas[areas["trial"].isin(criterion) & (areas["arm"] == "replicate")]
    table = mine.assign(criterion=mine["trial"].map(criterion)).pivot(
        index="network", columns="criterion", values="auc"
    )
    spreads = {
        (a, b): (float((table[a] - table[b]).std()), float(np.hypot(table[a].std(), table[b].std())))
        for i, a in enumerate(table.columns)
        for b in table.columns[i + 1 :]
        if table[[a, b]].notna().all().all()
    }
    shown = {"median of all pairs": tuple(np.median(list(spreads.values()), axis=0))}
    if (norms := ("magnitude_l1", "magnitude_l2")) in spreads:
        shown[" and ".join(norms)] = spreads[norms]
    lines = [f"  {what}: {paired:.3f} paired, {unpaired:.3f} unpaired" for what, (paired, unpaired) in shown.items()]
    return "\n".join([f"sd of the difference of two criteria over {len(table)} networks", *lines])


if __name__ == "__main__":
    main(sys.argv[1:])
