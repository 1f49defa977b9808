"""Ray without the parts that nobody here uses, for which it has no options.

Measured on two cores: a head starts in 5.7 s with everything, in 2.9 s without dashboard, autoscaler and log monitor,
which also spares 2.5 s of processor time while everything else starts. Counting callbacks for its telemetry, switched
off or not, makes Tune import all of MLflow (3.5 s).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

_ENVIRONMENT = {
    "RAY_enable_metrics_collection": "0",  # nobody asks
    "RAY_worker_niceness": "5",  # 15 unless told; the publisher is nicer than that
}


@contextmanager
def lean_and_private() -> Iterator[None]:
    """A Ray started inside listens on 127.0.0.1 only, and without dashboard, autoscaler and log monitor.

    `ray.init` replaces a given 127.0.0.1; on every system "no clusters" means this. The environment tells the
    processes that Ray starts, constants and classes tell this one; all are put back, for a later study of this process
    may join a cluster.
    """
    from ray._private import node, parameter, ray_constants

    def no_dashboard(_node: Any, **_options: Any) -> None:
        """`include_dashboard=False` starts one all the same, with fewer modules."""

    own = {**_ENVIRONMENT, ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0"}
    before = {name: os.environ.get(name) for name in own}
    clusters, params, dashboard = ray_constants.ENABLE_RAY_CLUSTER, parameter.RayParams, node.Node.start_api_server
    os.environ.update(own)
    ray_constants.ENABLE_RAY_CLUSTER = False
    parameter.RayParams = partial(params, no_monitor=True, include_log_monitor=False)
    node.Node.start_api_server = no_dashboard
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = clusters
        parameter.RayParams, node.Node.start_api_server = params, dashboard
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def lean_tune() -> Iterator[None]:
    """A Tuner that runs inside does not count callbacks, and what it writes of its state at the end names no trials."""
    from ray.air._internal import usage
    from ray.tune.execution.tune_controller import TuneController

    def nothing(*_arguments: Any, **_options: Any) -> dict[str, str]:
        """The ledger is the state; 7 ms for each trial of the run are better spent."""
        return {}

    counting, trials = usage.tag_callbacks, TuneController._get_trial_checkpoints
    usage.tag_callbacks = TuneController._get_trial_checkpoints = nothing
    try:
        yield
    finally:
        usage.tag_callbacks, TuneController._get_trial_checkpoints = counting, trials
