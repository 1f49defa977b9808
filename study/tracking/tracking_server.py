"""`ockham ui`: MLflow's web server on this machine, over the home's store, for as long as the command runs.

Every user of the machine can connect to it; only this one gets in (`study.tracking.guard`).
"""

import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from study.errors import UsageError
from study.ledger.place import Place
from study.passwords import mask_passwords
from study.private import private_files
from study.stop_flag import interrupted_by
from study.tracking.guard import local_page
from study.tracking.guarded_server import LANDING, TICKET
from study.tracking.mlflow_store import settle
from study.tracking.pages import pages
from study.tracking.token import FILE, VARIABLE, own_token

HOST = "127.0.0.1"
FIRST_PORT = 5000
_START_S = 60.0


def serve(place: Place, port: int | None, say: Callable[[str], None]) -> int:
    """Serves until Ctrl-C, SIGTERM, or the server's own end; returns an exit code.

    Raises:
        UsageError: There is nothing to show, or the port is taken.
    """
    uri = place.store_uri()
    if uri.startswith(("http://", "https://")):
        say(f"MLflow runs at {mask_passwords(uri)}")
        return 0
    if (own := place.own_store) and not own.is_file():
        raise UsageError(f"there is no MLflow store in {place.home} yet; run a study first: {place.command('launch')}")
    port = free_port() if port is None else port
    if not _is_free(port):
        raise UsageError(f"--port {port}: something else listens there; leave the option out to get a free one")
    say("Starting MLflow …")
    there: dict[str, str] = {}
    if own:
        settle(own)
        there = dict(pages(own))
    ticket = secrets.token_urlsafe(32)
    with (
        tempfile.TemporaryFile(mode="w+", prefix="ockham-ui-") as log,
        _page(place.home, port, ticket) as page,
        private_files(place.home),
    ):
        # In the environment, which only this user can read: everyone can read a command line.
        secret = {"MLFLOW_BACKEND_STORE_URI": uri, VARIABLE: own_token(place.home), TICKET: ticket}
        secret[LANDING] = next(iter(there.values()), "/")
        server = subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-m", "study.tracking.guarded_server", HOST, str(port), str(_artifacts(place))],
            env=os.environ | secret,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        return _attend(server, port, log, lambda: _welcome(place.home, port, page, there, say))


def _welcome(home: Path, port: int, page: Path, there: Mapping[str, str], say: Callable[[str], None]) -> None:
    say(f"The studies of {home}: {page.as_uri()}")
    for name, path in there.items():
        say(f"  {name}, once you are in: http://{HOST}:{port}{path}")
    say(f"Scripts go to http://{HOST}:{port} once they have its token:")
    say(f"  export {VARIABLE}=$(cat {shlex.quote(str((home / FILE).absolute()))})")
    say("Ctrl-C ends it.")
    seated = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin"
    if sys.stdout.isatty() and seated:
        webbrowser.open(page.as_uri())


@contextmanager
def _page(home: Path, port: int, ticket: str) -> Iterator[Path]:
    """The page that lets a browser in: of this user alone, and gone with the server."""
    page = (home / "mlflow.html").absolute()
    page.unlink(missing_ok=True)
    handle = os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            file.write(local_page(f"http://{HOST}:{port}", ticket))
        yield page
    finally:
        page.unlink(missing_ok=True)


def _artifacts(place: Place) -> Path:
    return (place.home / "mlartifacts").absolute()


def _attend(server: "subprocess.Popen[bytes]", port: int, log: TextIO, welcome: Callable[[], None]) -> int:
    try:
        with interrupted_by(signal.SIGTERM, signal.SIGHUP):
            if _answers(server, port):
                welcome()
                server.wait()
        log.seek(0)
        raise RuntimeError(f"MLflow's server ended: {' '.join(log.read().split()[-60:])}")
    except KeyboardInterrupt:
        return 0
    finally:
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
