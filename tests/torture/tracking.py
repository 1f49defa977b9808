"""A real MLflow server that can be killed, frozen and emptied, and a proxy before it that delays or refuses."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
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

    Attributes:
        store: Its database.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.store, self.port = folder, folder / "server.db", free_port()
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


class Proxy:
    """Passes requests on to a server, late, or answers 500 itself.

    Attributes:
        server: Which.
        delay_s: Before each request is passed on.
        refuses: Whether it answers 500.
        refused: How often it has.
    """

    def __init__(self, server: Server) -> None:
        self.server, self.delay_s, self.refuses, self.refused = server, 0.0, False, 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                time.sleep(proxy.delay_s)
                proxy.refused += proxy.refuses
                status, reply = (500, b"{}") if proxy.refuses else self._pass_on(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def _pass_on(self, body: bytes) -> tuple[int, bytes]:
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

    def close(self) -> None:
        """Listens no more."""
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


def _quiet() -> dict[str, str]:
    return {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "GIT_PYTHON_REFRESH": "quiet"}
