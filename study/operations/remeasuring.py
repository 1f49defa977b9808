"""Measures of the networks of trials that have ended: taken afterwards, and kept as if they had been taken at once."""

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.errors import UsageError
from study.execution.results import result_files
from study.ledger import Ledger
from study.ledger.files import ARRAYS, LAYERS, NETWORKS, RESULTS, result_of
from study.ledger.tables import arrays_in, table_in
from study.operations.running_again import Say, run_again
from study.settings.inputs import compare_inputs
from study.storing.restoring import fetch_networks
from study.storing.safekeeping import check_storage
from trainables.config import MeasuresConfig, TrialConfig
from trainables.dotted import unflatten
from trainables.explain import explain
from trainables.looking.measure import measures_of
from trainables.opening import read_file
from trainables.record import Record

if TYPE_CHECKING:
    from study.ledger import TrialRow
    from trainables.workspace import Workspace

Row = dict[str, Any]
# Scores of networks that were trained again are what was recorded, but for rounding.
_ROUNDING = 1e-6
_NOTE, _WITH = "remeasured/", ", with "
_BEAT_S = 1.0


@dataclass(frozen=True)
class RemeasureResult:
    """What was done.

    Attributes:
        measured_now: Numbers of the trials that were measured now.
        measured_before: Of those that had been already.
        failures: Number → why a trial could not be.
        was_stopped: Whether somebody asked it to stop before all were.
    """

    measured_now: tuple[int, ...]
    measured_before: tuple[int, ...]
    failures: dict[int, str]
    was_stopped: bool = False


class _StopRequested(Exception):
    """Somebody asked for a stop."""


def remeasure(
    ledger: Ledger,
    names: str,
    numbers: Sequence[int] | None = None,
    *,
    settings: Sequence[str] = (),
    say: Say,
) -> RemeasureResult:
    """Takes measures of the networks of COMPLETE trials.

    Dense networks are taken from where the home keeps them, else trained again; those of levels are made of them again.
    Trial by trial, each in one transaction: stopped anywhere and asked again, it goes on with those that are left.

    Args:
        names: As `measures=` in a study, e.g. `norms+spectrum`.
        numbers: Of trials; None: all that ended COMPLETE.
        settings: Fields of these measures as `--set` has them: `measures.spectrum.when=levels`. What a trial has of
            a measure stays unless fields are given with which it was not taken.
        say: Told what is going on, in a line.
    Raises:
        LeaseHeld: A driver runs the study.
        UsageError: There is no such measure, field or trial; a trial took the measure at once with other fields; or
            what trials read is not what it was.
    """
    wanted = _measures_asked_for(names, settings)
    if not wanted.chosen_names:
        raise UsageError("measures=none takes none; name some, joined by +, or all.")
    rows = ledger.trials(numbers, states=("COMPLETE",))
    if numbers is not None and (lacking := sorted(set(numbers) - {row.number for row in rows})):
        raise UsageError(f"trial {lacking[0]} of {ledger.name} has not ended COMPLETE; only such trials are measured.")
    if not rows:
        raise UsageError(f"no trial of {ledger.name} has ended COMPLETE yet; nothing can be measured.")
    left = {row.number: _missing_measures(row, wanted) for row in rows}
    compare_inputs(ledger, [TrialConfig.model_validate(unflatten(row.params)) for row in rows])
    check_storage(ledger)
    ledger.acquire()
    done, before, failed, stopped = [], [], {}, False
    try:
        fetch_networks(ledger)
        for row in rows:
            if not left[row.number]:
                before.append(row.number)
                continue
            say(f"trial {row.number}: {', '.join(left[row.number])}")
            if why := _measure(ledger, row, wanted, left[row.number]):
                failed[row.number] = why
            else:
                done.append(row.number)
    except _StopRequested:
        stopped = True
    finally:
        # Of the earlier ones too: whoever measured them may have died before they were stored.
        later = [row.number for row in rows if any(note.startswith(_NOTE) for note in row.notes)]
        _store(ledger, sorted({*done, *later}))
        ledger.release()
    return RemeasureResult(tuple(done), tuple(before), failed, stopped)


def _measures_asked_for(names: str, settings: Sequence[str]) -> MeasuresConfig:
    try:
        said = apply_settings(SearchSpace(), [f"measures={names}", *settings])
        fixed = {key: value for key, value in said.base.items() if key != "measures"}
        if said.span:
            raise UsageError(f"--set {next(iter(said.span))}: one value, not several; a measure is taken once.")
        if others := [key for key in fixed if not key.startswith("measures.")]:
            raise UsageError(
                f"--set {others[0]}: only fields of measures can be set here, e.g. measures.spectrum.when."
            )
        return TrialConfig.model_validate(unflatten({"measures": names, **fixed})).measures
    except ValidationError as error:
        said_of = explain(error, TrialConfig).removeprefix("measures: ")
        raise UsageError(f"--measures {names}: {said_of}") from None
    except ValueError as error:
        raise UsageError(str(error) if str(error).endswith((".", "?")) else f"{error}.") from None


def _missing_measures(row: "TrialRow", wanted: MeasuresConfig) -> list[str]:
    """Measures that the trial lacks, or has with other fields than the ones that are asked for.

    Raises:
        UsageError: It took one of them at once with other fields.
    """
    left = []
    for name in wanted.chosen_names:
        had, given = _fields_of(row, name), _fields_text(wanted, name)
        if had is None or (wanted.options(name) and had != given):
            left.append(name)
            if had is not None and f"{_NOTE}{name}" not in row.notes:
                raise UsageError(
                    f"trial {row.number} took {name} when it ran, with {had or 'the usual fields'}: that stays as it "
                    f"is. With {given or 'the usual fields'} launch a study of its own, or leave {name} out."
                )
    return left


