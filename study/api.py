"""Studies from Python: launch, resume, load, and a handle on what came out.

study.launch("redundancy", set={"model.width": [64, 128]}, trials=8).trials()
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from search_spaces.space import SearchSpace
from study.config import OF_ONE_RUN, RunConfig, StudyConfig
from study.config.goals import Constraint, Objective
from study.errors import UsageError
from study.events import Listener, Outcome
from study.ledger import Ledger
from study.ledger.place import Place
from study.settings.loading import LaunchOptions, LoadedStudy, load_study
from study.settings.resume_request import NO_REQUEST, ResumeRequest, budget
from study.settings.verdicts import robustness_of, verdicts_of
from study.settings.wording import as_argument
from study.storing.restoring import restore_lost
from study.trust import anybody, ask_nobody, require_trust
from trainables.explain import problems_of
from trainables.problems import problems_in
from trainables.spelling import unknown

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.answer.robustness import Robustness
    from study.answer.verdict import Verdicts
    from study.execution.executor import TrialFunction
    from study.operations.exporting import ExportResult

_SETTABLE = tuple(name for name in RunConfig.model_fields if name not in ("home", "ledger"))


class StudyHandle:
    """A study that exists, running or not; reads the ledger afresh at each call.

    Attributes:
        config: Its identity as frozen, its latest budget and run settings.
        outcome: How the run that made this handle ended; None for a loaded study.
    """

    def __init__(self, ledger: Ledger, outcome: Outcome | None = None) -> None:
        self._ledger, self.outcome = ledger, outcome
        self.config: StudyConfig = ledger.config

    def trials(self) -> "DataFrame":
        """One row per trial: number, state, role, dotted parameters, metrics and the rest of `TrialRow`."""
        from study.ledger.frames import trial_frame

        return trial_frame(self._ledger.trials())

    def networks(self) -> "DataFrame":
        """One row per network, arm and level of all ended trials, with the trial's number and parameters."""
        from study.ledger.frames import network_frame

        return network_frame(self.config.directory, self._ledger.trials(), self._ledger.files())

    def measures(self, *, gap: bool = False) -> "DataFrame":
        """One row a measure of dense networks, as in `ockham measures`; with `gap` as in `ockham measures --gap`."""
        from study.settings.measures import measures_frame

        return measures_frame(self._ledger, gap=gap)

    def examples(self) -> "DataFrame":
        """One row per training example, network and arm of all trials that recorded them; see `named_example_frame`."""
        from study.report.examples import named_example_frame

        return named_example_frame(self.config, self._ledger.trials(), self._ledger.files())

    def best(self) -> dict[str, Any]:
        """The COMPLETE trial that is best by the study's goals, as in `ockham trials --format json`.

        That is the one that Optuna's tools call the best: of those that keep all constraints the best by the objectives
        (by the first on the Pareto front of several); of a design without any the one that compresses furthest.

        Raises:
            ValueError: No trial has those metrics, or none keeps the constraints.
        """
        goals = self.config.ranked_by
        metrics = [goal.metric for goal in goals]
        rows = [row for row in self._ledger.trials(states=("COMPLETE",)) if row.metrics.keys() >= set(metrics)]
        if not rows:
            raise ValueError(f"no complete trial of {self.config.name} has the metric {' and '.join(metrics)}")
        rows = [row for row in rows if all(bound.is_met(row.metrics) for bound in self.config.constraints)]
        if not rows:
            bounds = ", ".join(map(str, self.config.constraints))
            raise ValueError(f"no complete trial of {self.config.name} keeps {bounds}")
        return max(rows, key=lambda row: [goal.sign * row.metrics[goal.metric] for goal in goals]).as_json()

    def verdicts(self) -> "Verdicts":
        """What the data say of each claim, at any time; looking changes nothing."""
        return verdicts_of(self._ledger)

    def robustness(self) -> "Robustness":
        """Each verdict under other choices than those of the study; see `Robustness`."""
        return robustness_of(self._ledger)

    def report(self, out: Path | str | None = None) -> Path:
        """Writes the report and returns its page, in the study's folder unless told where."""
        from study.execution.finishing import write

        return write(self._ledger, None if out is None else Path(out))[0]

    def export(
        self,
        trial: int,
        level: int,
        out: Path | str,
        *,
        replicate: int = 0,
        arm: Literal["replicate", "control"] = "replicate",
        onnx: bool = False,
    ) -> "ExportResult":
        """Writes a network of a finished trial as an ordinary PyTorch network; `ockham export --help` says more.

        Raises:
            UsageError: There is no such network, or `out` can't be written.
        """
        from study.operations.exporting import NetworkChoice, export

        return export(self._ledger, NetworkChoice(trial, level, replicate, arm), Path(out), onnx=onnx)

    def add(self, configurations: Sequence[Mapping[str, Any]]) -> None:
        """Puts trials of your own (dotted name → value) into the queue, of a study that runs or of one to be resumed.

        They get the next free numbers, run before what the sampler proposes, and the role `explore`: the answer rests
        on designed trials only.

        Raises:
            UsageError: One of them is no valid trial, or its data set can't be had.
        """
        from study.operations.adding import add

        add(self._ledger, configurations)

    def confirm(self, trials: Sequence[int] = (), *, times: int = 1) -> list[int]:
        """Queues trials (all that explored, if none is named) to be run again as design trials; see `confirm`."""
        from study.operations.confirming import confirm

        return confirm(self._ledger, trials, times=times)

    def stop(self, *, drain: bool = False) -> None:
        """Asks the driver of the study, wherever it runs, to stop; with `drain` when the running trials have ended."""
        self._ledger.request_stop(drain=drain)

    def __repr__(self) -> str:
        counts = ", ".join(f"{number} {state}" for state, number in self._ledger.counts().items() if number)
        return f"<study {self.config.name}: {counts or 'no trials yet'} of {self.config.trials}>"


