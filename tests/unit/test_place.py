"""A study is found, read and reported on where it lies now, whatever its ledger remembers."""

from pathlib import Path

import pandas as pd
import pytest

import study
from study.cli import main
from study.config import RunConfig
from study.ledger import Ledger
from tests.unit.cli_ledgers import config, ledger


def with_networks(home: Path) -> Ledger:
    """Of the complete trial."""
    made = ledger(home)
    made.release()
    folder = made.config.directory / "trials" / "0000"
    folder.mkdir(parents=True)
    pd.DataFrame({"network": [0], "arm": ["replicate"], "level": [0]}).to_parquet(folder / "networks.parquet")
    return made


def test_paths_of_a_run_hold_from_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run = RunConfig.model_validate({"data_dir": "data"})
    assert (run.home, run.data_dir) == (tmp_path / "studies", tmp_path / "data")
    assert RunConfig(home=Path("~/here")).home == Path.home() / "here"


def test_a_study_is_read_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there, moved = tmp_path / "there", tmp_path / "moved"
    with_networks(there).close()
    there.rename(moved)
    (elsewhere := tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(elsewhere)
    handle = study.load("small", home=moved)
    assert handle.config.directory == moved / "small"
    assert len(handle.networks()) == 1
    assert study.load("small", home="../moved").config.directory == elsewhere / ".." / "moved" / "small"
    (moved / "small" / "trials" / "0000" / "networks.parquet").unlink()
    assert main(["report", "small", "--home", str(moved)]) == 0
    assert (moved / "small" / "report" / "index.html").is_file()
    assert not there.exists()
    assert not list(elsewhere.iterdir())


def test_a_shared_ledger_is_read_with_the_home_that_was_given(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    first, second = (config(tmp_path / name) for name in ("first", "second"))
    Ledger.create(url, first).close()
    handle = study.load("small", home=second.run.home, ledger=url)
    assert (handle.config.directory, handle.config.ledger_url) == (second.directory, url)
