"""A PostgreSQL server of one's own, where its programs and the driver are installed."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Server:
    """A running one.

    Attributes:
        url: Of its database.
        crash, start: Ends it as a lost machine does; starts it again. Both return when that is done.
    """

    url: str
    crash: Callable[[], None]
    start: Callable[[], None]


@contextmanager
def postgresql() -> Iterator[str]:
    """URL of a fresh server's database; skips the test, with the reason, where there can't be one."""
    with server() as found:
        yield found.url


@contextmanager
def server(*settings: str) -> Iterator[Server]:
    """As `postgresql`, for tests in which it dies.

    Args:
        settings: Of its own, `name=value`.
    """
    programs = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    programs += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if not programs or not (programs[0] / "initdb").exists():
        pytest.skip("needs PostgreSQL's server programs (initdb, pg_ctl)")
    if importlib.util.find_spec("psycopg") is None:
        pytest.skip("needs psycopg: pip install 'psycopg[binary]'")
    user = None
    if os.geteuid() == 0:  # the server refuses to run as root
        if "postgres" not in [entry.pw_name for entry in pwd.getpwall()]:
            pytest.skip("PostgreSQL does not run as root, and there is no user postgres")
        user = "postgres"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [programs[0] / program, *arguments],
            check=True,
            user=user,
            cwd=folder,
            stdout=subprocess.DEVNULL,
            timeout=120,
        )

    data = str(folder / "data")
    try:
        call("initdb", "-D", data, "-A", "trust", "-U", "ockham", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        options += "".join(f" -c {setting}" for setting in settings)

        def start() -> None:
            call("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")

        def crash() -> None:
            call("pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")

        start()
        try:
            yield Server(f"postgresql://ockham@127.0.0.1:{port}/postgres", crash, start)
        finally:
            crash()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
