"""What stands on the screen when a run is over: the trials, the answer, how to look further."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from study.config.addresses import command_line
from study.display.frame import results
from study.display.words import duration, from_here

if TYPE_CHECKING:
    from study.config import StudyConfig
    from study.events import Outcome
    from study.ledger import TrialRow

MOST_ROWS = 60
MOST_FAILURES = 5
MOST_CONDITIONS = 6


def print_summary(
    console: Console,
    config: "StudyConfig",
    outcome: "Outcome",
    rows: Sequence["TrialRow"],
) -> None:
    """Table of trials, why some failed, what its data say of each claim, the commands to look further."""
    ended = [row for row in rows if row.state in ("COMPLETE", "PRUNED", "FAILED")]
    spanned = list(config.space.span)
    if ended:
        console.print()
        console.print(results(ended[-MOST_ROWS:], spanned, console.width))
    if len(ended) > MOST_ROWS:
        console.print(f"The last {MOST_ROWS} of {len(ended)}; all of them: {config.command('trials')}", style="dim")
    _failures(console, [row for row in ended if row.state == "FAILED"])
    _claims(console, outcome)
    console.print()
    console.print(Text(_ending(config, outcome), style="" if outcome.exit_code == 0 else "yellow"))
    console.print()
    for command, purpose in _further(config, outcome):
        console.print(Text.assemble(f"  {command:<{_longest(config, outcome)}}  ", (purpose, "dim")), soft_wrap=True)


def _failures(console: Console, failed: Sequence["TrialRow"]) -> None:
    if not failed:
        return
    console.print()
    for row in failed[:MOST_FAILURES]:
        console.print(Text.assemble((f"Trial {row.number} failed: ", "red"), row.error or "no reason was given"))
    if len(failed) > MOST_FAILURES:
        console.print(f"… and {len(failed) - MOST_FAILURES} more failed", style="dim")


def _claims(console: Console, outcome: "Outcome") -> None:
    """What its data say of each claim, what is missing, and what all that is worth."""
    if outcome.verdicts is None:
        return
    console.print()
    for paragraph in outcome.verdicts.paragraphs(MOST_CONDITIONS) if outcome.verdicts.counted else ():
        console.print(Text(paragraph, style="red" if paragraph.startswith("A placebo fails") else ""))
    for said in (*outcome.verdicts.notes, outcome.verdicts.assurance):
        console.print(Text(said, style="dim"))


def _ending(config: "StudyConfig", outcome: "Outcome") -> str:
    """One line: how far, how long, and why it stopped early if it did."""
    failed = outcome.counts.get("FAILED", 0)
    said = f"{outcome.ended_count} of {outcome.trials} trials done"
    stopped = outcome.counts.get("PRUNED", 0)
    said += f", {stopped} of them stopped by {config.scheduler}" if stopped else ""
    said += f", {failed} failed" if failed else ""
    said += f", in {duration(outcome.seconds)}; everything is in {from_here(config.directory)}"
    if outcome.ended_count < outcome.trials:
        said += f". Stopped early ({outcome.reason or 'not all trials ran'}); nothing is lost"
    if outcome.damaged:
        shown = ", ".join(outcome.damaged[:MOST_FAILURES])
        more = f" and {len(outcome.damaged) - MOST_FAILURES} more" if len(outcome.damaged) > MOST_FAILURES else ""
        said += f". Results are damaged, so there is no answer: {shown}{more}; --repair runs these trials again"
    if not outcome.drained:
        said += ". Not everything has reached MLflow and Optuna's tables yet; resuming sends the rest"
    return f"{said}."


def _further(config: "StudyConfig", outcome: "Outcome") -> list[tuple[str, str]]:
    resume = [(config.command("resume"), "go on where it stopped")]
    if outcome.ended_count >= outcome.trials and outcome.drained:
        more = config.command("resume", "--trials", f"+{config.trials}")
        resume = [(more, "more of the same, nothing repeated")]
    if outcome.counts.get("FAILED", 0):
        resume.append((config.command("resume", "--retry-failed"), "what failed once more, under its number"))
    look = [
        (config.command("report"), "the answer as one HTML page"),
        (config.command("trials"), "all numbers (--format csv, json, parquet)"),
        (command_line("ui", home=config.run.home, ledger=None), "the runs in MLflow"),
    ]
    if outcome.damaged:
        resume = [(config.command("resume", "--repair"), "run the trials again whose results are damaged")]
    return [*look, *resume] if outcome.exit_code != 130 else [*resume, *look]


def _longest(config: "StudyConfig", outcome: "Outcome") -> int:
    return max(len(command) for command, _ in _further(config, outcome))
