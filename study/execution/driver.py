"""The life of a study: lease, what a dead driver left, publisher, Ray, trials, sweep, tracking, answer.

A fresh Tuner runs over the ledger at each launch; nothing is ever restored from Ray's own snapshots.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from study.config import StudyConfig
from study.crash_points import reached
from study.errors import LeaseLost, RayDidNotStart
from study.events import Listener, Outcome, Silent
from study.execution.discretion import discreet
from study.execution.finishing import Conclusion, conclude
from study.execution.importing import importable_name
from study.execution.leftovers import remove_checkpoints, sweep
from study.execution.watch import Watch
from study.ledger import ENDED, Ledger
from study.proposing.signal import lacking_signal
from study.settings.creation import open_or_create, write_study_file
from study.settings.inputs import settle_inputs
from study.settings.repairing import look_for_damage
from study.settings.wishes import NO_WISHES, Wishes, grant
from study.stop_flag import Signals, StopFlag
from study.storing.copying import copying
from study.storing.restoring import fetch_networks
from study.storing.safekeeping import check_storage, safekeeping
from study.tracking.publishing import Publishing

if TYPE_CHECKING:
    from study.execution.asking import Source
    from study.execution.backlog import Backlog
    from study.execution.early_stopping import ByNumber
    from study.execution.ray_session import Session
    from study.execution.recorder import Recorder
    from trainables.config import TrialConfig
    from trainables.record import Record
    from trainables.trial import TrialContext


TrialFunction: TypeAlias = "Callable[[TrialConfig, TrialContext], Iterator[Record | None]]"
RUN_TRIAL = "trainables.trial:run_trial"


def run(
    config: StudyConfig,
    *,
    trial: "TrialFunction | str" = RUN_TRIAL,
    listener: Listener | None = None,
    wishes: Wishes = NO_WISHES,
) -> Outcome:
    """Runs a study to its end, or goes on with it if its identity is known; blocks.

    Args:
        trial: What a trial does: a module-level generator function with `run_trial`'s signature, or `module:name`.
        listener: Hears everything; none is silent.
        wishes: Of someone who resumes it.
    Raises:
        UsageError: The study can't be run as asked; nothing was started.
        LeaseHeld: Another driver runs it.
        LeaseLost: Another driver took it over meanwhile.
    """
    begun = time.monotonic()
    function = importable_name(trial)
    with discreet(config, listener or Silent()) as quiet:
        ledger, new = open_or_create(config, quiet.message, own_trials=function != RUN_TRIAL)
        flag = StopFlag()
        this = _Run(ledger, function, quiet, flag, Signals(flag), begun)
        try:
            check_storage(ledger)
            fence = ledger.acquire()
            ledger.tired = lambda: bool(flag)
            this.signals.install()
            try:
                outcome = _whole(this, fence, wishes, new=new)
            finally:
                this.signals.restore()
                _release(ledger)
        finally:
            ledger.close()
        quiet.finished(outcome)
        return outcome


@dataclass(frozen=True)
class _Run:
    """What the parts of a run share."""

    ledger: Ledger
    function: str
    listener: Listener
    flag: StopFlag
    signals: Signals
    begun: float

    @property
    def config(self) -> StudyConfig:
        """As the ledger has it now: a run may change what is no part of a study's identity."""
        return self.ledger.config


def _whole(this: _Run, fence: int, wishes: Wishes, *, new: bool) -> Outcome:
    ledger, listener = this.ledger, this.listener
    with (
        Watch(ledger, this.flag, this.config.run.time_budget, listener.message) as watch,
        safekeeping(ledger, watch.lose, listener.message),
        copying(ledger, listener.message),
    ):
        fetch_networks(ledger)
        left = sweep(ledger)
        remove_checkpoints(ledger, this.config)
        settle_inputs(ledger, wishes)
        damaged = look_for_damage(ledger, repair=wishes.repair, say=listener.message)
        grant(ledger, wishes, listener.message)
        config = this.config
        write_study_file(config, ledger.uid)
        counts = ledger.counts()
        if not new:
            _say_resuming(listener, config, counts, left)
        listener.started(config, counts)
        publishing = Publishing(config, fence, listener.message)
        try:
            stopped = this.flag or this.flag.draining  # Ray would start in vain
            if not stopped and sum(counts[state] for state in ENDED) < config.trials:
                _run_trials(this, watch)
            if watch.lost is not None:
                raise watch.lost
            sweep(ledger)
            return _concluded(this, publishing, damaged)
        finally:
            publishing.close()


def _concluded(this: _Run, publishing: Publishing, damaged: list[str]) -> Outcome:
    config, ledger, listener = this.config, this.ledger, this.listener
    if config.learns and (warning := lacking_signal(config, ledger.trials(states=ENDED))):
        listener.message(warning)
    conclusion = conclude(ledger, listener, this.flag)
    outcome = _outcome(this, conclusion)
    reached("concluded")
    status = "KILLED" if outcome.ended < outcome.trials else "FINISHED"
    folder = conclusion.page.parent if conclusion.page else None
    drained = publishing.finish(status, conclusion.summary, folder, left=ledger.outbox_size, flag=this.flag)
    if not drained:
        listener.message(
            f"tracking is not complete yet ({ledger.outbox_size()} messages to MLflow wait in the ledger); "
            f"complete it with: {config.command('resume')}"
        )
    return replace(outcome, drained=drained, damaged=tuple(damaged), seconds=time.monotonic() - this.begun)


