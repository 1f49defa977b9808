"""A trial that has ended, run again up to a level: for whoever wants its networks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainables.again import CONVOLUTIONS, GROUPED, ONE_BY_ONE

if TYPE_CHECKING:
    from study.config import StudyConfig
    from study.ledger import TrialRow
    from trainables.config import TrialConfig
    from trainables.record import Record
    from trainables.workspace import Workspace

Say = Callable[[str], None]


def silent(_text: str) -> None:
    """Nobody listens."""


def run_again(
    config: "TrialConfig",
    row: "TrialRow",
    study: "StudyConfig",
    level: int,
    say: Say = silent,
    *,
    pausing: Callable[[], None] = lambda: None,
) -> "Workspace":
    """The trial run again up to the level, with as many threads as it had; what `config` measures may be other.

    Its dense networks come from where the study keeps them, if they are there.

    Args:
        say: Told where it is.
        pausing: Called wherever the trial may pause, every few seconds at least; what it raises ends the run.
    """
    import torch

    from trainables.dense_store import DENSE, DenseStore
    from trainables.storage import folder_at
    from trainables.trial import TrialContext, run_to_level

    share = study.run.gpus_per_trial  # of which depends how much is computed at once
    device = "cuda" if share and torch.cuda.is_available() else "cpu"
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, int(study.run.cpus_per_trial)))
    older = row.cell is None  # a study from before there were cells
    way = {ONE_BY_ONE: True, GROUPED: False}.get(row.notes.get(CONVOLUTIONS, ""))
    limit = int(study.run.dense_cache * 2**30)
    place = folder_at(study.run.storage or str(study.run.home.absolute())) / DENSE
    context = TrialContext(
        row.number,
        study.run.data_path,
        device,
        gpu_share=min(1.0, share or 1.0),
        cell=row.cell,
        dense=DenseStore(place, limit) if limit else None,
        rates_by_epoch=older,
        one_by_one=way,
    )
    running = run_to_level(config, context, level)
    try:
        while True:
            if (record := next(running)) is not None:
                say(_where(record, config, level))
            pausing()
    except StopIteration as end:
        workspace: Workspace = end.value
        return workspace
    finally:
        running.close()
        torch.set_num_threads(threads)


def _where(record: "Record", config: "TrialConfig", level: int) -> str:
    if record.stage == "dense":
        most = "" if config.training.steps is not None else f" of at most {config.training.epochs}"
        return f"epoch {record.step}{most}"
    return f"level {record.step} of {level}"
