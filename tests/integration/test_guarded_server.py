"""MLflow's server lets in the user who started it, no other user of the machine, and shows its own artifacts only."""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from study.tracking.guarded_server import is_inside
from study.tracking.token import FILE, own_token, use_token
from study.tracking.tracking_server import free_port
from tests.strangers import as_nobody, public_folder, root_only
from tests.unit.cli_ledgers import ledger

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]

# What `nobody` tried: an experiment whose artifacts are somebody else's folder, and a file out of it.
ATTACK = """
import urllib.request, urllib.error
def asked(path, data=None):
    request = urllib.request.Request(arguments[0] + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
made = json.dumps({"name": "trap", "artifact_location": "file:///etc"}).encode()
result = {
    "page": asked("/"),
    "create": asked("/api/2.0/mlflow/experiments/create", made),
    "search": asked("/ajax-api/2.0/mlflow/experiments/search", b'{"max_results": 10}'),
    "artifact": asked("/get-artifact?path=hostname&run_uuid=0"),
    "upload": asked("/ajax-api/2.0/mlflow/upload-artifact?run_uuid=0&path=x", b"x"),
    "proxied": asked("/api/2.0/mlflow-artifacts/artifacts?path="),
    "graphql": asked("/graphql", b"{}"),
    "files": {name: tried(lambda: open(Path(arguments[1]) / name).read()) for name in ("mlflow.token", "mlflow.html")},
}
"""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, Path, psutil.Process]]:
    """`ockham ui` as a user runs it: its address, its home, its process."""
    with public_folder() as home:
        made = ledger(home)
        made.release()
        made.close()
        _a_store(home)
        port = free_port(5300)
        command = [sys.executable, "-m", "study.cli", "ui", "--home", str(home), "--port", str(port)]
        ui = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert ui.stdout is not None
        said = ""
        while "Ctrl-C" not in said:
            line = ui.stdout.readline()
            assert line, said
            said += line
        yield f"http://127.0.0.1:{port}", home, psutil.Process(ui.pid)
        ui.send_signal(signal.SIGINT)
        assert ui.wait(timeout=30) == 0
        ui.stdout.close()
        assert not (home / "mlflow.html").exists()


def _a_store(home: Path) -> None:
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{home / 'mlflow.db'}")
    for name, place in (("inside", (home / "mlartifacts/inside").as_uri()), ("outside", "file:///etc")):
        run = client.create_run(client.create_experiment(name, artifact_location=place))
        if name == "inside":
            client.log_text(run.info.run_id, "mine", "file.txt")


def ask(address: str, path: str, data: bytes | None = None, **headers: str) -> tuple[int, str, dict[str, str]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(address + path, data, named), timeout=30) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


@root_only
def test_another_user_is_let_in_nowhere(served: tuple[str, Path, psutil.Process]) -> None:
    found = as_nobody(ATTACK, served[0], served[1])
    assert found.pop("files") == {"mlflow.token": "PermissionError", "mlflow.html": "PermissionError"}
    assert set(found.values()) == {401}, found


def test_a_browser_enters_once_by_the_local_page(served: tuple[str, Path, psutil.Process]) -> None:
    address, home, _ = served
    page = home / "mlflow.html"
    assert page.stat().st_mode & 0o777 == 0o600
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.read_text())
    assert ticket is not None
    form = urllib.parse.urlencode({"ticket": ticket[1]}).encode()
    status, _, headers = ask(address, "/ockham/enter", form)
    assert status == 200
    assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]
    assert ask(address, "/ockham/enter", form)[0] == 401, "a ticket counts once"
    cookie = headers["set-cookie"].partition(";")[0]
    status, text, _ = ask(address, "/", Cookie=cookie)
    assert (status, "MLflow" in text) == (200, True)
    assert ask(address, "/", Cookie=cookie[:-2])[0] == 401
    token = urllib.parse.urlencode({"ticket": (home / FILE).read_text().strip()}).encode()
    assert ask(address, "/ockham/enter", token)[0] == 200, "from another machine, through a tunnel, it can be typed"


def test_scripts_send_the_token(
    served: tuple[str, Path, psutil.Process], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    address, home, _ = served
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowException, match="401"):
        MlflowClient(tracking_uri=address).search_experiments()
    use_token(home, address)
    client = MlflowClient(tracking_uri=address)
    places = {each.name: each for each in client.search_experiments()}
    assert {"inside", "outside"} <= places.keys()
    runs = {name: client.search_runs([places[name].experiment_id])[0].info.run_id for name in ("inside", "outside")}
    bearer = {"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    assert ask(address, f"/get-artifact?path=file.txt&run_uuid={runs['inside']}", **bearer)[:2] == (200, "mine")
    status, text, _ = ask(address, f"/get-artifact?path=hostname&run_uuid={runs['outside']}", **bearer)
    assert status == 403
    assert "outside this server's artifacts" in text
    with pytest.raises(MlflowException, match="outside this server's artifacts"):
        client.create_experiment("trap", artifact_location="file:///etc")
    new = client.create_run(client.create_experiment("new")).info.run_id
    client.log_text(new, "content", "there.txt")
    assert [path.name for path in (home / "mlartifacts").rglob("there.txt")] == ["there.txt"]


def test_it_is_one_process_and_its_command_line_has_no_secret(served: tuple[str, Path, psutil.Process]) -> None:
    below = served[2].children(recursive=True)
    assert len(below) == 1, [process.cmdline() for process in below]
    token = (served[1] / FILE).read_text().strip()
    assert token not in " ".join(below[0].cmdline() + served[2].cmdline())
    assert {connection.laddr.ip for connection in below[0].net_connections() if connection.status == "LISTEN"} == {
        "127.0.0.1"
    }


def test_a_token_that_others_can_read_is_not_used_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    first = own_token(tmp_path)
    assert own_token(tmp_path) == first
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / FILE).chmod(0o644)
    assert own_token(tmp_path) != first
    use_token(tmp_path, "http://elsewhere:5000")
    assert "MLFLOW_TRACKING_TOKEN" not in os.environ


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ("mlflow-artifacts:/1/2", True),
        ("file://{root}/1", True),
        ("{root}", True),
        ("{root}/../x", False),
        ("file://{root}-not", False),
        ("file:///etc", False),
        ("/etc", False),
        ("s3://bucket/x", False),
        ("{root}/link/x", False),
    ],
)
def test_what_is_inside(place: str, inside: bool, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc")
    assert is_inside(place.format(root=tmp_path), str(tmp_path)) == inside
    assert is_inside("s3://bucket/mlartifacts/1", "s3://bucket/mlartifacts")
    assert not is_inside("s3://bucket/mlartifacts-not", "s3://bucket/mlartifacts")
    assert not is_inside("s3://bucket/mlartifacts/../x", "s3://bucket/mlartifacts")
