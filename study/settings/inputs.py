"""What the trials of a study read from files stays what it was when the study was launched, or they do not run."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from study.config import StudyConfig
from study.errors import UsageError
from study.ledger import Ledger
from study.ledger.inputs import RecordedInputs
from study.settings.corners import corners
from study.settings.resume_request import ResumeRequest
from trainables.config import TrialConfig
from trainables.dotted import unflatten
from trainables.errors import DataUnavailable

_SHOWN = 8
# Revisions of data sets before what trials read was recorded.
_FIRST = "revision 1"


def settle_inputs(ledger: Ledger, request: ResumeRequest) -> None:
    """Records what the trials of a study read, or compares it with what was recorded; with the lease held.

    Nothing is compared where nothing is left to run.

    Raises:
        UsageError: Files were changed, added or removed since, or examples are made by other code; says which.
    """
    config, left = ledger.config, ledger.numbers("QUEUED", "RUNNING")
    ended = ledger.next_number() - len(left)
    if not (left or ended < config.trials or request.trials or request.retry_failed or ledger.added_waiting()):
        return
    unfinished = [TrialConfig.model_validate(unflatten(row.params)) for row in ledger.trials(left)] if left else []
    ledger.record_inputs(compare_inputs(ledger, [*_reading_corners(config), *unfinished]))


def compare_inputs(ledger: Ledger, trials: Iterable[TrialConfig]) -> RecordedInputs:
    """What trials read and nothing is recorded of yet, once the rest is found to be as it was recorded.

    Raises:
        UsageError: See `settle_inputs`.
    """
    before, now = ledger.inputs(), _inputs(trials, ledger.config.run.data_path)
    known = before or (_of_an_earlier_version(now) if ledger.trials_begun() else {})
    lines = [f"  {name}: {said}" for name, files in now.items() if (said := _changes(known.get(name, files), files))]
    if lines:
        raise UsageError(
            "\n".join(
                [
                    f"what trials of the study {ledger.name!r} read is not what it was when they began:",
                    *lines,
                    "Trials before and after would stand in one table. Put back what it was, or launch a study of "
                    "another --name; trials that have ended stay as they are.",
                ]
            )
        )
    from trainables.input_files import to_record

    return {name: to_record(files) for name, files in now.items() if name not in before}


def _inputs(trials: Iterable[TrialConfig], data_dir: Path) -> dict[str, dict[str, str]]:
    from trainables.input_files import input_digests

    different = {trial.model_dump_json(include={"data", "compression"}): trial for trial in trials}
    said: dict[str, dict[str, str]] = {}
    try:
        for trial in different.values():
            said |= input_digests(trial, data_dir)
    except DataUnavailable as error:
        raise UsageError(str(error)) from None
    return said


def _reading_corners(config: StudyConfig) -> Iterable[TrialConfig]:
    """Trials that together read all that trials of the study may read."""
    own = [name for name in config.space.span if name.count(".") > 1]  # fields of single entries
    return corners(config, ("data.name", "compression.ticket", *own))


def _of_an_earlier_version(now: RecordedInputs) -> dict[str, dict[str, str]]:
    """What is known of a study that began before inputs were recorded: the code of its time."""
    from trainables.input_files import CODE

    return {name: {**files, CODE: _FIRST} for name, files in now.items() if CODE in files}


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    from trainables.input_files import CODE, by_folder

    if any(name.endswith("/") for name in before):
        before, now = by_folder(before), by_folder(now)
    if before.get(CODE) != now.get(CODE):
        return (
            f"its examples are made by other code in this version of Ockham ({before.get(CODE)} then, {now.get(CODE)} "
            "now); the version that began the study makes the old ones"
        )
    words = [
        *(f"{file} is gone" for file in before if file not in now),
        *(f"{file} is new" for file in now if file not in before),
        *(f"{file} was changed" for file in now if file in before and before[file] != now[file]),
    ]
    more = [f"and {len(words) - _SHOWN} more"] if len(words) > _SHOWN else []
    return ", ".join([*words[:_SHOWN], *more])
