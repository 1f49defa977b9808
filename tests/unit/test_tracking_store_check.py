"""A tracking store that can't be reached is said at once, before anything is made."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from study.cli import main
from study.config import RunConfig
from study.errors import UsageError
from study.settings import creation
from study.settings.tracking_store import check_tracking_store
from tests.studies_for_tests import a_study


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("htp:/bad", "'htp' is no kind of address that MLflow knows; did you mean http://?"),
        ("postgresq://me:sesame@host/db", "did you mean postgresql://?"),
        ("http://127.0.0.1:{unused}", "the server does not answer (Connection refused)"),
        ("http://me:sesame@127.0.0.1:{unused}/prefix", "the server does not answer (Connection refused)"),
        ("http://", "does not answer"),
        ("postgresql://me:sesame@127.0.0.1:{unused}/db", "the database does not answer ("),
        ("sqlite:////nowhere/at/all/mlflow.db", "there is no folder /nowhere/at/all"),
        ("sqlite://", "must be a file that outlives the process"),
    ],
)
def test_a_store_that_is_not_there_is_refused(uri: str, said: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    uri = uri.format(unused=_unused_port())
    with pytest.raises(UsageError) as refused:
        creation.open_or_create(a_study(home, run={"tracking_uri": uri}), str)
    assert said in str(refused.value)
    assert "--offline" in str(refused.value)
    assert "sesame" not in str(refused.value)
    assert not home.exists(), "nothing is left"


def test_offline_goes_on(tmp_path: Path) -> None:
    uri = f"http://127.0.0.1:{_unused_port()}"
    assert creation.open_or_create(a_study(tmp_path, run={"tracking_uri": uri, "offline": True}), str)[1]


@pytest.mark.parametrize(("code", "refused"), [(200, False), (401, False), (404, True), (503, True)])
def test_whoever_answers_is_asked_whether_it_is_mlflow(code: int, refused: bool) -> None:
    with _server(code) as uri:
        run = RunConfig(tracking_uri=uri)
        if refused:
            with pytest.raises(UsageError, match=f"HTTP {code}"):
                check_tracking_store(run)
        else:
            check_tracking_store(run)


@pytest.mark.parametrize("uri", ["databricks", "sqlite:///{}/mlflow.db", "{}/runs", "file:{}/runs"])
def test_stores_that_are_there(uri: str, tmp_path: Path) -> None:
    check_tracking_store(RunConfig(tracking_uri=uri.format(tmp_path)))


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _server(code: int) -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(code)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_a_server_that_hangs_up_is_asked_a_few_times_and_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow's client by itself asks for minutes."""
    for name in ("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "MLFLOW_HTTP_REQUEST_TIMEOUT"):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)
    calls: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            with contextlib.suppress(OSError):  # it is closed
                while True:
                    server.accept()[0].close()
                    calls.append(1)

        threading.Thread(target=hang_up, daemon=True).start()
        uri = f"http://127.0.0.1:{server.getsockname()[1]}"
        assert main(["doctor", "--no-ray", "--home", str(tmp_path), "--tracking-uri", uri]) == 1
        assert 1 <= len(calls) <= 2
        server.shutdown(socket.SHUT_RDWR)
    assert f"{uri}: API request to" in " ".join(capsys.readouterr().out.split())
