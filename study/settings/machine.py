"""Everything that can be refused before anything starts: where the study is to live, and what it is to run on."""

import math
import os
import tempfile
from pathlib import Path

from study import address_space
from study.config import RunConfig, StudyConfig
from study.config.shares import LEAST_SHARE
from study.errors import UsageError
from study.settings.cluster import check_cluster
from study.settings.tracking_store import check_tracking_store
from trainables.config import TrialConfig
from trainables.storage import folder_at


def check(config: StudyConfig) -> None:
    """Refuses what this machine can't do.

    Raises:
        UsageError: Too low a limit of memory, an unwritable home or storage, a tracking store or a Ray that does not
            answer, or more CPUs or GPUs a trial than there are.
    """
    address_space.require()
    require_one_gpu(config.run)
    _home_is_writable(config.run.home)
    if config.run.storage is not None:
        _storage_takes_files(config.run.storage)
    check_tracking_store(config.run)
    check_cluster(config.run)
    if config.run.address is None:
        _fits_this_machine(config.run)


class DataSets:
    """Makes sure, once of each, that the data sets of a study are there."""

    def __init__(self) -> None:
        self._ready: set[str] = set()

    def prepare(self, config: StudyConfig) -> None:
        """Looks for those of `config`, and downloads what can be downloaded.

        Raises:
            UsageError: One is not there, and can't be had.
        """
        from trainables.data.loading import prepare

        for trial in _data_corners(config):
            data = trial.data
            # What is done to labels and inputs changes nothing about what is there.
            name = repr((data.name, data.options(data.name), data.split, data.train_size))
            if name not in self._ready:
                try:
                    prepare(data, config.run.data_path)
                except ValueError as error:  # DataUnavailable, or sizes that do not fit
                    raise UsageError(str(error)) from None
                self._ready.add(name)


def data_accounts(config: StudyConfig) -> list[str]:
    """What is worth knowing about the study's data sets, a paragraph each; they have to be there."""
    from trainables.data.interfaces import dataset_of

    sets = {trial.data.model_dump_json(): dataset_of(trial.data) for trial in _data_corners(config)}
    return list(filter(None, dict.fromkeys(dataset.account(config.run.data_path) for dataset in sets.values())))


def cpus() -> int:
    """CPUs that this process may use: its affinity, further limited by its control group's quota."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.exists():
        granted, period = quota.read_text().split()[:2]
        if granted != "max":
            allowed = min(allowed, math.ceil(int(granted) / int(period)))
    return max(1, allowed)


def gpus() -> int:
    """GPUs that torch can use."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def require_one_gpu(run: RunConfig) -> None:
    """Refuses what no trial would use, and what Ray can't count.

    Raises:
        UsageError: More than one GPU a trial, or less of a CPU or GPU than a ten thousandth.
    """
    for option, share in (("--cpus-per-trial", run.cpus_per_trial), ("--gpus-per-trial", run.gpus_per_trial)):
        if 0 < share < LEAST_SHARE:
            raise UsageError(f"{option} {share:g}: Ray counts in steps of {LEAST_SHARE:g}; use at least that")
    if run.gpus_per_trial > 1:
        raise UsageError(
            f"--gpus-per-trial {run.gpus_per_trial:g}: a trial computes on one GPU, all others would idle; use 1, or a "
            "part of 1 for several trials on a GPU (--max-concurrent says how many run at once)"
        )


def _fits_this_machine(run: RunConfig) -> None:
    if run.cpus_per_trial > cpus():
        raise UsageError(
            f"--cpus-per-trial {run.cpus_per_trial:g}: this machine has {cpus()}; ask for at most that many"
        )
    if run.gpus_per_trial > 0 and run.gpus_per_trial > (there := gpus()):
        have = "no GPU that torch can use" if there == 0 else f"{there} GPU{'s' if there > 1 else ''}"
        raise UsageError(f"--gpus-per-trial {run.gpus_per_trial:g}: this machine has {have}; drop the option")


def _home_is_writable(home: Path) -> None:
    nearest = home.absolute()
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    if not nearest.is_dir():
        raise UsageError(f"--home {home}: {nearest} is not a directory; choose another place")
    try:
        # Tried, not asked: permissions say nothing about read-only file systems, and everything is allowed to root.
        tempfile.TemporaryDirectory(prefix=".ockham-", dir=nearest).cleanup()
    except OSError as error:
        why = error.strerror or error
        raise UsageError(
            f"--home {home}: nothing can be written in {nearest} ({why}); choose another place, e.g. --home ~/studies"
        ) from None


def _storage_takes_files(storage: str) -> None:
    probe = f".ockham-{os.getpid()}"
    try:
        folder = folder_at(storage)
        folder.write(probe, [b"can be removed"])
        folder.remove(probe)
    except ValueError as error:
        raise UsageError(f"--storage {error}") from None
    except OSError as error:
        raise UsageError(
            f"--storage {storage}: nothing can be written there ({error}); check the address and your credentials"
        ) from None


def _data_corners(config: StudyConfig) -> list[TrialConfig]:
    """One trial for each combination of data set and sizes that the study spans."""
    space = config.space
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    trials = [space.config({**first, **point}, config.seed) for point in config.configurations] or []
    trials.append(space.config(first, config.seed))
    for name, spanned in space.span.items():
        if name.startswith("data."):
            trials += [space.config({**first, name: value}, config.seed) for value in spanned.corners()]
    return trials