def launch(
    space: StudyConfig | SearchSpace | str | Path = "redundancy",
    *,
    name: str | None = None,
    size: str | None = None,
    trials: int | None = None,
    set: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
    trial: "TrialFunction | str | None" = None,
    **options: Any,
) -> StudyHandle:
    """Runs a study to its end and returns a handle; blocks. A study with the same identity is resumed.

    Args:
        space: A named study, a file (.yaml), a `SearchSpace`, or a whole `StudyConfig`, which takes no further options.
        name: Of the study; unless given, that of the space or file.
        size: Of a named study: small, paper or large; unless given, its own.
        trials: In total.
        set: Dotted name → what it is fixed at, or a list (or a text in the notation of `--set`, `"16..512:log"`) to
            span: `{"model.width": [64, 128], "training.lr": 0.1}`.
        trial: What a trial does, in place of `trainables.trial.run_trial`.
        options: Other fields of `StudyConfig` (sampler, objectives, seed, …) and of `RunConfig` (home, data_dir, …).
    Raises:
        UsageError: It can't be run as asked.
        LeaseHeld: Another driver runs it.
    """
    if isinstance(space, SearchSpace) and name is None:
        raise UsageError('launch: a space of your own needs a name, e.g. study.launch(space, name="mine")')
    said = {"name": name, "size": size, "trials": trials, "set": set}
    asked = {key: value for key, value in said.items() if value is not None}
    if isinstance(space, StudyConfig):
        if others := [*asked, *options]:
            raise UsageError(f"launch: a whole StudyConfig leaves nothing to say; put {', '.join(others)} into it")
        return _run(space, listener, trial, NO_REQUEST)
    loaded = _load(space, asked | options)
    for note in loaded.notes:
        (listener.on_message if listener else (lambda _text: None))(note)
    return _run(loaded.config, listener, trial, NO_REQUEST)


