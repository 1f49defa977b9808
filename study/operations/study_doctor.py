"""Is a study whole? Everything of it looked at: ledger, rows, files, copies, MLflow; and mended, where that can be."""

from collections.abc import Iterator
from pathlib import Path

from study.config.yaml_files import read_yaml
from study.errors import Damaged, UsageError
from study.ledger import Ledger, intact
from study.ledger.files import damaged_files
from study.ledger.place import Place
from study.ledger.remains import COPIES
from study.operations.doctor import CheckResult
from study.operations.mending import mend_ledger, mend_store, mend_study_file
from study.settings.resume_request import numbers_text
from study.storing import snapshots
from trainables.storage import LocalFolder


def examine_study(place: Place, name: str, *, mend: bool) -> Iterator[CheckResult]:
    """Looks at one thing after the other.

    Args:
        mend: Mend what can be mended without running a trial; trials are run again by `ockham resume NAME --repair`.
    Raises:
        StudyNotFound: There is none of that name, nor anything left of one.
        LeaseHeld: A ledger that has to be mended is in use.
    """
    said: list[str] = []
    if mend:
        if place.ledger is None and (place.home / name).is_dir():
            mend_ledger(place, name, said.append)
        mend_store(place, said.append)
    yield from (CheckResult("Mended", "ok", text) for text in said)
    try:
        ledger = place.open(name)
    except Damaged as error:
        yield CheckResult("Ledger", "broken", error.what, error.way or place.command("doctor", name, "--mend"))
        return
    try:
        if mend and mend_study_file(ledger, said.append):
            yield CheckResult("Mended", "ok", said[-1])
        yield from _ledger(ledger)
        yield _files(ledger)
        yield _study_file(ledger)
        yield _copies(ledger)
        yield _store(place, name)
        yield from _refused_values(ledger)
    finally:
        ledger.close()


def _ledger(ledger: Ledger) -> Iterator[CheckResult]:
    command = ledger.config.command
    mending = f"{command('doctor', '--mend')} takes the newest sound copy; or {command('resume', '--repair')}"
    if ledger.url.startswith("sqlite"):
        path = Path(ledger.url.removeprefix("sqlite:///"))
        if trouble := intact.trouble_of(path, whole=True):
            yield CheckResult("Ledger", "broken", trouble, mending)
            return
    unsound = ledger.damaged_trials(steps_too=True)
    if unsound:
        yield CheckResult(
            "Ledger", "broken", f"rows of trials {numbers_text(unsound)} are not what was written", mending
        )
        return
    counts = ", ".join(f"{number} {state}" for state, number in ledger.counts().items() if number)
    yield CheckResult("Ledger", "ok", f"whole: {counts or 'no trials yet'}")
    if older := ledger.count_unsealed():
        found = f"{older} trials of an earlier version, which wrote no checksums: whether they changed is not known"
        yield CheckResult("", "note", found)


def _files(ledger: Ledger) -> CheckResult:
    files = ledger.files()
    if damaged := damaged_files(files, ledger.config.directory):
        shown = ", ".join(f"{name} {wrong}" for name, (_, wrong) in list(damaged.items())[:8])
        repair = ledger.config.command("resume", "--repair")
        return CheckResult("Results", "broken", shown, f"Run these trials again: {repair}")
    missing = len(ledger.numbers("COMPLETE")) - len(files)
    found = f"{len(files)} files are what was written"
    if missing > 0:
        return CheckResult("Results", "note", f"{found}; {missing} trials of an earlier version have none listed")
    return CheckResult("Results", "ok", found)


def _study_file(ledger: Ledger) -> CheckResult:
    path = ledger.config.directory / "study.yaml"
    fix = f"Write it again from the ledger: {ledger.config.command('doctor', '--mend')}"
    try:
        if not path.exists():
            return CheckResult("study.yaml", "note", "is missing", fix)
        said = read_yaml(path)
    except (OSError, UsageError) as error:
        return CheckResult("study.yaml", "broken", f"can't be read: {error}", fix)
    shown = ledger.config.public_fields()
    differ = [field for field in ("name", "space", "sampler", "seed") if not _is_same(said, shown, field)]
    if differ:
        return CheckResult("study.yaml", "broken", f"differs from the ledger in {', '.join(differ)}", fix)
    return CheckResult("study.yaml", "ok", "as the ledger says")


def _is_same(said: object, shown: dict[str, object], field: str) -> bool:
    return isinstance(said, dict) and said.get(field) == shown[field]


def _copies(ledger: Ledger) -> CheckResult:
    folder = LocalFolder(ledger.config.directory / COPIES)
    there = [name for name in folder.names() if name.endswith(".db")]
    sound = len(list(snapshots.newest(folder)))
    if not there:
        return CheckResult("Copies", "note", "none of the ledger yet; the next run makes one")
    if sound < len(there):
        return CheckResult(
            "Copies", "note", f"{len(there) - sound} of {len(there)} are damaged; the next run makes another"
        )
    return CheckResult("Copies", "ok", f"{sound} of the ledger, in {folder}")


def _store(place: Place, name: str) -> CheckResult:
    path = place.own_store
    if path is None or not path.exists():
        return CheckResult("MLflow", "ok", "not in this home")
    if trouble := intact.trouble_of(path, whole=True):
        fix = f"Nothing but MLflow's own pages depends on it; fill a new one: {place.command('doctor', name, '--mend')}"
        return CheckResult("MLflow", "broken", trouble, fix)
    return CheckResult("MLflow", "ok", f"{path.name} is whole")


def _refused_values(ledger: Ledger) -> Iterator[CheckResult]:
    for number, values in ledger.refused_values().items():
        shown = "; ".join(f"{one.what} ({one.why})" for one in values)
        yield CheckResult("", "note", f"MLflow refuses for good, of trial {number}: {shown}. The ledger has it")
