"""A study comes into being, all of it or nothing: settings frozen, data checked, directory, `study.yaml`, ledger."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from search_spaces.space import SearchSpace
from study import machine
from study.config import StudyConfig
from study.crash_points import reached
from study.errors import StudyMismatch, StudyNotFound, UsageError
from study.ledger import Ledger
from study.proposing import Proposer
from study.restoring import restore_lost
from trainables.config import TrialConfig

SHORT_LOG2_RATIO = 3.0
_SIZES = ("model.", "compression.", "data.name")


def open_or_create(config: StudyConfig, message: Callable[[str], None]) -> tuple[Ledger, bool]:
    """The ledger of the study of `config`, and whether it is new. Of a study that can't be made nothing is left.

    Raises:
        UsageError: See `machine`, or the name belongs to another study.
    """
    machine.check(config)
    Proposer(config)  # refuses a sampler that does not suit the space
    config = frozen(config, message)
    restored = restore_lost(config.run.home, config.name, config.run.storage, config.run.ledger, message)
    try:
        Ledger.open(config.ledger_url, config.name).close()
    except StudyNotFound:
        return _create(config), True
    try:
        ledger = Ledger.create(config.ledger_url, config)  # refuses another identity
    except StudyMismatch:
        if restored:
            shutil.rmtree(config.directory, ignore_errors=True)
        raise
    machine.prepare_data(config)
    config.directory.mkdir(parents=True, exist_ok=True)
    return ledger, False


def frozen(config: StudyConfig, message: Callable[[str], None]) -> StudyConfig:
    """`config` with everything fixed that all trials must share.

    With `compression.rate` networks of different widths reach different ratios; the area under their curves is
    comparable only up to the smallest of them.
    """
    if not _spans_rate(config.space) or config.space.base.get("compression.auc_log2_ratio") is not None:
        return config
    machine.prepare_data(config)  # the first layer is as wide as the inputs
    shortest = min(_reached(trial, config) for trial in _corners(config))
    if shortest < SHORT_LOG2_RATIO:
        message(
            f"compression.rate and compression.depth reach a ratio of only {2**shortest:.1f} for some trials: "
            "their compressibility is measured over a short curve; raise compression.depth"
        )
    # Rounded down, so that each of them really reaches it.
    return config.model_copy(
        update={"space": config.space.fix({"compression.auc_log2_ratio": int(shortest * 1e6) / 1e6})}
    )


def _reached(trial: TrialConfig, config: StudyConfig) -> float:
    from trainables.compression.sizing import reached_log2_ratio
    from trainables.data.loading import dataset_of

    raw = dataset_of(trial.data).load(config.run.data_path)
    _, *shape = raw.images.shape
    return reached_log2_ratio(trial, (shape[0], shape[1], shape[2]), raw.num_classes)


def write_study_file(config: StudyConfig) -> None:
    """`study.yaml`: the configuration as frozen, complete or not there at all."""
    path = config.directory / "study.yaml"
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    for left in path.parent.glob("study.*.tmp"):  # of drivers that died
        left.unlink(missing_ok=True)


def _create(config: StudyConfig) -> Ledger:
    made = _missing(config.directory)
    try:
        machine.prepare_data(config)
        config.directory.mkdir(parents=True, exist_ok=True)
        write_study_file(config)
        reached("study file written")
        return Ledger.create(config.ledger_url, config)
    except BaseException as error:
        if config.directory in made:
            shutil.rmtree(config.directory, ignore_errors=True)
        _remove_if_empty(config.run.data_path, *made)
        if isinstance(error, OSError):
            raise UsageError(f"--home {config.run.home}: {error.strerror or error}") from None
        raise


def _missing(directory: Path) -> list[Path]:
    """`directory` and its parents, as far as they do not exist; deepest first."""
    return list(itertools.takewhile(lambda path: not path.exists(), (directory, *directory.parents)))


def _remove_if_empty(*folders: Path) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _spans_rate(space: SearchSpace) -> bool:
    return "compression.rate" in space.span or space.base.get("compression.rate") is not None


def _corners(config: StudyConfig) -> Iterator[TrialConfig]:
    """A trial for every combination of the values that decide how far a network is compressed."""
    space = config.space
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    deciding = [name for name in space.span if name.startswith(_SIZES)]
    for values in itertools.product(*(space.span[name].corners() for name in deciding)):
        yield space.config(space.active({**first, **dict(zip(deciding, values, strict=True))}), config.seed)
    for point in config.configurations:
        yield space.config(space.active({**first, **point}), config.seed)