def _fields_of(row: "TrialRow", name: str) -> str | None:
    """With which fields the trial took the measure, at once or afterwards ("": the usual ones); None: it did not."""
    if (note := row.notes.get(f"{_NOTE}{name}")) is not None:
        return note.partition(_WITH)[2]
    own = f"measure/{name}/"
    at_once = TrialConfig.model_validate(unflatten(row.params)).measures
    taken = name in at_once.chosen_names and any(own in said for said in (*row.metrics, *row.notes))
    return _fields_text(at_once, name) if taken else None


def _fields_text(measures: MeasuresConfig, name: str) -> str:
    """Fields that are not the usual ones, as text."""
    made = measures_of(measures)[name].model_dump(mode="json")
    usual = measures_of(MeasuresConfig(names=name))[name].model_dump(mode="json")
    return ", ".join(f"{field}={value}" for field, value in made.items() if value != usual[field])


def _measure(ledger: Ledger, row: "TrialRow", wanted: MeasuresConfig, names: Sequence[str]) -> str:
    """ "" once it is kept, else why it could not be."""
    directory = ledger.config.directory
    wrong = [f"{file.name} {trouble}" for file in ledger.files([row.number]) if (trouble := file.trouble_in(directory))]
    if wrong:
        return f"{', '.join(wrong)}; run it again with: {ledger.config.command('resume', '--repair')}"
    config = TrialConfig.model_validate(unflatten(row.params))
    options = {name: wanted.options(name) for name in names if wanted.options(name)}
    measures = MeasuresConfig.model_validate({"names": "+".join(names), **options})
    config = config.model_copy(update={"measures": measures})
    last = config.compression.depth if any(m.when != "dense" for m in measures_of(measures).values()) else 0
    workspace = run_again(config, row, ledger.config, last, pausing=_pulse(ledger))
    old = _results(ledger, row.number)
    if why := _why_another(workspace, old[NETWORKS]):
        return why
    from trainables.looks import with_measures

    found = with_measures(workspace, Record("summary", 0, networks=tuple(workspace.progress.rows)))
    columns = [name for name in workspace.progress.rows[0] if name.startswith(tuple(f"measure/{n}/" for n in names))]
    new = {_key(own): own for own in workspace.progress.rows}
    networks = tuple({**own, **{name: new.get(_key(own), {}).get(name) for name in columns}} for own in old[NETWORKS])
    layers = (*(own for own in old[LAYERS] if own["measure"] not in names), *found.layers)
    arrays = {name: array for name, array in old[ARRAYS].items() if name.split("/")[1] not in names}
    record = Record("summary", 0, networks=networks, layers=layers, arrays={**arrays, **found.arrays})
    found = replace(found, notes=found.notes | {f"{_NOTE}{name}": _note(workspace, measures, name) for name in names})
    with result_files(directory, row.number, [record]) as results:
        ledger.add_measured(row.number, names, found, results)
    return ""


def _note(workspace: "Workspace", measures: MeasuresConfig, name: str) -> str:
    networks = "the dense networks that were kept" if workspace.progress.reused_seconds else "networks trained again"
    by = f"afterwards, of {networks}, by ockham {version('ockham')}, torch {version('torch')} on {platform.machine()}"
    fields = _fields_text(measures, name)
    return f"{by}{_WITH}{fields}" if fields else by


def _pulse(ledger: Ledger) -> Callable[[], None]:
    """Shows that this process lives, and looks whether it should stop; called as often as one likes."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        if time.monotonic() - last >= _BEAT_S:
            ledger.heartbeat()
            if ledger.stop_requested():
                raise _StopRequested
            last = time.monotonic()

    return beat


def _results(ledger: Ledger, number: int) -> dict[str, Any]:
    """What the trial left in files: rows, rows, arrays."""
    folder = ledger.config.directory
    paths = {kind: folder / result_of(number, kind) for kind in RESULTS}
    found: dict[str, Any] = {
        kind: table_in(read_file(paths[kind])).to_pylist() if paths[kind].is_file() else []
        for kind in (NETWORKS, LAYERS)
    }
    found[ARRAYS] = arrays_in(read_file(paths[ARRAYS])) if paths[ARRAYS].is_file() else {}
    return found


def _why_another(workspace: "Workspace", recorded: Sequence[Row]) -> str:
    """Why the networks are not those that were recorded, "" if they are."""
    if not recorded:
        return "it left no networks.parquet here; is --home right?"
    there = {_key(row): row for row in recorded}
    name = f"train_{workspace.data.task.score}"
    for row in workspace.progress.rows:
        before = there.get(_key(row), {}).get(name)
        if (before is None) != (row[name] is None) or (before is not None and abs(before - row[name]) > _ROUNDING):
            return (
                f"trained again, network {row['network']} ({row['arm']}, level {row['level']}) has {name} {row[name]} "
                f"where {before} was recorded; was the trial run with other versions, or on another kind of machine?"
            )
    return ""


def _key(row: Row) -> tuple[str, int, int]:
    return row["arm"], row["network"], row["level"]


def _store(ledger: Ledger, numbers: Sequence[int]) -> None:
    """Puts the new files on the study's storage, if it has one, and then the ledger that lists them."""
    if ledger.config.run.storage is None or not numbers:
        return
    from study.storing import snapshots
    from study.storing.restoring import folder_of

    folder = folder_of(ledger.config.run.storage, ledger.name)
    for name in [result_of(number, kind) for number in numbers for kind in RESULTS]:
        path = ledger.config.directory / name
        if path.is_file():
            folder.write(name, [path.read_bytes()])
    if ledger.url.startswith("sqlite"):
        content, _ = snapshots.copy_ledger(ledger.url, ledger.name)
        snapshots.put(content, folder / "ledger", ledger.fence or 0)
