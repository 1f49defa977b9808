"""Passwords in URLs are for those who need them: no command line, no file, no tracker."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.config import RunConfig
from study.errors import UsageError
from study.ledger import Ledger
from study.ledger.place import Place
from study.passwords import mask_passwords, remember
from study.settings.creation import write_study_file
from study.settings.loading import LaunchOptions, load_existing, load_study
from study.tracking import publishing, tracking_server
from study.trust import anybody
from tests.studies_for_tests import a_study

URLS = {
    "ledger": "postgresql://me:sesame@db/ockham",
    "tracking_uri": "http://me:sesame@mlflow:5000",
    "storage": "s3://key:sesame@bucket/x",
}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s/e?s@db:5432/ockham", "postgresql://me:***@db:5432/ockham"),
        ("postgresql://db/ockham?user=me&password=sesame&sslmode=on", "postgresql://db/ockham?user=me&password=***&sslmode=on"),
        ("postgresql+psycopg://me@db/ockham", "postgresql+psycopg://me@db/ockham"),
        ("sqlite:////home/me/study.db", "sqlite:////home/me/study.db"),
        ("http://host:5000", "http://host:5000"),
        ("/mnt/a:b@c", "/mnt/a:b@c"),
        ("http://me:p@w@host:1/x", "http://me:***@host:1/x"),
        ("http://TOKEN@host/x", "http://***@host/x"),
        ("https://TOKEN:x-oauth-basic@host", "https://***:@host"),
        ("ftp://K:SECRET@b: no such scheme", "ftp://K:***@b: no such scheme"),
        ("s3://K:a/b+c@bucket/x", "s3://K:***@bucket/x"),
        ("x?token=A&api_key=B&session_token=C", "x?token=***&api_key=***&session_token=***"),
        ("host=db sslpassword=A PASSWORD='a b' user=me", "host=db sslpassword=*** PASSWORD=*** user=me"),
        ('{"password": "A", \'api-key\': \'B\'}', '{"password": "***", \'api-key\': \'***\'}'),
        ("Authorization: Bearer A.b-c", "Authorization: Bearer ***"),
        ("password authentication failed for user me", "password authentication failed for user me"),
        ("a token of 3 at http://h/a@b and me@you", "a token of 3 at http://h/a@b and me@you"),
    ],
)  # fmt: skip
def test_only_the_password_goes(url: str, shown: str) -> None:
    assert mask_passwords(url) == shown


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


def test_pieces_of_a_secret_are_known_again() -> None:
    """A library takes an address apart, and says so."""
    remember("http://me:open%40sesame@host")
    assert mask_passwords("cannot resolve sesame@host, tried open@sesame and open%40sesame") == (
        "cannot resolve ***@host, tried *** and ***"
    )


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
