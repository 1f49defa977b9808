"""`ockham launch --dry-run`: what a study will take, said before anything of it runs or is written."""

from collections.abc import Iterator, Sequence

from study.config import StudyConfig
from study.costs.estimate import Estimate, Timed, calibrate, estimate, representative
from study.display.words import duration
from study.errors import StudyNotFound
from study.execution import capacity
from study.ledger import ENDED, Ledger
from study.settings import machine
from study.settings.freezing import frozen


def dry_run(config: StudyConfig) -> Iterator[str]:
    """Lines about the study: trials, hours, machines, time, money. Downloads data sets that are missing.

    Raises:
        UsageError: The study can't be run as asked.
    """
    machine.check(config)
    machine.prepare_data(config)
    notes: list[str] = []
    config = frozen(config, notes.append)
    yield from notes
    durations = _durations(config)
    if durations:
        slots, where, timed = *_slots(config), list[Timed]()
    else:
        slots, where, timed = _calibrated(config)
    found = estimate(config, durations, timed, slots)
    yield f"{config.name}: {found.trials} trials to run ({config.sampler}, seed {config.seed}). This is a dry run."
    yield _per_trial(config, found, len(durations))
    at_once = min(found.slots, max(1, found.trials))
    yield f"Together {found.cost}; about {duration(found.wall_s)} {where}, {at_once} at once."
    if found.cost.amount is None:
        yield "No prices are known: --price FILE turns hours into money, see infra/prices.example.yaml."


def _per_trial(config: StudyConfig, found: Estimate, ended: int) -> str:
    run = config.run
    needs = f"{run.cpus_per_trial:g} core{'s' if run.cpus_per_trial != 1 else ''}"
    needs += f" and {run.gpus_per_trial:g} GPU" if run.gpus_per_trial else ""
    said = f"A trial takes about {duration(found.seconds)} ({found.seconds:.1f} s) of {needs}"
    if not found.timed:
        return f"{said}: the mean of the {ended} that have ended."
    seconds = [each.seconds for each in found.timed]
    said += f": {len(seconds)} of its trials were trained just now ({min(seconds):.1f} … {max(seconds):.1f} s)."
    if not all(each.whole for each in found.timed):
        said += " They did not end in their few seconds: this is an upper estimate, for networks that never fit."
    if not all(each.levels for each in found.timed):
        said += " Compression was not reached: what it takes comes on top."
    return said


def _durations(config: StudyConfig) -> list[float]:
    """Of the study's own trials, if it exists."""
    try:
        ledger = Ledger.open(config.ledger_url, config.name)
    except StudyNotFound:
        return []
    try:
        return [row.duration_s for row in ledger.trials(states=ENDED) if row.duration_s]
    finally:
        ledger.close()


def _slots(config: StudyConfig) -> tuple[int, str]:
    """Trials at once, and where."""
    if config.run.address is None:
        return _here(config), "on this machine"
    from study.execution.ray_session import ray_session

    with ray_session(config.run) as session:
        return session.slots(config.run), _machines(session.slots(config.run), config, session.machines)


def _calibrated(config: StudyConfig) -> tuple[int, str, list[Timed]]:
    run = config.run
    trials = [(number, trial.model_dump_json()) for number, trial in representative(config)]
    what = (trials, str(run.data_path), run.cpus_per_trial, run.gpus_per_trial > 0)
    if run.address is None:
        return _here(config), "on this machine", calibrate(*what)
    import ray

    from study.execution.ray_session import ray_session

    with ray_session(run) as session:  # on a worker, for which a cluster may have to start one
        remote = ray.remote(num_cpus=run.cpus_per_trial, num_gpus=run.gpus_per_trial)(calibrate)
        timed: list[Timed] = ray.get(remote.remote(*what))
        slots = session.slots(run)
        return slots, _machines(slots, config, session.machines), timed


def _here(config: StudyConfig) -> int:
    run = config.run
    most = max(1, capacity.fit(machine.cpus(), machine.gpus() if run.gpus_per_trial else 0, run))
    return min(most, run.max_concurrent or most)


def _machines(slots: int, config: StudyConfig, there: Sequence[tuple[float, float]]) -> str:
    """How many workers that takes, from the largest that is there."""
    largest = max((capacity.fit(cpus, gpus, config.run) for cpus, gpus in there), default=0)
    if not largest:
        return "on the cluster"
    nodes = -(-min(slots, config.trials) // largest)
    return f"on {nodes} machine{'s' if nodes > 1 else ''} of the cluster"
