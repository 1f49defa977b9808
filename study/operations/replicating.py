"""The named studies run one after the other, and one page of what is recorded of them."""

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from search_spaces import catalog
from study.answer.words import signed
from study.config import StudyConfig
from study.errors import Damaged, StudyNotFound, UsageError
from study.ledger.frames import write
from study.ledger.place import Place
from study.operations.comparing import Compared, look
from study.report.provenance import commit, versions
from study.settings.loading import LaunchOptions, Loaded, load_study

_INCOMPLETE, _USAGE = 130, 2
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
    wanted = _wanted(place, names, size, data_dir)
    page = out or place.home / _PAGE
    worst = 0
    for number, (name, loaded) in enumerate(wanted.items(), start=1):
        recorded = _recorded(place, loaded)
        if not run or (isinstance(recorded, Compared) and recorded.finished):
            continue
        say(f"{name}, {number} of {len(wanted)}: {loaded.config.space.title}")
        code = subprocess.run(_command(place, name, size, data_dir), check=False).returncode  # noqa: S603
        if code in (_INCOMPLETE, -signal.SIGINT):
            say(f"Stopped at {name}. The same command goes on from there.")
            worst = _INCOMPLETE
            break
        if code:
            say(f"{name} ended with exit code {code}; the others go on.")
            worst = max(worst, code)
    content = replications_page(place, wanted, size)
    page.parent.mkdir(parents=True, exist_ok=True)
    write(page, content)
    say(f"Page: {page}")
    return worst


def replications_page(place: Place, wanted: dict[str, Loaded], size: str) -> str:
    """Markdown: for each study its question, its command, and a line for each claim. From recorded studies alone."""
    parts = [
        "# Replications: what the papers claim, and what came out here",
        f"Every named study at size `{size}`, as ledgers and files have it; written by `ockham replicate`, never by "
        "hand. An interval is simultaneous over all claims of its study (5 % together). A verdict says what this size "
        "shows, and nothing of other data or networks.",
        f"Written on {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs, "
        f"Python {platform.python_version()}; {versions()}; commit {commit()}.",
    ]
    counts: dict[str, int] = {}
    sections, missing = [], []
    for name, loaded in wanted.items():
        found = _recorded(place, loaded)
        if isinstance(found, str):
            missing.append(f"- `{name}`: {found}")
            continue
        for one in found.verdicts.headlines:
            word = f"placebo {one.verdict}" if one.role == "placebo" else one.verdict
            counts[word] = counts.get(word, 0) + 1
        sections.append(_section(name, size, found))
    if counts:
        parts.append("Together: " + ", ".join(f"{count} {word}" for word, count in sorted(counts.items())) + ".")
    parts += sections
    if missing:
        parts.append("\n".join(["## Not recorded", "", *missing]))
    return "\n\n".join(parts) + "\n"


def _section(name: str, size: str, found: Compared) -> str:
    space = found.config.space
    failed = f", {found.failed} failed" if found.failed else ""
    lines = [
        f"## {name}",
        "",
        f"*{space.title}* {space.source}.",
        "",
        f"    ockham launch {name} --size {size}",
        "",
        f"{found.ended} of {found.config.trials} trials{failed}, {found.cost.core_hours * 60:.1f} core-minutes.",
        "",
        "| claim | published | verdict | estimate | interval | n |",
        "|---|---|---|---|---|---|",
    ]
    for row in found.rows():
        low, high = row["interval"]
        where = f" ({row['condition']})" if row["condition"] else ""
        placebo = " *(placebo)*" if row["role"] == "placebo" else ""
        cells = (
            f"{row['says']}{where}{placebo}",
            row["published"] or "–",
            f"**{row['verdict']}**" if not row["condition"] or row["condition"] == "pooled" else row["verdict"],
            row["reason"] if row["estimate"] is None else signed(row["estimate"]),
            "–" if low is None or high is None else f"{signed(low)} … {signed(high)}",
            f"{row['n']} {row['unit']}s",
        )
        lines.append("| " + " | ".join(str(cell).replace("|", "∣") for cell in cells) + " |")
    return "\n".join(lines)


def _wanted(place: Place, names: Sequence[str], size: str, data_dir: Path | None) -> dict[str, Loaded]:
    if not names:
        names = [name for name in catalog.names() if size in catalog.study(name).known_sizes]
        if not names:
            raise UsageError(f"--size {size}: no named study comes in it; choose small, paper or large.")
    run: dict[str, Any] = place.run_fields() | ({} if data_dir is None else {"data_dir": data_dir})
    return {name: load_study(LaunchOptions(source=name, size=size, run=run)) for name in names}


def _recorded(place: Place, loaded: Loaded) -> Compared | str:
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
    return found if found.ended else "no trial has ended yet"


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
