"""Small real studies in a temporary home, for tests of what commands show."""

from pathlib import Path

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.config import RunConfig, StudyConfig
from study.ledger import Ledger, Proposal
from trainables.record import Record

METRICS = {"compressibility/auc": 0.43, "contrast/auc": 0.21, "contrast/auc/ci95": 0.04, "gap/accuracy": 0.61}


def config(home: Path, name: str = "small", trials: int = 4) -> StudyConfig:
    """Two spanned fields, four trials."""
    space = apply_settings(SearchSpace(title="Is it small?"), ["model.width=16,32", "data.label_noise=0.5,1"])
    return StudyConfig(name=name, space=space, trials=trials, run=RunConfig(home=home))


def ledger(home: Path, name: str = "small") -> Ledger:
    """Trial 0 complete, 1 failed with a log, 2 running at level 3, 3 queued; the lease is held by this process."""
    study = config(home, name)
    study.directory.mkdir(parents=True)
    made = Ledger.create(study.ledger_url, study)
    made.acquire()
    points = [{"model.width": width, "data.label_noise": noise} for width in (16, 32) for noise in (0.5, 1.0)]
    made.propose([Proposal(point) for point in points])
    for number in range(3):
        assert made.start_attempt(number) == 1
    made.record(0, 1, [Record("dense", 9, {"train/accuracy": 0.998}), Record("summary", 0, METRICS)])
    made.finish(0, 1, "COMPLETE")
    folder = study.directory / "trials" / "0001"
    folder.mkdir(parents=True)
    (folder / "log.txt").write_text("\n".join(f"line {n}" for n in range(20)))
    made.finish(1, 1, "FAILED", error="TrialDiverged: the loss is nan", traceback="Traceback: here")
    made.record(2, 1, [Record("level", 3, {"level/ratio": 2.5, "level/train_accuracy": 0.81})])
    return made
