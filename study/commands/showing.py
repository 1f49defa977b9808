"""What `status` and `trials` print."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from study.commands.formats import draw_on
from study.display import terminal
from study.display.frame import frame, results
from study.display.painter import Painter
from study.display.words import DASH, duration, from_here, setting
from study.errors import Damaged
from study.ledger.place import Place
from study.operations.status import Status, status_of, statuses
from study.passwords import mask_passwords

if TYPE_CHECKING:
    from study.answer.verdict import Verdicts
    from study.config import StudyConfig
    from study.display.board import Board
    from study.ledger import TrialRow

_COLOURS = {"running": "cyan", "finished": "green", "interrupted": "red", "stopped": "yellow"}
_FAILURES = 3
_OF_CLAIMS = ("claim", "verdict", "estimate", "interval", "n", "unit", "needs")
_TABLE_WIDTH = 160


def all_studies(place: Place, *, as_json: bool) -> None:
    """One line per study of the home."""
    found, unreadable = statuses(place)
    if as_json:
        broken = [{"name": name, "phase": "damaged", "error": str(error)} for name, error in unreadable.items()]
        typer.echo(json.dumps([*(status.as_json() for status in found), *broken], indent=2))
        return
    if not found and not unreadable:
        where = mask_passwords(place.ledger or str(place.home))
        typer.echo(f"There is no study in {where} yet. Start one: {place.command('launch')}")
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for label in ("study", "is", "done", "running", "failed", "left", "not yet in MLflow"):
        table.add_column(label, justify="left" if label in ("study", "is") else "right", no_wrap=True)
    for status in found:
        table.add_row(
            status.name,
            Text(status.phase, style=_COLOURS[status.phase]),
            f"{status.ended_count}/{status.trials}",
            str(len(status.running)),
            Text(str(len(status.failed)), style="red" if status.failed else ""),
            duration(status.remaining_s) if status.phase == "running" else DASH,
            str(status.outbox) if status.outbox else DASH,
        )
    for name in unreadable:
        table.add_row(name, Text("damaged", style="red"), *[DASH] * 5)
    terminal().print(table)
    for error in unreadable.values():
        terminal().print(Text(str(error), style="red"))


def one_study(place: Place, name: str, *, as_json: bool) -> None:
    """A study at a moment: what the live display shows, and why trials failed."""
    status, board = status_of(place, name)
    verdicts, damage = _verdicts(place, name)
    claims = verdicts.listed_findings if verdicts and verdicts.counted else ()
    if as_json:
        said = [{name: getattr(one, name) for name in _OF_CLAIMS} for one in claims]
        typer.echo(json.dumps(status.as_json() | {"claims": said, "damage": damage}, indent=2))
        return
    console = terminal()
    console.print(_picture(status, board, console.width, 10_000), soft_wrap=True)
    if claims:
        console.print()
    for one in claims:
        console.print(f"{one.claim}: {one.verdict}, {one.brief}", soft_wrap=True, markup=False, highlight=False)
    if damage:
        console.print(Text(damage, style="red"), soft_wrap=True)


def _verdicts(place: Place, name: str) -> "tuple[Verdicts | None, str]":
    """The verdicts of a study, and what damage hides them; None where no trial has ended as well."""
    from study.settings.verdicts import verdicts_of

    ledger = place.open(name)
    if not ledger.counts()["COMPLETE"]:
        return None, ""
    try:
        return verdicts_of(ledger), ""
    except Damaged as error:
        return None, str(error.with_doctor(place.command("doctor", name)))


def watch(place: Place, name: str) -> None:
    """The same, repainted until the study is over."""
    console = terminal()
    latest = status_of(place, name)
    if not console.is_terminal:
        console.print(_picture(*latest, console.width, 10_000), soft_wrap=True)
        return
    shown = latest

    def content(width: int, height: int) -> RenderableType:
        return frame(shown[1], width, height - 1)

    painter = Painter(console, content)
    painter.start()
    try:
        while shown[0].phase == "running":
            time.sleep(1.0)
            shown = status_of(place, name)
    except KeyboardInterrupt:
        painter.stop()
        raise typer.Exit(0) from None
    finally:
        painter.stop()
    console.print(_picture(*shown, console.width, 10_000), soft_wrap=True)


def trial_table(rows: Sequence["TrialRow"], spanned: list[str], out: Path | None) -> None:
    """The key numbers, one row per trial; never cut off where it does not go to a terminal."""
    draw_on(lambda console: console.print(results(rows, spanned, console.width)), out, _TABLE_WIDTH)


def _picture(status: Status, board: "Board", width: int, height: int) -> RenderableType:
    parts: list[RenderableType] = [frame(board, width, height, moving=status.phase == "running")]
    parts += [Text(), _phase(status, board.config)]
    for failed in status.failed[-_FAILURES:]:
        parts += [Text(), Text.assemble((f"Trial {failed.number} failed: ", "red"), failed.error)]
        parts.append(Text(f"  {setting(failed.params)}", style="dim"))
        parts += [Padding(Text(line, style="dim"), (0, 0, 0, 4)) for line in failed.log]
    if (more := len(status.failed) - _FAILURES) > 0:
        every = board.config.command("trials", "--format", "json")
        parts.append(Text(f"… and {more} more failed; their errors: {every}"))
    return Group(*parts)


def _phase(status: Status, config: "StudyConfig") -> Text:
    resume = config.command("resume")
    said = {
        "running": f"Run by {status.holder} since {status.since}.",
        "finished": "All trials have ended.",
        "interrupted": f"Its driver died. Nothing is lost; go on with: {resume}",
        "stopped": f"Nobody runs it. Go on with: {resume}",
    }[status.phase]
    text = Text(said, style=_COLOURS[status.phase])
    if status.outbox and status.phase != "running":
        text.append(f"\n{status.outbox} results have not reached MLflow; this sends them: {resume}")
    if status.failed and status.phase != "running":
        text.append(f"\nWhat failed runs once more with: {config.command('resume', '--retry-failed')}")
    if status.cost.hours:
        text.append(f"\nUsed so far: {status.cost}.", style="dim")
    text.append(f"\nIn {from_here(Path(status.directory))}", style="dim")
    return text
