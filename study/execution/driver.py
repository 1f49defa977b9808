"""The life of a study: lease, what a dead driver left, tracker, executor, trials, sweep, answer, messages to MLflow.

What lies outside (where trials run, time, the tracker, files) is reached through `Doors` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from study.config import StudyConfig
from study.crash_points import crash_if_asked
from study.errors import ExecutorDidNotStart, LeaseLost
from study.events import Listener, Outcome, Silent
from study.execution.discretion import discreet
from study.execution.doors import REAL, Doors
from study.execution.executor import Executor, Job, TrialFunction
from study.execution.files import Files
from study.execution.finishing import Conclusion, conclude
from study.execution.importing import importable_name
from study.execution.leftovers import remove_checkpoints, sweep
from study.execution.watch import Watch
from study.ledger import ENDED, Ledger
from study.proposing.signal import lacking_signal
from study.settings.creation import open_or_create, write_study_file
from study.settings.inputs import settle_inputs
from study.settings.repairing import look_for_damage
from study.settings.resume_request import NO_REQUEST, ResumeRequest, grant
from study.stop_flag import Signals, StopFlag
from study.storing.copying import copying
from study.storing.restoring import fetch_networks
from study.storing.safekeeping import check_storage, safekeeping
from study.tracking.tracker import Tracker

if TYPE_CHECKING:
    from study.execution.asking import ProposalSource
    from study.execution.early_stopping import EarlyStopping

RUN_TRIAL = "trainables.trial:run_trial"


def run(
    config: StudyConfig,
    *,
    trial: "TrialFunction | str" = RUN_TRIAL,
    listener: Listener | None = None,
    request: ResumeRequest = NO_REQUEST,
    doors: Doors = REAL,
) -> Outcome:
    """Runs a study to its end, or goes on with it if its identity is known; blocks.

    Args:
        trial: What a trial does: a module-level generator function with `run_trial`'s signature, or `module:name`.
        listener: Hears everything; none is silent.
        request: Of someone who resumes it.
        doors: To the outside: Ray, the wall clock, MLflow and the disk unless told otherwise.
    Raises:
        UsageError: The study can't be run as asked; nothing was started.
        LeaseHeld: Another driver runs it.
        LeaseLost: Another driver took it over meanwhile.
    """
    start = doors.clock.monotonic()
    function = importable_name(trial)
    with discreet(config, listener or Silent()) as quiet:
        ledger, new = open_or_create(config, quiet.on_message, own_trials=function != RUN_TRIAL)
        flag = StopFlag()
        files = doors.files(ledger.config.directory, doors.clock)
        this = _Run(ledger, function, quiet, flag, Signals(flag), doors, files, start)
        try:
            check_storage(ledger)
            fence = ledger.acquire()
            ledger.tired = lambda: bool(flag)
            this.signals.install()
            try:
                outcome = _run_with_lease(this, fence, request, new=new)
            finally:
                this.signals.restore()
                _release(ledger)
        finally:
            ledger.close()
        quiet.on_end(outcome)
        return outcome


@dataclass(frozen=True)
class _Run:
    """What the parts of a run share."""

    ledger: Ledger
    function: str
    listener: Listener
    flag: StopFlag
    signals: Signals
    doors: Doors
    files: Files
    begun: float

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self.doors.clock.monotonic() - self.begun

    @property
    def config(self) -> StudyConfig:
        """As the ledger has it now: a run may change what is no part of a study's identity."""
        return self.ledger.config


def _run_with_lease(this: _Run, fence: int, request: ResumeRequest, *, new: bool) -> Outcome:
    ledger, listener, clock = this.ledger, this.listener, this.doors.clock
    with (
        Watch(ledger, this.flag, this.config.run.time_budget, listener.on_message, clock) as watch,
        safekeeping(ledger, watch.lose, listener.on_message, clock),
        copying(ledger, listener.on_message, clock),
    ):
        fetch_networks(ledger)
        leftovers = sweep(ledger)
        remove_checkpoints(ledger, this.files)
        settle_inputs(ledger, request)
        damage = look_for_damage(ledger, repair=request.repair, say=listener.on_message)
        grant(ledger, request, listener.on_message)
        config = this.config
        write_study_file(config, ledger.uid)
        counts = ledger.counts()
        if not new:
            _say_resuming(listener, config, counts, leftovers)
        listener.on_start(config, counts)
        tracker = this.doors.tracker(config, fence, listener.on_message)
        try:
            is_stopping = this.flag or this.flag.draining  # the executor would start in vain
            if not is_stopping and sum(counts[state] for state in ENDED) < config.trials:
                _run_trials(this, watch)
            if watch.lost is not None:
                raise watch.lost
            sweep(ledger)
            return _conclude(this, tracker, damage)
        finally:
            tracker.close()


