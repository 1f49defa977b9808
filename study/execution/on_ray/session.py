"""Ray for one run: a private, authenticated, quiet local instance, or a cluster that is already there."""

import atexit
import logging
import os
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from study.config import RunConfig
from study.errors import ExecutorDidNotStart, UsageError
from study.execution.on_ray.capacity import fit, most_trials
from study.execution.on_ray.dead import forget_dead
from study.execution.on_ray.lean import environment, keeping_signals, lean_and_private
from study.execution.on_ray.scratch import make_scratch, remove_scratch
from study.passwords import mask_passwords
from study.settings.machine import cpus, gpus, require_one_gpu
from study.settings.own_cluster import own_cluster
from study.stop_flag import children_ignore_interrupts, without_interrupts

STARTS = 3  # a busy machine may need more than the 30 s that Ray waits for its own processes

_QUIET = {
    "RAY_AIR_NEW_OUTPUT": "0",  # with verbose=0 the old reporter prints nothing at all
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # no CSV, JSON, TensorBoard files
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # ours decide
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # the ledger is the state; Ray's snapshots are O(trials) each
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    "TUNE_WARN_THRESHOLD_S": "60",
    "TUNE_WARN_INSUFFICENT_RESOURCE_THRESHOLD_S": "1000000000",
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # else Ray retries a pre-empted trial under its old attempt
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_USAGE_STATS_PROMPT_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # the future default; without it Ray warns
    "RAY_TRAIN_ENABLE_V2_MIGRATION_WARNINGS": "0",
}
# How long this process looks for a head that died before Ray's C++ ends it, with a line of its own. We hear of the
# death within seconds; but a call that was on its way is left behind, and telling MLflow the rest may take minutes.
_PATIENT = {"RAY_gcs_rpc_server_reconnect_timeout_s": "3600"}
_SILENT: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL, "configure_logging": True}


@dataclass(frozen=True)
class Session:
    """A running Ray.

    Attributes:
        cpus, gpus: What it has in total.
        results: Where Ray may keep its own (small, worthless) files.
        local: Whether this process started it.
        machines: (CPUs, GPUs) of each.
        vital: The processes of a local one without which nothing goes on.
    """

    cpus: float
    gpus: float
    results: Path
    local: bool
    vital: tuple[psutil.Process, ...] = ()
    machines: tuple[tuple[float, float], ...] = ()

    def lives(self) -> bool:
        """Whether a local Ray still can do anything; True of a cluster, which repairs itself or says what is wrong."""
        return all(_lives(process) for process in self.vital)

    def slots(self, run: RunConfig) -> int:
        """Trials at once.

        Raises:
            UsageError: Not one trial fits.
        """
        if self.local and run.gpus_per_trial > 0 and self.gpus < run.gpus_per_trial:
            raise UsageError(
                f"--gpus-per-trial {run.gpus_per_trial:g}: this machine has {self.gpus:g} GPUs; drop the option"
            )
        require_one_gpu(run)
        if not self.local:  # a cluster may grow; what does not fit yet waits, and makes it
            most = most_trials(run, self.machines)  # whatever else is asked for: what never fits would wait for ever
            return run.max_concurrent or most
        most = fit(self.cpus, self.gpus, run)
        if most < 1:
            raise UsageError(f"--cpus-per-trial {run.cpus_per_trial:g}: this machine has {self.cpus:g} CPUs; lower it")
        return min(most, run.max_concurrent or most)


@contextmanager
def ray_session(
    run: RunConfig, *, wanted: Callable[[], bool] = lambda: True, meanwhile: Callable[[], None] = lambda: None
) -> Iterator[Session]:
    """Ray for the duration of the block; afterwards nothing of a local one is left, neither process nor file.

    Args:
        wanted: Whether to try again when a local one does not start.
        meanwhile: Called from another thread while Ray starts: imports, say.
    Raises:
        UsageError: `run.address` does not answer.
        ExecutorDidNotStart: A local one does not come up.
    """
    os.environ.update(_QUIET)
    for name in ("TUNE_RESULT_DIR", "RAY_AIR_LOCAL_CACHE_DIR"):  # deprecated, refused by Tune if set
        os.environ.pop(name, None)
    with environment(_PATIENT if run.address is None else {}):
        if run.address is None:
            _authenticate()
        import ray

    _hush()
    if ray.is_initialized():  # the caller's own, e.g. in a notebook
        with tempfile.TemporaryDirectory(prefix="ockham-", ignore_cleanup_errors=True) as scratch:
            yield _session(Path(scratch), local=False)
        return
    threading.Thread(target=meanwhile, name="ockham-meanwhile", daemon=True).start()
    if run.address is not None:
        yield from _join_cluster(run)
    else:
        yield from _start_own(run, wanted)


