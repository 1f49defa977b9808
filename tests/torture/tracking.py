"""A real MLflow server that can be killed, frozen and emptied, and a proxy before it that can do anything."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"
START_S = 180.0


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Server:
    """`mlflow server` over a SQLite store; started when made.

    Args:
        port: Where to listen, if it has to be a certain one.

    Attributes:
        store: Its database.
    """

    def __init__(self, folder: Path, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.store, self.port = folder, folder / "server.db", port or free_port()
        self.start()

    @property
    def uri(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Starts it, with what it had; returns when it answers."""
        command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(self.port)]
        command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self.store}"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self.folder, start_new_session=True, env=_quiet()
            )
        deadline = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"no MLflow server: {(self.folder / 'server.log').read_text()[-2000:]}")
            time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL, to it and its workers."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def forget(self) -> None:
        """Throws its database away; only after `kill`."""
        for path in self.folder.glob("server.db*"):
            path.unlink()

    def freeze(self) -> None:
        """It goes on to take connections, as its kernel does for it, and answers nothing."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on, with all requests that have piled up."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=1) as reply:
                return bool(reply.status == 200)
        except OSError:
            return False


Reply = tuple[int, bytes]
# Answers a request in its own way; the second argument is what passes it on and returns the server's reply.
Fault = Callable[[BaseHTTPRequestHandler, Callable[[], Reply]], None]


class Proxy:
    """Passes requests on to a server, or has a fault answer them.

    Attributes:
        server: Which.
        fault: Asked at each request for what answers it; None: the server does.
        faults: How many have not been answered by the server.
        busy: How many are being answered just now.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.faults, self.busy = server, 0, 0
        self.fault: Callable[[], Fault | None] = lambda: None
        self._counting = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with proxy._counted(), contextlib.suppress(ConnectionError):
                    fault = proxy.fault()
                    if fault is None:
                        answer(self, self._pass_on(body))
                        return
                    proxy.faults += 1
                    fault(self, lambda: self._pass_on(body))

            def _pass_on(self, body: bytes) -> Reply:
                upstream = http.client.HTTPConnection(HOST, server.port, timeout=60)
                kept = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                upstream.request(self.command, self.path, body, kept)
                reply = upstream.getresponse()
                found = reply.status, reply.read()
                upstream.close()
                return found

            def log_message(self, format: str, *arguments: object) -> None:
                """Nothing."""

        self._listener = ThreadingHTTPServer((HOST, 0), Handler)
        self._listener.daemon_threads = True
        self.uri = f"http://{HOST}:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, daemon=True)
        self._thread.start()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self.busy += 1
        try:
            yield
        finally:
            with self._counting:
                self.busy -= 1

    def close(self) -> None:
        """Listens no more."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def answer(handler: BaseHTTPRequestHandler, reply: Reply, kind: str = "application/json", **headers: str) -> None:
    """Sends a whole reply."""
    status, content = reply
    handler.send_response(status)
    for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def _quiet() -> dict[str, str]:
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
    # Seven more processes, each with all of MLflow in it, for jobs that no test has.
    return {**os.environ, **quiet, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
