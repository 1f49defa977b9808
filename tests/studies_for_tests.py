"""Small studies that need no data, for tests of the ledger and of proposing."""

from pathlib import Path
from typing import Any

from search_spaces.space import Choices, Range, SearchSpace
from study.config import StudyConfig
from study.ledger import Ledger, Proposal
from trainables.record import Record

LISTS = {"data.label_noise": Choices(values=(0, 0.5, 1)), "model.width": Choices(values=(16, 32))}
TUNED = {
    "model.width": Range(low=16, high=512, log=True),
    "training.lr": Range(low=0.001, high=0.3, log=True),
    "training.batch_size": Choices(values=(25, 50)),
}


def a_study(home: Path, **fields: Any) -> StudyConfig:
    """A study of `LISTS` unless told otherwise."""
    space = SearchSpace(base={"data.name": "digits"}, span=fields.pop("span", LISTS))
    run = {"home": home, **fields.pop("run", {})}
    return StudyConfig.model_validate({"name": "tiny", "trials": 6, **fields, "space": space, "run": run})


def a_ledger(home: Path, proposals: int = 0, **fields: Any) -> Ledger:
    """A ledger with the lease taken and some trials queued."""
    config = a_study(home, **fields)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    ledger.propose([Proposal({"data.label_noise": 0.5, "model.width": 16})] * proposals)
    return ledger


def dense(step: int, **metrics: float) -> Record:
    """A record of dense training with `train/…` metrics."""
    return Record("dense", step, {f"train/{name}": value for name, value in metrics.items()})
