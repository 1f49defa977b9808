"""What a run leaves for people: the answer and the report, and their gist for MLflow."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from study.answer import Answer, Effect
from study.answer.verdict import Verdicts
from study.costs.cost import spent
from study.errors import UsageError
from study.events import Listener
from study.ledger import Ledger
from study.private import private_below
from study.settings.verdicts import verdicts_in
from study.stop_flag import StopFlag


@dataclass(frozen=True)
class Conclusion:
    """The answer and the report's page, None where there are none; what MLflow's parent run is told."""

    summary: Mapping[str, Any]
    answer: Answer | None = None
    page: Path | None = None
    verdicts: Verdicts | None = None


def conclude(ledger: Ledger, listener: Listener, flag: StopFlag) -> Conclusion:
    """Writes the report of a study that has complete trials.

    A failure here is told and costs nothing else: all results are in the ledger. Someone who pressed Ctrl-C does not
    wait for it.
    """
    counts = ledger.counts()
    summary: dict[str, Any] = {f"ockham/{state.lower()}": number for state, number in counts.items()}
    summary |= spent(ledger).as_metrics()
    if flag.hurried or not counts["COMPLETE"]:
        return Conclusion(summary)
    try:
        page, answer, verdicts = write(ledger)
    except Exception as error:
        listener.message(
            f"the report could not be written ({type(error).__name__}: {error}); all results are there: "
            f"{ledger.config.command('report')}"
        )
        return Conclusion(summary)
    return Conclusion({**summary, **gist(answer), **tags(verdicts)}, answer, page, verdicts)


def write(ledger: Ledger, out: Path | None = None) -> tuple[Path, Answer, Verdicts]:
    """Answer, verdicts and report of a study as it stands, in its `report` folder unless told where."""
    from study.answer import answer
    from study.ledger.frames import network_frame, trial_frame
    from study.report import write_report

    config, rows = ledger.config, ledger.trials()
    trials, networks = trial_frame(rows), network_frame(config.directory, rows, ledger.files())
    found, folder = answer(trials, networks), out or config.directory / "report"
    verdicts = verdicts_in(config, rows, trials, networks)
    try:
        with private_below(config.run.home, folder):
            page = write_report(config, trials, networks, found, folder, verdicts=verdicts)
    except OSError as error:
        elsewhere = config.command("report", "--out", "DIR")
        raise UsageError(
            f"the report can't be written to {folder} ({error.strerror}); write it elsewhere: {elsewhere}"
        ) from None
    return page, found, verdicts


def tags(verdicts: Verdicts) -> dict[str, str]:
    """The verdicts as MLflow tags: `claim.<name>` → `supported: 0.29 (0.21 to 0.38), 24 trials`."""
    found = {f"claim.{one.claim}": f"{one.verdict}: {one.brief}" for one in verdicts.headlines}
    return {**found, "ockham.assurance": verdicts.assurance} if found else {}


def gist(answer: Answer) -> dict[str, Any]:
    """An answer as MLflow metrics (numbers) and tags (text)."""
    numbers = {f"answer/{name}": value for name, value in _numbers("contrast", answer.overall)}
    for level in answer.levels:
        numbers |= {f"answer/{name}": value for name, value in _numbers(f"contrast/{level.label}", level)}
    tracking = {"tau": answer.tracking.tau, "tau_p": answer.tracking.p, "tau_pairs": float(answer.tracking.pairs)}
    numbers |= {f"answer/{name}": value for name, value in tracking.items() if value is not None}
    return {**numbers, "ockham.answer": answer.as_text(), "ockham.verdict": answer.verdict}


def _numbers(name: str, effect: Effect) -> list[tuple[str, float]]:
    found = [
        (name, effect.mean),
        (f"{name}/ci95", effect.ci95),
        (f"{name}/p", effect.p),
        (f"{name}/pairs", effect.pairs),
    ]
    return [(_metric_name(key), float(value)) for key, value in found if value is not None]


def _metric_name(text: str) -> str:
    """MLflow takes letters, digits and a few signs only."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "_" for sign in text)