def resume(
    name: str,
    trials: int | str | None = None,
    *,
    home: Path | str | None = None,
    ledger: str | None = None,
    listener: Listener | None = None,
    trial: "TrialFunction | str | None" = None,
    retry_failed: bool = False,
    trust: bool = False,
    repair: bool = False,
    **run: Any,
) -> StudyHandle:
    """Goes on with a study that was interrupted, or extends one that has ended.

    Args:
        trials: The new budget: a number in total (no less than have begun), or "+50" for so many more; None keeps it.
        retry_failed: Run FAILED trials once more, under their numbers.
        trust: Connect to places that only the ledger names, also where this user has never been.
        repair: Run trials whose results are damaged once more, under their numbers.
        run: Fields of `RunConfig` that replace those of the last run. A time budget holds for one run only. With
            `storage`, a study that this home lacks comes from its newest copy there.
    Raises:
        UsageError: There is no such study, or a value is not allowed.
        LeaseHeld: Another driver runs it.
    """
    for option in run:
        if option not in _SETTABLE:
            raise UsageError([unknown("option", option, ("home", "ledger", *_SETTABLE)).said_at("resume:")])
    say = listener.on_message if listener else (lambda _text: None)
    place = _place(home, ledger)
    restore_lost(place.home, name, run.get("storage", place.storage), place.ledger, say)
    known = place.open(name)
    there = known.config
    if trials is not None:
        budget(trials, known)
    known.close()
    last = {name: value for name, value in there.run.model_dump().items() if name not in OF_ONE_RUN}
    last |= {"home": place.home, "ledger": place.ledger}
    said = {field: value for field, value in last.items() if field not in run and field != "ledger"}
    require_trust(said, f"the ledger of {name}", anybody if trust else ask_nobody)
    try:
        settings = RunConfig.model_validate(last | run)
    except ValidationError as error:
        raise UsageError(problems_of(error, RunConfig)) from None
    config = there.model_copy(update={"run": settings})
    return _run(config, listener, trial, ResumeRequest(trials, retry_failed, repair))


def load(name: str, *, home: Path | str | None = None, ledger: str | None = None) -> StudyHandle:
    """A handle on an existing study, to read.

    Args:
        home: Folder of all studies; unless given `$OCKHAM_HOME`, else `./studies`.

    Raises:
        StudyNotFound: There is none of that name.
    """
    return StudyHandle(_place(home, ledger).open(name))


def _load(space: SearchSpace | str | Path, options: Mapping[str, Any]) -> LoadedStudy:
    """The study that `study.launch(space, **options)` means.

    Args:
        space: A space, the name of a named study, or a file.
        options: `set`, fields of `StudyConfig` and of `RunConfig`.
    Raises:
        UsageError: As `load_study`.
    """
    known = [field.name for field in fields(LaunchOptions) if field.name not in ("source", "settings", "run")]
    allowed = ["set", *known, *RunConfig.model_fields]
    for option in options:
        if option not in allowed:
            raise UsageError([unknown("option", option, allowed).said_at("launch:")])
    given = {name: value for name, value in options.items() if name in known}
    run = {name: value for name, value in options.items() if name in RunConfig.model_fields}
    for goals in ("objectives", "constraints"):  # one alone needs no list around it
        if isinstance(given.get(goals), str | Objective | Constraint):
            given[goals] = (given[goals],)
    try:
        return load_study(LaunchOptions(space, settings=options.get("set", {}), run=run, **given))
    except UsageError as error:
        raise UsageError(as_argument(problem) for problem in problems_in(error)) from None


def _run(
    config: StudyConfig, listener: Listener | None, trial: "TrialFunction | str | None", request: ResumeRequest
) -> StudyHandle:
    from study.execution.driver import RUN_TRIAL, run

    outcome = run(config, listener=listener, trial=trial or RUN_TRIAL, request=request)
    return StudyHandle(Place(home=config.run.home, ledger=config.run.ledger).open(config.name), outcome)


def _place(home: Path | str | None, ledger: str | None) -> Place:
    """What is not given is as the environment says."""
    given = {"home": home and Path(home).expanduser(), "ledger": ledger}
    return Place(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
