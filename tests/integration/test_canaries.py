"""A secret in each place that takes an address, over a whole study, its servers absent and present: it shows nowhere.

Nowhere: not on the screen, in no file of the home or of the storage, in no table of MLflow or of a ledger. And nobody
else on the machine can read what the study wrote.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest

from study import passwords
from study.cli import main
from study.ledger import Ledger
from tests.integration.postgresql_for_tests import postgresql
from tests.s3_for_tests import BUCKET, S3Server, s3_server
from tests.strangers import as_nobody, public_folder, root_only
from tests.studies_for_tests import a_study
from tests.torture.tracking import Server as Mlflow
from tests.torture.tracking import free_port

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
CANARY = "Kanarienvogel"
NAME = "canary"
SMALL = ["replicates=1", "training.epochs=2", "compression.depth=2", "data.label_noise=1"]

READ = """
import os
home = Path(arguments[0])
result = [str(path) for path in (home, *home.rglob("*")) if os.access(path, os.R_OK)]
"""


@pytest.fixture(
    scope="module", params=[pytest.param("study.cli", marks=pytest.mark.ends, id="on Ray"), "tests.in_process"]
)
def run(request: pytest.FixtureRequest) -> Iterator[tuple[Path, list[str], "list[bytes]"]]:
    """A study whose MLflow is absent, then present; its home, what was said, and what its servers have."""
    with public_folder() as folder, s3_server() as store:
        home, mlflow = folder / "home", Mlflow(folder / "server")
        storage = store.uri("x").replace("s3://", f"s3://KEY:{CANARY}@")
        absent = f"http://me:{CANARY}@127.0.0.1:{free_port()}"
        present = mlflow.uri.replace("://", f"://me:{CANARY}@")
        where, program = ["--home", str(home), "--storage", storage], str(request.param)
        first = ["--name", NAME, "--trials", "1", *(part for setting in SMALL for part in ("--set", setting))]
        said = [
            ockham("launch", "redundancy", *first, *where, "--offline", uri=absent, program=program),
            ockham_here("status", NAME, "--home", str(home), uri=absent),
            ockham_here("doctor", "--no-ray", "--home", str(home), uri=absent),
            ockham("resume", NAME, *where, uri=present, program=program),
            ockham_here("status", NAME, "--home", str(home), uri=present),
            ockham_here("trials", NAME, "--format", "json", "--home", str(home)),
            ockham_here("report", NAME, "--home", str(home)),
            ockham_here("resume", NAME, "--home", str(home)),
        ]
        mlflow.kill()
        kept = [path.read_bytes() for path in mlflow.folder.rglob("*") if path.is_file()]
        yield home, said, [*kept, *objects(store)]


def ockham(*arguments: str, program: str, uri: str | None = None) -> str:
    environment = {**os.environ, **({"OCKHAM_TRACKING_URI": uri} if uri else {})}
    command = [sys.executable, "-m", program, *arguments]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    return f"{arguments[0]} {ended.returncode}\n{ended.stdout}{ended.stderr}"


def ockham_here(*arguments: str, uri: str | None = None) -> str:
    """As `ockham`, in this process, which knows no more of secrets than another one would."""
    environment = {"OCKHAM_TRACKING_URI": uri} if uri else {}
    said = StringIO()
    with (
        patch.dict(os.environ, environment),
        patch.object(passwords, "_told", set()),
        redirect_stdout(said),
        redirect_stderr(said),
    ):
        code = main(list(arguments))
    return f"{arguments[0]} {code}\n{said.getvalue()}"


def objects(store: S3Server) -> list[bytes]:
    from pyarrow import fs

    endpoint = {"endpoint_override": f"127.0.0.1:{store.port}", "scheme": "http", "region": "us-east-1"}
    bucket = fs.S3FileSystem(**endpoint)
    found = bucket.get_file_info(fs.FileSelector(BUCKET, recursive=True))
    return [bucket.open_input_stream(info.path).read() for info in found if info.type == fs.FileType.File]


def test_the_study_was_one(run: tuple[Path, list[str], list[bytes]]) -> None:
    """Else nothing is shown by what follows."""
    home, said, kept = run
    codes = [" ".join(text.split()[:2]) for text in said]
    assert codes[:2] == ["launch 130", "status 0"], said
    assert codes[3:7] == ["resume 0", "status 0", "trials 0", "report 0"], said
    assert codes[7] == "resume 2", "the ledger has no password, so it is asked for"
    assert any(content.startswith(b"SQLite format 3") for content in kept), "MLflow's store, and copies of the ledger"
    assert (home / NAME / "publisher.log").is_file(), "MLflow was absent, and the publisher said so"


def test_no_screen_has_it(run: tuple[Path, list[str], list[bytes]]) -> None:
    assert [text for text in run[1] if CANARY in text] == []


def test_no_file_of_the_home_has_it(run: tuple[Path, list[str], list[bytes]]) -> None:
    files = [path for path in run[0].rglob("*") if path.is_file()]
    assert len(files) > 10
    assert [path for path in files if CANARY.encode() in path.read_bytes()] == []


def test_neither_mlflow_nor_the_storage_has_it(run: tuple[Path, list[str], list[bytes]]) -> None:
    assert not any(CANARY.encode() in content for content in run[2])


def test_what_the_study_wrote_is_its_users_alone(run: tuple[Path, list[str], list[bytes]]) -> None:
    there = [run[0], *run[0].rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in there if path.is_dir()} == {0o700}
    assert {path.stat().st_mode & 0o077 for path in there if path.is_file()} == {0}


@root_only
def test_nobody_else_reads_anything(run: tuple[Path, list[str], list[bytes]]) -> None:
    assert as_nobody(READ, run[0]) == []


ABSENT = [
    f"--ledger=postgresql://me:{CANARY}@127.0.0.1:1/x",
    f"--ledger=postgresql://127.0.0.1:1/x?user=me&password={CANARY}",
    f"--ledger=postgresql://127.0.0.1:1/x?sslpassword={CANARY}&sslkey=none",
    f"--ledger=postgresql://127.0.0.1:1/x?sslkey={CANARY}",
    f"--ledger=postgresql:///x?host=127.0.0.1&port=x1&password={CANARY}",
    f'--ledger=postgresql://me:"{CANARY}@127.0.0.1:1/x',
    f"--ledger=me:{CANARY}@127.0.0.1/x",
    f"--ledger=mongodb://me:{CANARY}@127.0.0.1/x",
    f"--tracking-uri=http://{CANARY}@127.0.0.1:1",
    f"--tracking-uri=http://me:{CANARY}@w@127.0.0.1:1",
    f"--tracking-uri=http://127.0.0.1:1/?api_key={CANARY}",
    f"--tracking-uri=http://127.0.0.1:1/?pass={CANARY}",
    f"--tracking-uri=http://127.0.0.1:1/;access_key={CANARY}",
    f"--tracking-uri=http://me:1234/{CANARY}@127.0.0.1:1",
    f"--tracking-uri=mlflowx://me:{CANARY}@127.0.0.1:1",
    f"--storage=ftp://KEY:{CANARY}@bucket/x",
    f"--storage=s3://KEY:{CANARY}@bucket/x?endpoint_override=127.0.0.1:1&scheme=http&region=no",
    f"--storage=s3://bucket/x?session_token={CANARY}&endpoint_override=127.0.0.1:1&scheme=http&region=no",
]
# Which commands connect to what.
ASKING = {"--ledger": ["launch", "status", "delete"], "--tracking-uri": ["launch", "doctor"], "--storage": ["launch"]}


@pytest.mark.parametrize(
    ("command", "place"), [(command, place) for place in ABSENT for command in ASKING[place.partition("=")[0]]]
)
def test_no_error_about_an_absent_server_has_it(
    command: str, place: str, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    what = {"launch": ["redundancy"], "doctor": ["--no-ray"], "delete": [NAME, "--yes"]}.get(command, [NAME])
    code = main([command, *what, place, "--home", str(tmp_path / "home"), "--debug"])
    said = "".join(capfd.readouterr())
    assert command == "doctor" or code in (1, 2), said
    assert CANARY not in said
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]


def test_a_present_database_has_it_in_no_table(capfd: pytest.CaptureFixture[str]) -> None:
    import psycopg

    with postgresql() as server:
        url = server.replace("ockham@", f"ockham:{CANARY}@")
        config = a_study(Path("/nowhere"), run={"ledger": url, "tracking_uri": f"http://me:{CANARY}@mlflow:5000"})
        made = Ledger.create(url, config)
        made.acquire()
        made.set_trials(7)
        made.release()
        made.close()
        with psycopg.connect(server) as connection:
            names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            rows = [connection.execute(f'SELECT * FROM "{name}"').fetchall() for (name,) in names]  # type: ignore[arg-type]
        assert "tiny" in str(rows)
        assert CANARY not in str(rows)
        for command in (["status"], ["status", "tiny"], ["trials", "tiny"], ["delete", "other", "--yes"]):
            main([*command, "--ledger", url, "--home", "/nowhere"])
        main(["status", "--ledger", f"{url}-that-is-not-there"])
    said = "".join(capfd.readouterr())
    assert "tiny" in said
    assert CANARY not in said
