"""Measures of the networks of trials that have ended: taken afterwards, and kept as if they had been taken at once."""

import io
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from study.errors import UsageError
from study.execution.results import result_files
from study.ledger import Ledger
from study.ledger.files import ARRAYS, LAYERS, NETWORKS, RESULTS, result_of
from study.operations.exporting import run_again
from study.settings.inputs import compare_inputs
from trainables.config import MeasuresConfig, TrialConfig, unflatten
from trainables.record import Record

if TYPE_CHECKING:
    from study.ledger import TrialRow
    from trainables.bench import Bench

Say = Callable[[str], None]
Row = dict[str, Any]
# Scores of networks that were trained again are what was recorded, but for rounding.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Remeasured:
    """What was done.

    Attributes:
        done: Numbers of the trials that were measured now.
        before: Of those that had been already.
        failed: Number → why a trial could not be.
    """

    done: tuple[int, ...]
    before: tuple[int, ...]
    failed: dict[int, str]


def remeasure(ledger: Ledger, names: str, numbers: Sequence[int] | None = None, *, say: Say) -> Remeasured:
    """Takes measures of the networks of COMPLETE trials, which are trained again up to the level that is needed.

    Trial by trial, each in one transaction: stopped anywhere and asked again, it goes on with those that are left.

    Args:
        names: As `measures=` in a study, e.g. `norms+spectrum`.
        numbers: Of trials; None: all that ended COMPLETE.
        say: Told what is going on, in a line.
    Raises:
        LeaseHeld: A driver runs the study.
        UsageError: There is no such measure or trial, or what trials read is not what it was.
    """
    wanted = _wanted(names)
    rows = ledger.trials(numbers, states=("COMPLETE",))
    if numbers is not None and (lacking := sorted(set(numbers) - {row.number for row in rows})):
        raise UsageError(f"trial {lacking[0]} of {ledger.name} has not ended COMPLETE; only such trials are measured.")
    if not rows:
        raise UsageError(f"no trial of {ledger.name} has ended COMPLETE yet; nothing can be measured.")
    compare_inputs(ledger, [TrialConfig.model_validate(unflatten(row.params)) for row in rows])
    ledger.acquire()
    done, before, failed = [], [], {}
    try:
        for row in rows:
            left = [name for name in wanted if not _has(row, name)]
            if not left:
                before.append(row.number)
                continue
            say(f"trial {row.number}: {', '.join(left)}")
            if why := _measure(ledger, row, left):
                failed[row.number] = why
            else:
                done.append(row.number)
            ledger.heartbeat()
    finally:
        ledger.release()
    return Remeasured(tuple(done), tuple(before), failed)


def _wanted(names: str) -> tuple[str, ...]:
    try:
        return MeasuresConfig(names=names).chosen
    except ValueError as error:
        raise UsageError(f"--measures {error}") from None


def _has(row: "TrialRow", name: str) -> bool:
    """Whether the trial took the measure, at once or afterwards."""
    own = f"measure/{name}/"
    at_once = MeasuresConfig(names=str(row.params.get("measures", "none"))).chosen
    return f"remeasured/{name}" in row.notes or (
        name in at_once and any(own in said for said in (*row.metrics, *row.notes))
    )


def _measure(ledger: Ledger, row: "TrialRow", names: Sequence[str]) -> str:
    """ "" once it is kept, else why it could not be."""
    config = TrialConfig.model_validate(unflatten(row.params))
    config = config.model_copy(update={"measures": MeasuresConfig(names="+".join(names))})
    last = config.compression.depth if any(m.when != "dense" for m in config.measures.measures().values()) else 0
    bench = run_again(config, row, ledger.config, last, _silent)
    old = _results(ledger, row.number)
    if why := _why_another(bench, old[NETWORKS]):
        return why
    from trainables.looks import with_measures

    found = with_measures(bench, Record("summary", 0, networks=tuple(bench.progress.rows)))
    columns = [name for name in bench.progress.rows[0] if name.startswith(tuple(f"measure/{n}/" for n in names))]
    new = {_key(own): own for own in bench.progress.rows}
    networks = tuple({**own, **{name: new.get(_key(own), {}).get(name) for name in columns}} for own in old[NETWORKS])
    layers = (*(own for own in old[LAYERS] if own["measure"] not in names), *found.layers)
    record = Record("summary", 0, networks=networks, layers=layers, arrays={**old[ARRAYS], **found.arrays})
    by = f"afterwards, by ockham {version('ockham')}, torch {version('torch')} on {platform.machine()}"
    found = replace(found, notes=found.notes | {f"remeasured/{name}": by for name in names})
    with result_files(ledger.config.directory, row.number, [record]) as results:
        ledger.remeasured(row.number, found, results)
    _store(ledger, row.number)
    return ""


def _results(ledger: Ledger, number: int) -> dict[str, Any]:
    """What the trial left in files: rows, rows, arrays."""
    import numpy as np
    import pyarrow.parquet

    folder = ledger.config.directory
    paths = {kind: folder / result_of(number, kind) for kind in RESULTS}
    found: dict[str, Any] = {
        kind: pyarrow.parquet.read_table(paths[kind]).to_pylist() if paths[kind].is_file() else []
        for kind in (NETWORKS, LAYERS)
    }
    found[ARRAYS] = {}
    if paths[ARRAYS].is_file():
        with np.load(io.BytesIO(paths[ARRAYS].read_bytes()), allow_pickle=False) as stored:
            found[ARRAYS] = {name: stored[name] for name in stored.files}
    return found


def _why_another(bench: "Bench", recorded: Sequence[Row]) -> str:
    """Why the networks are not those that were recorded, "" if they are."""
    if not recorded:
        return "it left no networks.parquet here; is --home right?"
    there = {_key(row): row for row in recorded}
    name = f"train_{bench.data.task.score}"
    for row in bench.progress.rows:
        before = there.get(_key(row), {}).get(name)
        if (before is None) != (row[name] is None) or (before is not None and abs(before - row[name]) > _ROUNDING):
            return (
                f"trained again, network {row['network']} ({row['arm']}, level {row['level']}) has {name} {row[name]} "
                f"where {before} was recorded; was the trial run with other versions, or on another kind of machine?"
            )
    return ""


def _key(row: Row) -> tuple[str, int, int]:
    return row["arm"], row["network"], row["level"]


def _store(ledger: Ledger, number: int) -> None:
    """Puts the new files on the study's storage, if it has one."""
    if ledger.config.run.storage is None:
        return
    from study.storing.restoring import folder_of

    folder = folder_of(ledger.config.run.storage, ledger.name)
    for kind in RESULTS:
        path = ledger.config.directory / result_of(number, kind)
        if path.is_file():
            folder.write(result_of(number, kind), [path.read_bytes()])


def _silent(_line: str) -> None:
    """Says nothing."""
