"""Passwords in URLs are for those who need them: no command line, no file, no tracker."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.config import RunConfig
from study.errors import UsageError
from study.ledger.place import Place
from study.passwords import masked
from study.settings.creation import write_study_file
from study.settings.loading import LaunchOptions, load_study
from study.tracking import publishing, tracking_server
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
    ],
)  # fmt: skip
def test_only_the_password_goes(url: str, shown: str) -> None:
    assert masked(url) == shown


def test_what_is_written_down_has_none(tmp_path: Path) -> None:
    config = a_study(tmp_path, run=URLS)
    config.directory.mkdir()
    write_study_file(config)
    written = (config.directory / "study.yaml").read_text()
    assert "sesame" not in written
    assert "sesame" not in json.dumps(config.shown())
    assert config.run.ledger == URLS["ledger"]
    assert yaml.safe_load(written)["run"]["ledger"] == "postgresql://me:***@db/ockham"


def test_what_was_written_down_is_not_taken_for_the_url(tmp_path: Path) -> None:
    for name, url in URLS.items():
        with pytest.raises(ValueError, match="give the whole URL again"):
            RunConfig.model_validate({name: masked(url)})
    file = tmp_path / "study.yaml"
    config = a_study(tmp_path, run={"ledger": URLS["ledger"]})
    file.write_text(yaml.safe_dump({key: config.shown()[key] for key in ("name", "run")} | {"space": "redundancy"}))
    with pytest.raises(UsageError, match=r"--ledger: .* give the whole URL again"):
        load_study(LaunchOptions(source=str(file)))
    assert load_study(LaunchOptions(source=str(file), run={"ledger": URLS["ledger"]})).config.run.ledger


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
