"""The named studies run one after the other, and one page of what is recorded of them."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from search_spaces import catalog
from study.config import StudyConfig
from study.errors import Damaged, StudyNotFound, UsageError
from study.ledger.frames import write
from study.ledger.place import Place
from study.operations.comparing import ComparedStudy, look, open_ledgers
from study.operations.replications_page import GAP, gap_section, sections_of, study_section, whole_page
from study.report.figures.gap_measures import gap_svg
from study.settings.loading import LaunchOptions, LoadedStudy, load_study
from study.settings.measures import gap_across

_INCOMPLETE = 130
_PAGE = "REPLICATIONS.md"


def replicate(
    place: Place,
    names: Sequence[str],
    size: str,
    data_dir: Path | None,
    out: Path | None,
    *,
    run: bool,
    say: Callable[[str], None],
) -> int:
    """Runs what has not ended, each study as a command of its own, and writes the page after each; an exit code.

    One that fails or is refused is said and left; one that is interrupted (130) ends all, to be gone on with.

    Args:
        names: Named studies; none: all that come in the size.
        run: False: only the page is written.

    Raises:
        UsageError: There is no such study or size.
    """
    wanted = _declared_studies(place, names, size, data_dir)
    page = out or place.home / _PAGE
    recorded = {name: _recorded_study(place, loaded) for name, loaded in wanted.items()}
    left = [name for name, found in recorded.items() if run and not _is_finished(found)]
    if not left:
        write_page(place, wanted, recorded, size, page)
    worst = 0
    for number, (name, loaded) in enumerate(wanted.items(), start=1):
        if name not in left:
            continue
        say(f"{name}, {number} of {len(wanted)}: {loaded.config.space.title}")
        code = subprocess.run(_command(place, name, size, data_dir), check=False).returncode  # noqa: S603
        code = 128 - code if code < 0 else code  # of one that a signal ended, as shells have it: 130 where interrupted
        if code == _INCOMPLETE:
            say(f"Stopped at {name}. The same command goes on from there.")
            worst = _INCOMPLETE
        elif code:
            say(f"{name} ended with exit code {code}; the others go on.")
            worst = max(worst, code)
        recorded[name] = _recorded_study(place, loaded)
        write_page(place, wanted, recorded, size, page)
        if code == _INCOMPLETE:
            break
    say(f"Page: {page}")
    return worst


def write_page(
    place: Place,
    wanted: Mapping[str, LoadedStudy],
    recorded: Mapping[str, ComparedStudy | str],
    size: str,
    page: Path,
) -> None:
    """Writes the page anew: a section for each finished study of this home, the earlier one for each that is not.

    An earlier section, written from another home or by another machine, stays while the study's declaration does.

    Args:
        recorded: Each study as this home has it, or why it can't stand for the declaration.

    Raises:
        UsageError: The page can't be read or written.
    """
    identities = {name: loaded.config.fingerprint() for name, loaded in wanted.items()}
    earlier = {
        heading: section
        for heading, section in sections_of(page, size).items()
        if section.identities.items() <= identities.items()
    }
    sections, missing = [], {}
    for name, found in recorded.items():
        if isinstance(found, ComparedStudy) and (found.is_finished or name not in earlier):
            sections.append(study_section(name, wanted[name].config, size, found))
        elif name in earlier:
            sections.append(earlier[name])
        else:
            missing[name] = str(found)
    finished = {name: identities[name] for name, found in recorded.items() if _is_finished(found)}
    page.parent.mkdir(parents=True, exist_ok=True)
    gap = earlier.get(GAP)
    if finished and (gap is None or not finished.items() < gap.identities.items()):
        picture = page.with_name(f"{page.stem.lower()}-gap.svg")
        with open_ledgers(place, [wanted[name].config.name for name in finished]) as (ledgers, _):
            table = gap_across(ledgers)
        if table.num_tested:
            write(picture, gap_svg(table))
            gap = gap_section(finished, table, picture.name)
    write(page, whole_page(size, [*sections, *([gap] if gap is not None else [])], missing))


def _declared_studies(place: Place, names: Sequence[str], size: str, data_dir: Path | None) -> dict[str, LoadedStudy]:
    if not names:
        names = [name for name in catalog.names() if size in catalog.study(name).known_sizes]
        if not names:
            raise UsageError(f"--size {size}: no named study comes in it; choose small, paper or large.")
    run: dict[str, Any] = place.run_fields() | ({} if data_dir is None else {"data_dir": data_dir})
    return {name: load_study(LaunchOptions(source=name, size=size, run=run)) for name in names}


def _recorded_study(place: Place, loaded: LoadedStudy) -> ComparedStudy | str:
    """The study as it is recorded, or why it can't stand for the declaration."""
    name = loaded.config.name
    try:
        ledger = place.open(name)
    except StudyNotFound:
        return "not run yet"
    except Damaged as error:
        return str(error)
    try:
        if not _is(loaded.config, ledger.config):
            return f"recorded before its declaration changed; {place.command('delete', name)} makes room for it"
        found = look(ledger)
    except Damaged as error:
        return str(error)
    finally:
        ledger.close()
    return found if found.ended_count else "no trial has ended yet"


def _is_finished(found: ComparedStudy | str) -> bool:
    return isinstance(found, ComparedStudy) and found.is_finished


def _is(declared: StudyConfig, recorded: StudyConfig) -> bool:
    """Whether a recorded study is the declared one; what was fixed when it came into being is its own."""
    mine, theirs = declared.drawn_as(recorded).identity(), recorded.identity()
    theirs["space"]["base"] = {name: theirs["space"]["base"].get(name) for name in mine["space"]["base"]}
    return mine == theirs


def _command(place: Place, name: str, size: str, data_dir: Path | None) -> list[str]:
    words = [sys.executable, "-m", "study.cli", "launch", name, "--size", size, "--home", str(place.home)]
    for option, value in (("--ledger", place.ledger), ("--tracking-uri", place.tracking_uri),
                          ("--storage", place.storage), ("--data-dir", data_dir)):  # fmt: skip
        words += [] if value is None else [option, str(value)]
    return words
