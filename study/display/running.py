"""A study run from the command line: checked, shown while it runs, summed up at its end."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console

from study.config import StudyConfig
from study.display import choose, terminal
from study.display.summary import print_summary
from study.events import Messages
from study.settings.resume_request import NO_REQUEST, ResumeRequest

if TYPE_CHECKING:
    from study.events import Outcome


def run_study(config: StudyConfig, notes: Sequence[str] = (), request: ResumeRequest = NO_REQUEST) -> int:
    """Runs the study to its end, or until it is stopped; returns its exit code (0, 3 or 130).

    Args:
        notes: One line each, printed first.
        request: Of someone who resumes it.
    Raises:
        UsageError: Something that can be seen beforehand is wrong; nothing has been started or written.
        LeaseHeld: Another driver runs the study.
    """
    console = terminal()
    for note in notes:
        console.print(note, markup=False, soft_wrap=True)
    outcome = _run(config, console, request)
    try:
        _sum_up(config, outcome, console)
    except Exception as error:  # the study has ended as it has, whatever can be shown of it
        console.print(f"Its summary can't be shown ({type(error).__name__}: {error}).", markup=False)
    return outcome.exit_code


def _run(config: StudyConfig, console: Console, request: ResumeRequest) -> "Outcome":
    from study.execution.driver import run

    if not config.run.progress:
        return run(config, listener=Messages(partial(console.print, markup=False, highlight=False)), request=request)
    display = choose(console)
    try:
        return run(config, listener=display, request=request)
    finally:
        display.close()


def _sum_up(config: StudyConfig, outcome: "Outcome", console: Console) -> None:
    from study.ledger import Ledger

    ledger = Ledger.open(config.ledger_url, config.name)
    rows = ledger.trials()
    ledger.close()
    print_summary(console, config, outcome, rows)
