"""`ockham launch --dry-run`: what a study will take, said before anything of it runs or is written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from study.config import StudyConfig
from study.costs.estimate import TimedTrial, TimeEstimate, calibrate, estimate, representative
from study.costs.side_by_side import sharing, timed_together
from study.display.words import duration
from study.errors import StudyNotFound
from study.execution.on_ray import capacity
from study.ledger import ENDED, Ledger
from study.operations.power import power
from study.settings import machine
from study.settings.creation import require_free_folder, require_free_places
from study.settings.freezing import freeze_config
from study.settings.goals import check_goals
from study.settings.warm_start import with_earlier_trials


def dry_run(config: StudyConfig, like: Ledger | None = None) -> Iterator[str]:
    """Lines about the study: trials, hours, machines, time, money, power. Downloads data sets that are missing.

    Args:
        like: A similar study, whose spread says what this one will tell.

    Raises:
        UsageError: The study can't be run as asked, or its name is that of another one.
    """
    machine.check(config)
    data = machine.DataSets()
    data.prepare(config)
    notes: list[str] = []
    config = with_earlier_trials(freeze_config(config, notes.append, data), notes.append)
    check_goals(config)
    yield from notes
    yield from machine.data_accounts(config)
    durations = _durations(config)
    where, timed, at_once = (_where(config), list[TimedTrial](), 1) if durations else _calibrate(config)
    found = estimate(config, durations, timed, where.slots)
    yield f"{config.name}: {found.trials} trials to run ({config.sampler}, seed {config.seed}). This is a dry run."
    yield _per_trial(config, found, len(durations), at_once)
    running = min(found.slots, max(1, found.trials))
    yield f"Together {found.cost}; about {duration(found.wall_s)} {where.said}, {running} at once."
    if where.idle_minutes is not None:
        yield (
            "Workers come and go: each takes some minutes until its first trial and stays for "
            f"{where.idle_minutes:g} more after its last. They cost too, and are not counted here."
        )
    yield from power(config, like)
    if found.cost.amount is None:
        yield "No prices are known: --price FILE turns hours into money, see infra/prices.example.yaml."


def _per_trial(config: StudyConfig, found: TimeEstimate, ended: int, at_once: int) -> str:
    run = config.run
    needs = f"{run.cpus_per_trial:g} core{'s' if run.cpus_per_trial != 1 else ''}"
    needs += f" and {run.gpus_per_trial:g} GPU" if run.gpus_per_trial else ""
    said = f"A trial takes about {duration(found.seconds)} ({found.seconds:.1f} s) of {needs}"
    if not found.timed_trials:
        return f"{said}: the mean of the {ended} that have ended."
    seconds = [each.seconds for each in found.timed_trials]
    said += f": {len(seconds)} of its trials were trained just now ({min(seconds):.1f} … {max(seconds):.1f} s)"
    if at_once > 1:
        shared = "GPU" if run.gpus_per_trial else "machine"
        said += f", {at_once} at a time, as many as will share a {shared}"
    said += "."
    if not all(each.whole for each in found.timed_trials):
        said += " They did not end in their few seconds: this is an upper estimate, for networks that never fit."
    if not all(each.levels for each in found.timed_trials):
        said += " Compression was not reached: its epochs are counted like those before it, fresh networks not at all."
    return said


@dataclass(frozen=True)
class _Where:
    """Where a study would run, in words, and with how many trials at once.

    Attributes:
        idle_minutes: For which a worker stays without work; None where none is started for the study.
    """

    slots: int
    said: str
    idle_minutes: float | None = None


def _durations(config: StudyConfig) -> list[float]:
    """How long the study's own trials took, if it exists; refuses the name of another study, as a launch would."""
    try:
        Ledger.open(config.ledger_url, config.name).close()
    except StudyNotFound:
        require_free_places(config)
        require_free_folder(config)
        return []
    ledger = Ledger.create(config.ledger_url, config)
    try:
        return [row.duration_s for row in ledger.trials(states=ENDED) if row.duration_s]
    finally:
        ledger.close()


def _where(config: StudyConfig) -> _Where:
    if config.run.address is None:
        return _Where(_concurrency_here(config), "on this machine")
    from study.execution.on_ray.session import ray_session

    with ray_session(config.run) as session:
        return _on_cluster(config, session.slots(config.run), session.machines)


def _calibrate(config: StudyConfig) -> tuple[_Where, list[TimedTrial], int]:
    """Where the study would run, what some of its trials took, and how many were trained at once."""
    run, trials = config.run, _representative(config)
    data_dir = str(run.data_path.absolute())
    if run.address is None and sharing(run, min(slots := _concurrency_here(config), config.trials), slots) == 1:
        timed = list(calibrate(trials, data_dir, run.cpus_per_trial, run.gpus_per_trial).values())
        return _Where(slots, "on this machine"), timed, 1
    from study.execution.on_ray.session import machines_there, ray_session

    with ray_session(run) as session:
        slots = session.slots(run)  # first of all: a trial that fits nowhere is refused, its task would wait for ever
        at_once = sharing(run, min(slots, config.trials), capacity.most_on_one(run, session.machines))
        timed = timed_together(trials, data_dir, run, at_once)  # for which a cluster may have to start a worker
        where = (
            _Where(slots, "on this machine") if run.address is None else _on_cluster(config, slots, machines_there())
        )
    return where, timed, at_once


def _representative(config: StudyConfig) -> list[tuple[int, str]]:
    return [(number, trial.model_dump_json()) for number, trial in representative(config)]


def _concurrency_here(config: StudyConfig) -> int:
    run = config.run
    most = max(1, capacity.fit(machine.cpus(), machine.gpus() if run.gpus_per_trial else 0, run))
    return min(most, run.max_concurrent or most)


def _on_cluster(config: StudyConfig, slots: int, there: Sequence[tuple[float, float]]) -> _Where:
    """How many workers that takes: of the largest machines that are there or, before any is, will be."""
    plan, most = capacity.planned_capacity(), capacity.most_trials(config.run, there)
    if plan is not None:  # --max-concurrent may ask for more than there ever will be
        slots = min(slots, most)
    idle = plan.idle_minutes if plan else None
    largest = capacity.most_on_one(config.run, there)
    if not largest:
        return _Where(slots, "on the cluster", idle)
    nodes = -(-min(slots, config.trials) // largest)
    return _Where(slots, f"on {nodes} machine{'s' if nodes > 1 else ''} of the cluster", idle)
