"""What a run leaves for people: the verdicts and the report, and their gist for MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.answer.verdict import Verdicts
from study.costs.cost import cost_so_far
from study.errors import UsageError
from study.events import Listener
from study.ledger import Ledger
from study.private import private_below
from study.settings.verdicts import plan_of, robustness_in, verdicts_in
from study.stop_flag import StopFlag


@dataclass(frozen=True)
class Conclusion:
    """The verdicts and the report's page, None where there are none; what MLflow's parent run is told."""

    summary: Mapping[str, Any]
    page: Path | None = None
    verdicts: Verdicts | None = None


def conclude(ledger: Ledger, listener: Listener, flag: StopFlag) -> Conclusion:
    """Writes the report of a study that has complete trials.

    A failure here is told and costs nothing else: all results are in the ledger. Someone who pressed Ctrl-C does not
    wait for it.
    """
    counts = ledger.counts()
    summary: dict[str, Any] = {f"ockham/{state.lower()}": number for state, number in counts.items()}
    summary |= cost_so_far(ledger).as_metrics()
    if flag.hurried or not counts["COMPLETE"]:
        return Conclusion(summary)
    try:
        page, verdicts = write(ledger)
    except Exception as error:
        listener.on_message(
            f"the report could not be written ({type(error).__name__}: {error}); all results are there: "
            f"{ledger.config.command('report')}"
        )
        return Conclusion(summary)
    return Conclusion({**summary, **gist(verdicts)}, page, verdicts)


def write(ledger: Ledger, out: Path | None = None) -> tuple[Path, Verdicts]:
    """Verdicts and report of a study as it stands, in its `report` folder unless told where."""
    from study.ledger.frames import network_frame, trial_frame
    from study.report import write_report

    config, rows = ledger.config, ledger.trials()
    listed = ledger.files()
    trials, networks = trial_frame(rows), network_frame(config.directory, rows, listed)
    folder = out or config.directory / "report"
    plan = plan_of(config)
    verdicts = verdicts_in(config, rows, trials, networks, plan=plan, courses=True)
    checks = robustness_in(config, rows, trials, networks, plan=plan)
    try:
        with private_below(config.run.home, folder):
            page = write_report(config, trials, networks, verdicts, folder, robustness=checks, listed=listed)
    except OSError as error:
        elsewhere = config.command("report", "--out", "DIR")
        raise UsageError(
            f"the report can't be written to {folder} ({error.strerror}); write it elsewhere: {elsewhere}"
        ) from None
    return page, verdicts


def gist(verdicts: Verdicts) -> dict[str, Any]:
    """The verdicts as MLflow metrics (`claim/<name>`, its ends) and tags (`claim.<name>`: `supported: 0.29 (…), …`)."""
    numbers: dict[str, float] = {}
    tags: dict[str, str] = {}
    later = {found.claim for found in verdicts.exploratory}
    for one in verdicts.listed_findings:
        tags[f"claim.{one.claim}"] = f"{'exploratory, ' if one.claim in later else ''}{one.verdict}: {one.brief}"
        low, high = one.shown_interval
        ends = {"": one.estimate, "/low": low, "/high": high, "/n": float(one.n)}
        numbers |= {f"claim/{one.claim}{end}": value for end, value in ends.items() if value is not None}
    if not tags:
        return {}
    return {**numbers, **tags, "ockham.assurance": verdicts.assurance, "ockham.answer": verdicts.as_text()}
