"""A study file or a ledger that somebody else wrote sends nobody anywhere without being asked."""

from pathlib import Path
from typing import Any

import pytest

import study
from study.cli import main
from study.errors import UsageError
from study.ledger.place import Place
from study.ledger.studies import save
from study.settings import own_cluster
from study.settings.loading import LaunchOptions, load_existing, load_study
from study.trust import anybody, ask_nobody, check_address, remember_places, require_trust
from tests.strangers import NOBODY, root_only
from tests.unit.cli_ledgers import ledger

PLACES = {
    "address": "ray://trap:10001",
    "tracking_uri": "http://trap:5000",
    "storage": "s3://trap/x",
    "ledger": "postgresql://trap/x",
}


@pytest.fixture(autouse=True)
def _never_been_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.mark.parametrize("name", PLACES)
def test_a_study_file_names_places_and_is_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "theirs.yaml"
    file.write_text(f"space: redundancy\nrun: {{{name}: '{PLACES[name]}'}}\n")
    assert main(["launch", str(file), "--home", str(tmp_path / "home")]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"--{name.replace('_', '-')} {PLACES[name]}" in said
    assert "--trust" in said
    assert not (tmp_path / "home").exists()
    own: dict[str, Any] = {name: PLACES[name].replace("trap", "own")}
    assert getattr(load_study(LaunchOptions(source=str(file), run=own)).config.run, name) == own[name]
    assert getattr(load_study(LaunchOptions(source=str(file)), anybody).config.run, name) == PLACES[name]
    assert load_study(LaunchOptions(source=str(file))), "it is known now, as a host that ssh has been to"


def of_a_colleague(home: Path, **places: str) -> None:
    made = ledger(home)
    run = made.config.run.model_copy(update=places)
    with made.writing("save") as connection:
        save(connection, made.config.model_copy(update={"run": run}))
    made.release()
    made.close()


@pytest.mark.parametrize("name", ["address", "tracking_uri", "storage"])
def test_a_colleagues_ledger_names_places_and_is_not_followed(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_a_colleague(tmp_path, **{name: PLACES[name]})
    assert main(["resume", "small", "--home", str(tmp_path)]) == 2
    assert PLACES[name] in " ".join(capsys.readouterr().err.split())
    with pytest.raises(UsageError, match="ledger of small would connect you to"):
        study.resume("small", home=tmp_path)
    if name != "address":
        assert main(["delete", "small", "--yes", "--home", str(tmp_path)]) == 2
        assert PLACES[name] in " ".join(capsys.readouterr().err.split())
    remember_places({name: PLACES[name]})  # as a launch or a resume with the option does
    config, _ = load_existing(Place(home=tmp_path), "small", None, {})
    assert getattr(config.run, name) == PLACES[name]


def test_without_places_nothing_is_asked(tmp_path: Path) -> None:
    of_a_colleague(tmp_path)
    assert load_existing(Place(home=tmp_path), "small", None, {})
    assert not (tmp_path / "state").exists()


@root_only
def test_the_ray_of_this_machine_is_this_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody may write to /tmp/ray, and Ray believes what it reads there."""
    import os

    monkeypatch.setattr(own_cluster, "_running", lambda: iter(()))
    noted = tmp_path / "ray_current_cluster"
    noted.write_text("10.0.0.1:6379\n")
    assert own_cluster.own_cluster(noted) == "10.0.0.1:6379"
    os.chown(noted, NOBODY, NOBODY)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(UsageError, match="no Ray of yours runs here"):
        own_cluster.own_cluster(noted)
    (tmp_path / "link").symlink_to(noted)
    os.chown(noted, 0, 0)
    assert own_cluster.own_cluster(noted) == "10.0.0.1:6379", "root's word counts"
    with pytest.raises(UsageError, match="no Ray of yours runs here"):
        own_cluster.own_cluster(tmp_path / "link")


@pytest.mark.parametrize(
    ("known", "trap"),
    [
        ("http://TOKEN1234@own:5000", r"http://evil.example\@own:5000"),  # urllib3 connects to evil.example
        ("http://alice:secret12@own", "http://alice:/x@own"),  # to alice, at the usual port
        ("http://alice:secret12@own", "http://alice:?x@own"),
        ("http://alice:secret12@own", "http://alice:80/x@own"),
        ("http://alice:secret12@own", "http://alice:80?x@own"),
        ("http://TOKEN1234@own:5000", "http://evil.example\t@own:5000"),
    ],
)
def test_no_place_passes_for_one_that_is_known(known: str, trap: str, tmp_path: Path) -> None:
    """What is compared and shown has *** where a password stands."""
    remember_places({"tracking_uri": known})
    assert require_trust({"tracking_uri": known}, "x.yaml", ask_nobody) is None  # type: ignore[func-returns-value]
    with pytest.raises(UsageError, match=r"x\.yaml"):
        require_trust({"tracking_uri": trap}, "x.yaml", ask_nobody)
    with pytest.raises(ValueError, match=r"before its path|which is its host"):
        check_address(trap)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://ockham:ockham@ockham-db:5432/ockham",
        "postgresql+psycopg://me@/db?host=/run/postgresql",
        "http://user:p@w@host:5000/path@2",
        "s3://key:se%2Fcret@bucket/a?endpoint_override=localhost:9000",
        "sqlite:////home/me/my studies/study.db",
        "http://[::1]:5000",
        "http://[::1]:5000/a@b",
        "http://127.0.0.1:5000/a@b",
        "postgresql://host:5432/db?user=admin@server&sslmode=require",
        "https://dbc-a1b2.cloud.databricks.com:443/?o=1&u=me@x.org",
        "http://mlflow:5000/a%40b",
        "http://mlflow/a@b?c=d:e@f",
        "postgresql://me:a%22b%2Fc%27@[::1]:5432/db",
        "postgresql+psycopg://me:sesame@/db?host=/run/postgresql&application_name=a@b",
        "postgresql:///db?host=/run/postgresql&user=me&password=it's",
        "s3://bucket/a@b:c/x?region=x&endpoint_override=127.0.0.1:9000&scheme=http",
        'sqlite:////home/it\'s "x"/u:p@h:1/<a>?.db',
        "file:///home/u:p@h/y z",
        "/mnt/a:b@c",
        "./a:b@c",
        "sub/a:b@c",
        "mlruns",
        "10.0.0.1:6379",
        "ray://head:10001",
    ],
)
def test_ordinary_addresses_are_taken(address: str) -> None:
    check_address(address)