def _conclude(this: _Run, tracker: Tracker, damaged: list[str]) -> Outcome:
    config, ledger, listener = this.config, this.ledger, this.listener
    if config.learns and (warning := lacking_signal(config, ledger.trials(states=ENDED))):
        listener.on_message(warning)
    conclusion = conclude(ledger, listener, this.flag)
    outcome = _outcome(this, conclusion)
    crash_if_asked("concluded")
    status = "KILLED" if outcome.ended_count < outcome.trials else "FINISHED"
    folder = conclusion.page.parent if conclusion.page else None
    is_drained = tracker.finish(status, conclusion.summary, folder, left=ledger.outbox_size, flag=this.flag)
    if not is_drained:
        left = ledger.outbox_size()
        untold = f"{left} messages to MLflow wait in the ledger" if left else "how it ended is not told everywhere"
        listener.on_message(f"tracking is not complete yet ({untold}); complete it with: {config.command('resume')}")
    return replace(outcome, drained=is_drained, damaged=tuple(damaged), seconds=this.seconds)


def _run_trials(this: _Run, watch: Watch) -> None:
    source = this.doors.source(this.config)
    try:
        this.signals.at_once = True  # nothing runs yet that would need time to stop
        with this.doors.executor(this.config.run, lambda: not this.flag) as executor:
            this.signals.at_once = False
            this.signals.install()  # an executor may have put in one of its own
            _drive(this, watch, executor, source)
    except (KeyboardInterrupt, SystemExit):  # the latter from Ray's own handler of SIGTERM
        this.flag.interrupt("interrupted")
    except ExecutorDidNotStart as error:
        this.flag.raise_for(str(error))
    finally:
        this.signals.at_once = False
        source.close()


def _drive(this: _Run, watch: Watch, executor: Executor, source: "ProposalSource") -> None:
    from study.execution.backlog import Backlog
    from study.execution.recorder import Recorder

    ledger, config, flag, say = this.ledger, this.config, this.flag, this.listener.on_message
    backlog = Backlog(ledger, config, source, executor.slots, flag, say=say, clock=this.doors.clock)
    stopping = _early_stopping(ledger)
    recorder = Recorder(ledger, backlog, this.listener, config, flag=flag, files=this.files, stopping=stopping)
    watch.executor, watch.break_in = executor, this.signals.break_in
    try:
        if not flag and not flag.draining:
            executor.run(_job(this), recorder)
    finally:
        watch.executor = None


def _early_stopping(ledger: Ledger) -> "EarlyStopping | None":
    """The study's, with what it knew when the last driver ended."""
    from study.execution.early_stopping import EpochReport, early_stopping_for

    config = ledger.config
    earlier_values = ledger.dense_values(config.stopping.metric.metric) if config.scheduler != "none" else []
    again = cache(lambda number: ledger.trial(number).is_repetition)
    return early_stopping_for(config, (EpochReport(*value) for value in earlier_values), again)


def _job(this: _Run) -> Job:
    from trainables.input_files import whole_digest

    config, run = this.config, this.config.run
    return Job(
        trial=this.function,
        directory=str(config.directory.absolute()),
        checkpoints=(run.storage or str(run.home.absolute()), f"{config.name}/trials"),
        fence=this.ledger.fence or 0,
        dense_cache=int(run.dense_cache * 2**30),
        data_dir=str(run.data_path.absolute()),
        inputs={name: whole_digest(files) for name, files in this.ledger.inputs().items()},
        cpus=run.cpus_per_trial,
        gpus=run.gpus_per_trial,
    )


def _say_resuming(listener: Listener, config: StudyConfig, counts: Mapping[str, int], left: list[int]) -> None:
    ended_count = sum(counts[state] for state in ENDED)
    more = f"; {len(left)} interrupted trials go on from their checkpoints" if left else ""
    listener.on_message(f"resuming {config.name}: {ended_count} of {config.trials} trials have ended{more}")


def _outcome(this: _Run, conclusion: Conclusion) -> Outcome:
    config = this.config
    counts = {str(state): number for state, number in this.ledger.counts().items()}
    complete = sum(counts[state] for state in ENDED) >= config.trials
    return Outcome(
        name=config.name,
        directory=config.directory,
        counts=counts,
        trials=config.trials,
        reason="" if complete else this.flag.reason or "incomplete",
        drained=False,
        seconds=this.seconds,
        report=conclusion.page,
        verdicts=conclusion.verdicts,
    )


def _release(ledger: Ledger) -> None:
    """Gives the lease back also after an error: the process may live on, in a notebook, and try again."""
    try:
        ledger.release()
    except LeaseLost:
        return  # it is another driver's already
