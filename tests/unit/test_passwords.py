"""Passwords in URLs are for those who need them: no command line, no file, no tracker."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.cli import main
from study.config import RunConfig, StudyConfig
from study.errors import UsageError
from study.ledger import Ledger
from study.ledger.place import Place
from study.passwords import mask_passwords
from study.settings.creation import write_study_file
from study.settings.loading import LaunchOptions, load_existing, load_study
from study.tracking import publishing, tracking_server
from study.tracking.token import VARIABLE, own_token
from study.trust import anybody, check_address
from tests.canaries import shows_canary
from tests.studies_for_tests import a_study

URLS = {
    "ledger": "postgresql://me:sesame@db/ockham",
    "tracking_uri": "http://me:sesame@mlflow:5000",
    "storage": "s3://key:sesame@bucket/x",
}


@pytest.fixture(autouse=True)
def _state_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Places that a test goes to are written below its folder, where it looks for secrets."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("odd", "\"'<>/?# \n\t\\")
@pytest.mark.parametrize(
    "address", ["postgresql://u:{}@h:1/db", "s3://KEY:{}@bucket/x", "http://u:{}@h", "http://u:1{}@h"]
)
def test_credentials_that_libraries_read_otherwise_are_refused(odd: str, address: str) -> None:
    given = address.format(f"{odd}CANARYX1" if "1{}" in address else f"CANA{odd}RYX1")
    with pytest.raises(ValueError, match="percent-encode") as refusal:
        check_address(given)
    assert not shows_canary(str(refusal.value))


@pytest.mark.parametrize("address", ["u:CANARYX1@127.0.0.1/db", "//u:CANARYX1@h/db", "http:/u:CANARYX1@h"])
def test_an_address_without_a_kind_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="which kind of address") as refusal:
        check_address(address)
    assert not shows_canary(str(refusal.value))


REFUSED = [
    *(f"--ledger=postgresql://u:CANA{odd}RYX1@127.0.0.1:1/db" for odd in "\"'<"),
    *("--ledger=postgresql://u:1234/CANARYX1@127.0.0.1:1/db", "--ledger=u:CANARYX1@127.0.0.1/db"),
    "--ledger=postgresql:///db?host=127.0.0.1&port=x1&password=CANARYX1",
    "--ledger=postgresql:///db?host=a,b&port=1&password=CANARYX1",
    "--ledger=postgresql://127.0.0.1:1/db?plugin=nothing&pass=CANARYX1",
    *("--storage=s3://KEY:1234/CANARYX1@b", "--storage=KEY:CANARYX1@b"),
    '--tracking-uri=http://u:CANA"RYX1@127.0.0.1:9/;access_key=CANARYX1',
    "--tracking-uri=http://127.0.0.1:9/?pass=CANARYX1",
]


@pytest.mark.parametrize("option", REFUSED)
def test_a_refused_address_is_written_nowhere(option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offline = ["--offline"] * ('"' in option)
    command = ["launch", "redundancy", *offline] if not option.startswith("--ledger") else ["status", "foo"]
    assert main([*command, option, "--home", str(tmp_path / "home"), "--debug"]) == 2
    said = "".join(capsys.readouterr())
    assert option.partition("=")[0] in said
    assert not shows_canary(said)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if shows_canary(path.read_bytes().decode(errors="replace"))] == []


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:9/;access_key=CANARYX1",
        "http://127.0.0.1:9/?sig=CANARYX1&x=1",
        "http://127.0.0.1:9/?password=CANA'RYX1",
        "http://me:CANA%22RYX1@127.0.0.1:9",
        "http://me:CANA,RYX1@127.0.0.1:9",
    ],
)
def test_what_is_taken_is_written_without(uri: str, tmp_path: Path) -> None:
    config = a_study(tmp_path, run={"tracking_uri": uri})
    assert config.run.tracking_uri == uri
    Ledger.create(config.ledger_url, config).close()
    write_study_file(config)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) > 1
    assert [path for path in files if shows_canary(path.read_bytes().decode(errors="replace"))] == []


def test_a_study_with_an_address_that_is_refused_now_opens(tmp_path: Path) -> None:
    """Earlier versions let it pass, and wrote it down."""
    fields = a_study(tmp_path).public_fields()
    fields["run"]["tracking_uri"] = 'http://u:CANA"RYX1@127.0.0.1:9'
    opened = StudyConfig.from_stored(json.dumps(fields))
    assert opened.run.tracking_uri == fields["run"]["tracking_uri"]
    assert not shows_canary(json.dumps(opened.public_fields()))
    assert not shows_canary(mask_passwords('refused: CANA"RYX1 and "CANA\\"RYX1"'))


@pytest.mark.parametrize("name", ["h0", "a b", "it's (mine)", 'say "x"', "$HOME", "a;b"])
def test_the_line_that_is_printed_for_scripts_exports_the_token(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv(VARIABLE, raising=False)
    home = tmp_path / name
    home.mkdir()
    token, said = own_token(home), list[str]()
    tracking_server._welcome(home, 5987, home / "mlflow.html", {}, said.append)
    (line,) = (line for line in map(mask_passwords, said) if "export" in line)
    script = f'{line.strip()}\nprintf %s "${VARIABLE}"'
    ran = subprocess.run(["/bin/bash", "-c", script], capture_output=True, check=True, text=True, cwd="/")
    assert ran.stdout == token
    assert shlex.split(line)[0] == "export"


def test_what_is_written_down_has_none(tmp_path: Path) -> None:
    config = a_study(tmp_path, run=URLS)
    config.directory.mkdir()
    write_study_file(config)
    written = (config.directory / "study.yaml").read_text()
    assert "sesame" not in written
    assert "sesame" not in json.dumps(config.public_fields())
    assert config.run.ledger == URLS["ledger"]
    assert yaml.safe_load(written)["run"]["ledger"] == "postgresql://me:***@db/ockham"


def test_what_was_written_down_is_not_taken_for_the_url(tmp_path: Path) -> None:
    for name, url in URLS.items():
        with pytest.raises(ValueError, match="give the whole URL again"):
            RunConfig.model_validate({name: mask_passwords(url)})
    file = tmp_path / "study.yaml"
    config = a_study(tmp_path, run={"ledger": URLS["ledger"]})
    file.write_text(
        yaml.safe_dump({key: config.public_fields()[key] for key in ("name", "run")} | {"space": "redundancy"})
    )
    with pytest.raises(UsageError, match=r"run.ledger: .* give the whole URL again"):
        load_study(LaunchOptions(source=str(file)), anybody)
    assert load_study(LaunchOptions(source=str(file), run={"ledger": URLS["ledger"]})).config.run.ledger


def test_a_ledger_keeps_none_and_asks_for_it_again(tmp_path: Path) -> None:
    config = a_study(tmp_path, run={"tracking_uri": URLS["tracking_uri"], "storage": str(tmp_path / "storage")})
    made = Ledger.create(config.ledger_url, config)
    made.acquire()
    made.set_trials(9)
    assert made.config.run.tracking_uri == URLS["tracking_uri"], "who has the lease was told of it"
    made.release()
    made.close()
    assert not [file for file in (tmp_path / "tiny").iterdir() if b"sesame" in file.read_bytes()]
    place = Place(home=tmp_path)
    assert place.open("tiny").config.run.tracking_uri == "http://me:***@mlflow:5000"
    with pytest.raises(UsageError, match=r"tracking_uri: .* give the whole URL again"):
        load_existing(place, "tiny", None, {}, sure=anybody)
    again, _ = load_existing(place, "tiny", None, {"tracking_uri": URLS["tracking_uri"]}, sure=anybody)
    assert again.run.tracking_uri == URLS["tracking_uri"]


class Started(Exception):
    """With what."""


def test_no_command_line_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def start(command: list[str], **options: Any) -> None:
        raise Started(command, options.get("env"))

    config = a_study(tmp_path, run=URLS)
    config.directory.mkdir()
    for module in (publishing, tracking_server):
        monkeypatch.setattr(module.subprocess, "Popen", start)
    with pytest.raises(Started) as publisher:
        publishing.Publishing(config, 1, print)
    with pytest.raises(Started) as server:
        tracking_server.serve(Place(home=tmp_path, tracking_uri="postgresql://me:sesame@db/x"), None, print)
    assert "sesame" not in str(publisher.value.args[0]) + str(server.value.args[0])
    assert server.value.args[1]["MLFLOW_BACKEND_STORE_URI"] == "postgresql://me:sesame@db/x"
