"""`ockham ui`: MLflow's web server on this machine, over the home's store, for as long as the command runs."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from types import FrameType
from typing import TextIO

from study.errors import UsageError
from study.ledger.place import Place
from study.passwords import masked

HOST = "127.0.0.1"
FIRST_PORT = 5000
_START_S = 60.0
_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}


def serve(place: Place, port: int | None, say: Callable[[str], None]) -> int:
    """Serves until Ctrl-C, SIGTERM, or the server's own end; returns an exit code.

    Raises:
        UsageError: There is nothing to show, or the port is taken.
    """
    uri = place.tracking()
    if uri.startswith(("http://", "https://")):
        say(f"MLflow runs at {masked(uri)}")
        return 0
    if place.tracking_uri is None and not (place.home / "mlflow.db").is_file():
        raise UsageError(f"there is no MLflow store in {place.home} yet; run a study first: ockham launch")
    port = free_port() if port is None else port
    if not _is_free(port):
        raise UsageError(f"--port {port}: something else listens there; leave the option out to get a free one")
    say("Starting MLflow …")
    with tempfile.TemporaryFile(mode="w+", prefix="ockham-ui-") as log:
        server = subprocess.Popen(  # noqa: S603 - our own words
            _command(place, port),
            env=os.environ | _QUIET | {"MLFLOW_BACKEND_STORE_URI": uri},  # everyone can read a command line's password
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return _attend(server, port, log, say, f"The studies of {place.home}: http://{HOST}:{port}")


def _attend(server: "subprocess.Popen[bytes]", port: int, log: TextIO, say: Callable[[str], None], ready: str) -> int:
    before = [(number, signal.signal(number, _interrupt)) for number in (signal.SIGTERM, signal.SIGHUP)]
    try:
        if _answers(server, port):
            say(f"{ready}  (Ctrl-C ends it)")
            server.wait()
        log.seek(0)
        raise RuntimeError(f"MLflow's server ended: {' '.join(log.read().split()[-60:])}")
    except KeyboardInterrupt:
        return 0
    finally:
        for number, handler in before:
            signal.signal(number, handler)
        _end(server)


def free_port(first: int = FIRST_PORT, tries: int = 50) -> int:
    """The first port from `first` on that nobody listens on.

    Raises:
        UsageError: None of `tries` ports is free.
    """
    for port in range(first, first + tries):
        if _is_free(port):
            return port
    raise UsageError(f"no port between {first} and {first + tries} is free; choose one with --port")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            return False
    return True


def _command(place: Place, port: int) -> list[str]:
    artifacts = (place.home / "mlartifacts").absolute()
    return [
        *(sys.executable, "-m", "mlflow", "server"),
        *("--artifacts-destination", str(artifacts)),
        *("--host", HOST, "--port", str(port), "--workers", "1"),
        *("--uvicorn-opts", "--log-level warning"),
    ]


def _answers(server: "subprocess.Popen[bytes]", port: int) -> bool:
    """Waits until the server takes connections; False if it ended instead."""
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return False
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((HOST, port)) == 0:
                return True
        time.sleep(0.2)
    return False


def _end(server: "subprocess.Popen[bytes]") -> None:
    """Ends the server and its workers, which share its session."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            return
        try:
            server.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            continue


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
