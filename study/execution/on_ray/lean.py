"""Ray without the parts that nobody here uses or that others could abuse, for which it has no options.

Measured on two cores: a head starts in 5.7 s with everything, in 2.9 s without dashboard, autoscaler and log monitor,
which also spares 2.5 s of processor time while everything else starts. Counting callbacks for its telemetry, switched
off or not, makes Tune import all of MLflow (3.5 s).
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import Any

from study.execution.on_ray.patient_calls import call_patiently
from study.tested_versions import is_tested

_ENVIRONMENT = {
    "RAY_enable_metrics_collection": "0",  # nobody asks
    "RAY_worker_niceness": "5",  # 15 unless told; the publisher is nicer than that
}


# A local head that died never comes back: Ray's other processes end soon. In the driver Ray would then end the whole
# process, with a line of C++ (see `session`): there it waits longer, so that the driver ends in its own words.
_OF_CHILDREN = {"RAY_gcs_rpc_server_reconnect_timeout_s": "5"}


@contextmanager
def lean_and_private() -> Iterator[None]:
    """A Ray started inside listens on 127.0.0.1 only, and without dashboard, autoscaler and log monitor.

    `ray.init` replaces a given 127.0.0.1; on every system "no clusters" means this. The environment tells the
    processes that Ray starts, constants and classes tell this one; all are put back, for a later study of this process
    may join a cluster.
    """
    if not is_tested(
        "ray", "it starts with a dashboard, and listens beyond 127.0.0.1; its token still keeps others out"
    ):
        with environment({**_ENVIRONMENT, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}):
            yield
        return
    from ray._private import node, parameter, ray_constants, services

    def no_dashboard(_node: Any, **_options: Any) -> None:
        """`include_dashboard=False` starts one all the same, with fewer modules."""

    popen = services.ConsolePopen

    def in_its_own_group(command: Any, *, env: Any = None, **options: Any) -> Any:
        """What is sent to the driver's process group (SIGTERM by a scheduler) is for the driver, which ends Ray."""
        group = {"process_group": 0} if os.name == "posix" else {}
        return popen(command, env={**(env or os.environ), **_OF_CHILDREN}, **group, **options)

    params = partial(parameter.RayParams, no_monitor=True, include_log_monitor=False)
    with (
        environment({**_ENVIRONMENT, ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}),
        _instead(
            (ray_constants, "ENABLE_RAY_CLUSTER", False),
            (parameter, "RayParams", params),
            (node.Node, "start_api_server", no_dashboard),
            (services, "ConsolePopen", in_its_own_group),
        ),
    ):
        yield


@contextmanager
def keeping_signals() -> Iterator[None]:
    """A Ray that is joined inside leaves SIGTERM to those who listen for it already.

    Its own handler raises SystemExit wherever this process is just then: lost, and with a traceback, in places where
    Python can't raise anything.
    """
    from ray._private import utils

    if not hasattr(utils, "set_sigterm_handler"):  # another version's: what it does is undone afterwards
        yield
        return
    with _instead((utils, "set_sigterm_handler", lambda _handler: None)):
        yield


@contextmanager
def lean_tune(slots: int, results: Path, stopping: Callable[[], bool] = bool) -> Iterator[None]:
    """A Tuner that runs inside spends less on each trial, starts each worker once, and reads no file of Ray's back.

    - It does not count callbacks, and what it writes of its state at the end names no trials.
    - It asks Ray's control store once for what a trial is, not five times for each trial.
    - Workers start together, and a trial whose own worker is still starting waits for that one. Tune would start one
      at a time, give such a trial any worker that becomes free, and remove the one that had nearly started: where
      trials are short, all but the first slot may never come up.

    - What an attempt died of stays in this process (`died_of` of Ray's trial). Tune would pickle it into a file, and
      unpickle what it finds there.
    - What Tune writes lies in `results`. It would choose the session's folder, in which everybody may write.
    - Once the study stops it gives no resources back one by one: they end with the job. Who ended the study may have
      ended Ray's head as well, and each question to it would wait for as long as Ray looks for its head.
    - It asks what the cluster has (every ten seconds, and while nothing runs) in a way that signals can end.

    Args:
        slots: Trials at once.
        results: A folder that is this user's alone.
        stopping: Whether the study stops.
    """
    if not is_tested("ray", "trials cost it more, and their errors pass through files of its own"):
        with environment({"TUNE_MAX_PENDING_TRIALS_PG": str(slots)}):
            yield
        return
    import ray
    from ray.air._internal import usage
    from ray.air.execution.resources import placement_group
    from ray.train._internal.storage import StorageContext
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.experiment import Trial
    from ray.tune.registry import _Registry

    reuse, known = TuneController._maybe_reuse_cached_actor, cache(_Registry.get)

    def reuse_unless_starting(tune: TuneController, trial: Any) -> bool:
        own = None if trial in tune._resetting_trials else tune._trial_to_actor.get(trial)
        # One without resources is not starting: the free worker may be what holds them.
        starting = own is not None and tune._actor_manager.is_actor_started(own)
        return not starting and reuse(tune, trial)

    def interruptible(question: Callable[..., Any], otherwise: Any) -> Callable[..., Any]:
        return lambda *words: call_patiently(partial(question, *words), stopping, otherwise)

    with (
        environment({"TUNE_MAX_PENDING_TRIALS_PG": str(slots)}),
        _instead(
            (ray, "cluster_resources", interruptible(ray.cluster_resources, {"CPU": 1.0})),
            (placement_group, "remove_placement_group", interruptible(placement_group.remove_placement_group, None)),
            (usage, "tag_callbacks", _save_nothing),
            (TuneController, "_get_trial_checkpoints", _save_nothing),
            (TuneController, "_maybe_reuse_cached_actor", reuse_unless_starting),
            (Trial, "handle_error", _keep_error),
            (StorageContext, "_get_session_path", lambda _storage: str(results / "staging")),
            (_Registry, "get", known),
            (_Registry, "contains", lambda registry, *key: _contains(known, registry, *key)),
        ),
    ):
        yield


def _save_nothing(*_arguments: Any, **_options: Any) -> dict[str, str]:
    """The ledger is the state; 7 ms for each trial of the run are better spent."""
    return {}


def _contains(known: Callable[[Any, str, str], Any], registry: Any, category: str, key: str) -> bool:
    try:
        known(registry, category, key)
    except (ValueError, KeyError):  # not there yet, which is not remembered
        return False
    return True


def _keep_error(trial: Any, error: Exception | None = None) -> None:
    trial.died_of = error
    trial.run_metadata.num_failures += 1
    trial.run_metadata.invalidate_cache()


@contextmanager
def _instead(*replaced: tuple[Any, str, Any]) -> Iterator[None]:
    """(object, attribute, value): what the attributes are inside the block."""
    before = [(place, name, getattr(place, name)) for place, name, _ in replaced]
    try:
        for place, name, value in replaced:
            setattr(place, name, value)
        yield
    finally:
        for place, name, value in before:
            setattr(place, name, value)


@contextmanager
def environment(own: Mapping[str, str]) -> Iterator[None]:
    """Variables of the environment inside the block."""
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
