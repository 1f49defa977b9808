"""Homes that are moved or copied: what lies in them goes with them, and a copy is told from a move."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from study.config import RunConfig
from study.ledger import Ledger
from study.ledger.place import Place
from study.settings.creation import open_or_create, write_study_file
from tests.studies_for_tests import a_study


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ({"data_dir": "/one/home/data"}, {"data_dir": Path("/two/data")}),
        ({"data_dir": "/one/homes/data"}, {"data_dir": Path("/one/homes/data")}),
        ({"tracking_uri": "sqlite:////one/home/runs.db"}, {"tracking_uri": "sqlite:////two/runs.db"}),
        ({"tracking_uri": "sqlite+pysqlite:////one/home/runs.db"}, {"tracking_uri": "sqlite+pysqlite:////two/runs.db"}),
        ({"tracking_uri": "http://host/one/home/x"}, {"tracking_uri": "http://host/one/home/x"}),
        ({"storage": "/one/home/copies"}, {"storage": "/two/copies"}),
        ({"storage": "file:///one/home/copies"}, {"storage": "file:///two/copies"}),
        ({"storage": "s3://one/home/copies"}, {"storage": "s3://one/home/copies"}),
        ({}, {"data_dir": None, "tracking_uri": None, "storage": None}),
    ],
)
def test_what_lies_in_a_home_goes_with_it(said: dict[str, Any], then: dict[str, Any]) -> None:
    moved = RunConfig.model_validate({"home": "/one/home", **said}).with_home(Path("/two"))
    assert moved.home == Path("/two")
    assert {name: getattr(moved, name) for name in then} == then


def _study(home: Path, **run: Any) -> str:
    config = a_study(home, run=run)
    config.directory.mkdir(parents=True)
    ledger = Ledger.create(config.ledger_url, config)
    write_study_file(config, ledger.uid)
    ledger.close()
    return config.name


def _opened(home: Path, name: str) -> list[str]:
    """What a driver is told that goes on with the study."""
    heard: list[str] = []
    known = Place(home=home).open(name)
    config = known.config
    known.close()
    ledger, _ = open_or_create(config, heard.append)
    ledger.acquire()
    ledger.release()
    ledger.close()
    return heard


@pytest.mark.parametrize("how", ["copied", "moved", "linked"])
def test_a_copy_is_said_to_be_one_once(how: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    name = _study(first)
    {"copied": shutil.copytree, "moved": shutil.move, "linked": lambda a, b: b.symlink_to(a)}[how](first, second)
    copy = f"{second} is a copy of {first}, where {name} still is: from now on each goes on by itself"
    assert [said.partition(", and nothing")[0] for said in _opened(second, name)] == [copy] * (how == "copied")
    assert _opened(second, name) == []
    if how == "copied":
        assert _opened(first, name) == []


def test_where_two_could_write_to_one_place_it_is_said(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    server = f"sqlite:///{tmp_path}/all.db"
    name = _study(first, tracking_uri=server, storage=str(first / "copies"))
    shutil.copytree(first, second)
    said = _opened(second, name)
    assert len(said) == 2, "a storage inside the home is the copy's own"
    assert f"both write to {server}" in said[1]
    assert "--tracking-uri of its own" in said[1]
