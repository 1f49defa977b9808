"""The token of a home's server is told to nobody else who listens in its place."""

import os
import socket
import sys
from pathlib import Path

import pytest

from study.tracking.token import VARIABLE, listeners, own_token, use_token
from tests.strangers import NOBODY, nobodys_process, root_only

LISTEN = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _without_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)


def test_the_homes_own_server_is_told(tmp_path: Path) -> None:
    token = own_token(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        if sys.platform == "linux":
            assert listeners(server.getsockname()[1]) == {os.geteuid()}
        use_token(tmp_path, f"http://127.0.0.1:{server.getsockname()[1]}")
        assert os.environ[VARIABLE] == token


@root_only
def test_whoever_takes_the_port_while_the_server_is_down_is_not_told(tmp_path: Path) -> None:
    own_token(tmp_path)
    with nobodys_process(LISTEN) as trap:
        assert trap.stdout is not None
        port = int(trap.stdout.readline())
        assert listeners(port) == {NOBODY}
        for host in ("127.0.0.1", "localhost"):
            use_token(tmp_path, f"http://{host}:{port}")
            assert VARIABLE not in os.environ