def _run_trials(this: _Run, watch: Watch) -> None:
    from study.execution.asking import source_for
    from study.execution.ray_session import ray_session

    source = source_for(this.config)
    try:
        this.signals.at_once = True  # nothing runs yet that would need time to stop
        with ray_session(this.config.run, wanted=lambda: not this.flag, meanwhile=_import_tune) as session:
            this.signals.at_once = False
            this.signals.install()  # Ray has put in one of its own
            _drive(this, watch, session, source)
    except (KeyboardInterrupt, SystemExit):  # the latter from Ray's own handler of SIGTERM
        this.flag.interrupt("interrupted")
    except RayDidNotStart as error:
        this.flag.raise_for(str(error))
    finally:
        this.signals.at_once = False
        source.close()


def _drive(this: _Run, watch: Watch, session: "Session", source: "Source") -> None:
    from study.execution.backlog import Backlog
    from study.execution.recorder import Recorder

    slots = session.slots(this.config.run)
    backlog = Backlog(this.ledger, this.config, source, slots, this.flag, say=this.listener.message)
    scheduler = _scheduler(this.ledger)
    recorder = Recorder(this.ledger, backlog, this.listener, this.config, works=session.lives, scheduler=scheduler)
    watch.works, watch.break_in = session.lives, this.signals.break_in
    try:
        if not this.flag and not this.flag.draining:
            _tune(this, session, backlog, recorder, slots=slots, scheduler=scheduler)
    except Exception:
        if recorder.failure is not None:
            raise recorder.failure from None  # Tune only passes on its text
        raise
    finally:
        watch.works = None


def _import_tune() -> None:
    """All that takes its time to import, while Ray's processes start."""
    import study.execution.ray_trial
    import study.execution.recorder
    import study.execution.searcher  # noqa: F401


def _scheduler(ledger: Ledger) -> "ByNumber | None":
    """The study's scheduler, with what it knew when the last driver ended."""
    from study.execution.early_stopping import Reported, scheduler_for

    config = ledger.config
    known = ledger.dense_values(config.stopping.metric.metric) if config.scheduler != "none" else []
    again = cache(lambda number: ledger.trial(number).again)
    return scheduler_for(config, (Reported(*value) for value in known), again)


def _tune(
    this: _Run,
    session: "Session",
    backlog: "Backlog",
    recorder: "Recorder",
    *,
    slots: int,
    scheduler: "ByNumber | None",
) -> None:
    from ray import tune

    from study.execution.lean_ray import lean_tune
    from study.execution.ray_trial import StudyTrial
    from study.execution.searcher import LedgerSearcher, StopWhenAsked
    from trainables.input_files import whole_digest

    config = this.config
    job = {
        "trial": this.function,
        "directory": str(config.directory.absolute()),
        "checkpoints": [config.run.storage or str(config.run.home.absolute()), f"{config.name}/trials"],
        "fence": this.ledger.fence or 0,
        "dense_cache": int(config.run.dense_cache * 2**30),
        "data_dir": str(config.run.data_path.absolute()),
        "inputs": {name: whole_digest(files) for name, files in this.ledger.inputs().items()},
        "cpus": config.run.cpus_per_trial,
        "gpus": config.run.gpus_per_trial,
    }
    tuner = tune.Tuner(
        StudyTrial,
        param_space={"job": json.dumps(job)},
        tune_config=tune.TuneConfig(
            search_alg=LedgerSearcher(backlog, this.flag),
            scheduler=scheduler,
            num_samples=-1,
            max_concurrent_trials=slots,
            reuse_actors=True,
            trial_name_creator=_name,
            trial_dirname_creator=_name,
        ),
        run_config=tune.RunConfig(
            name="tune",
            storage_path=str(session.results),
            stop=StopWhenAsked(this.flag),
            callbacks=[recorder],
            failure_config=tune.FailureConfig(max_failures=0),
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            verbose=0,
        ),
    )
    with lean_tune(slots, session.results, stopping=lambda: bool(this.flag)):
        tuner.fit()


def _name(trial: Any) -> str:
    return f"{trial.config['number']:04d}-{trial.config['attempt']}-{trial.trial_id}"


def _say_resuming(listener: Listener, config: StudyConfig, counts: Mapping[str, int], left: list[int]) -> None:
    ended = sum(counts[state] for state in ENDED)
    interrupted = f"; {len(left)} interrupted trials go on from their checkpoints" if left else ""
    listener.message(f"resuming {config.name}: {ended} of {config.trials} trials have ended{interrupted}")


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
        seconds=time.monotonic() - this.begun,
        report=conclusion.page,
        verdicts=conclusion.verdicts,
    )


def _release(ledger: Ledger) -> None:
    """Gives the lease back also after an error: the process may live on, in a notebook, and try again."""
    try:
        ledger.release()
    except LeaseLost:
        return  # it is another driver's already