def _join_cluster(run: RunConfig) -> Iterator[Session]:
    """A cluster that is there."""
    import ray

    address = own_cluster() if run.address == "auto" else run.address
    scratch = make_scratch(run.home)
    try:
        try:
            with children_ignore_interrupts(), keeping_signals():
                ray.init(address=address, **_SILENT)
        except Exception as error:  # ConnectionError, ValueError, AuthenticationError, gRPC's own
            raise UsageError(mask_passwords(f"--address {run.address}: no Ray answers there ({error})")) from None
        yield _session(scratch / "results", local=False)
    finally:
        with without_interrupts():
            with children_ignore_interrupts():
                ray.shutdown()
            remove_scratch(scratch)


def _start_own(run: RunConfig, wanted: Callable[[], bool]) -> Iterator[Session]:
    """One of this process."""
    scratch = make_scratch(run.home)
    started: list[psutil.Process] = []
    try:
        for left in reversed(range(STARTS)):
            before = {process.pid for process in psutil.Process().children()}
            try:
                with children_ignore_interrupts(), keeping_signals(), lean_and_private():
                    _init(run, scratch)
                break
            except Exception as error:  # Ray's own is a bare Exception
                if not left or not wanted():
                    raise ExecutorDidNotStart("Ray", error) from error
            finally:
                with without_interrupts():
                    started = [process for process in psutil.Process().children() if process.pid not in before]
            with children_ignore_interrupts():
                _shutdown(started)
        yield _session(scratch / "results", local=True)
    finally:
        with without_interrupts():
            with children_ignore_interrupts():
                _shutdown(started)
            remove_scratch(scratch)


def _authenticate() -> None:
    """Nobody else may use this Ray: it listens here only, and whoever has no token is refused.

    Ray reads all of this when it is imported, and the modules that the driver needs have imported it by now.
    """
    imported = "ray" in sys.modules
    os.environ["RAY_AUTH_MODE"] = "token"
    # Its C++ side keeps the first token that it has seen, so a process keeps it for all its studies.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    if imported:
        from ray._raylet import Config  # type: ignore[attr-defined]

        Config.initialize("")  # what Ray itself does to make a process see the mode


def _hush() -> None:
    """Ray reports dead workers straight to stdout, `log_to_driver` or not; the recorder says so in one line."""
    import ray._private.worker as ray_worker

    for name in ("ray", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if hasattr(ray_worker, "print_to_stdstream"):
        ray_worker.print_to_stdstream = _to_log


def _to_log(data: dict[str, Any], **_options: Any) -> None:
    for line in data.get("lines", ()):
        logging.getLogger(__name__).debug("%s", line)


def _init(run: RunConfig, scratch: Path) -> None:
    import ray

    os.environ.pop("RAY_ADDRESS", None)
    ray.init(
        include_dashboard=False,
        _temp_dir=str(scratch),
        object_store_memory=200_000_000,  # results pass inline; trials share data through files
        num_cpus=cpus(),
        num_gpus=gpus() if run.gpus_per_trial > 0 else 0,
        **_SILENT,
    )


def _session(results: Path, *, local: bool) -> Session:
    import ray

    results.mkdir(parents=True, exist_ok=True)
    total = ray.cluster_resources()
    children = psutil.Process().children(recursive=True) if local else []
    vital = tuple(process for process in children if _name(process) in ("raylet", "gcs_server"))
    return Session(total.get("CPU", 0.0), total.get("GPU", 0.0), results, local, vital, machines_there())


def machines_there() -> tuple[tuple[float, float], ...]:
    """(CPUs, GPUs) of each machine of the Ray that this process has joined."""
    import ray

    there = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    return tuple((node.get("CPU", 0.0), node.get("GPU", 0.0)) for node in there)


def _shutdown(started: list[psutil.Process]) -> None:
    """Ends Ray and waits until all its processes are gone.

    Args:
        started: By `ray.init`; other children of this process, a publisher that was replaced say, live on.
    """
    import ray

    ours = [*started, *(child for process in started for child in _children(process))]
    if all(_lives(process) for process in started):
        ray.shutdown()
    else:
        atexit.unregister(ray.shutdown)
        forget_dead()
    with without_interrupts():  # again: behind Python's back, Ray's C++ has just let SIGTERM end the process
        _, alive = psutil.wait_procs(ours, timeout=3.0)
        for process in alive:
            if process.is_running() and process.pid != os.getpid():
                _kill(process)
        psutil.wait_procs(alive, timeout=3.0)


def _name(process: psutil.Process) -> str:
    try:
        name: str = process.name()
        return name
    except psutil.NoSuchProcess:  # a helper of Ray's start that has gone since
        return ""


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return  # it went on its own in the meantime
