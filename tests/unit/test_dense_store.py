"""The store of dense networks is bounded, and what was used least recently goes first."""

import logging
import os
from pathlib import Path

import pytest
import torch

from trainables.dense_store import DenseStore


def state(count: int = 1000) -> dict[str, object]:
    return {"weights": torch.arange(count, dtype=torch.float32)}


def test_what_was_written_is_read(tmp_path: Path) -> None:
    shelf = DenseStore(tmp_path, 1 << 20).shelf("a")
    assert shelf.read() is None
    shelf.write(state())
    found = DenseStore(tmp_path, 1 << 20).shelf("a").read()
    assert found is not None
    assert torch.equal(found["weights"], torch.arange(1000, dtype=torch.float32))


def test_the_least_recently_used_go_first_and_it_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = DenseStore(tmp_path, 18_000)
    for age, name in ((30, "old"), (20, "older but used"), (10, "young")):
        store.shelf(name).write(state())
        if (file := tmp_path / f"{name}.pt").exists():
            then = file.stat().st_mtime - 10 * age
            os.utime(file, (then, then))
        if name == "older but used":
            assert store.shelf("old").read() is not None, "which makes it the youngest"
    assert sorted(file.name for file in tmp_path.glob("*.pt")) == ["old.pt", "older but used.pt", "young.pt"]
    with caplog.at_level(logging.INFO):
        store.shelf("new").write(state())
    assert sorted(file.name for file in tmp_path.glob("*.pt")) == ["new.pt", "old.pt", "young.pt"]
    assert "dense networks older but used.pt dropped" in caplog.text


def test_what_is_larger_than_all_that_may_be_kept_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = DenseStore(tmp_path, 20_000)
    store.shelf("small").write(state())
    with caplog.at_level(logging.INFO):
        store.shelf("large").write(state(100_000))
    assert [file.name for file in tmp_path.glob("*.pt")] == ["small.pt"]
    assert "dense networks not kept" in caplog.text


def test_what_killed_processes_left_goes_after_a_day(tmp_path: Path) -> None:
    for name, age in (("a.tmp-1", 2 * 86400), ("b.lock", 2 * 86400), ("c.tmp-2", 10)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, ((then := (tmp_path / name).stat().st_mtime - age), then))
    DenseStore(tmp_path, 1 << 20).shelf("d").write(state())
    assert sorted(file.name for file in tmp_path.iterdir()) == ["c.tmp-2", "d.pt"]


def test_a_folder_that_takes_no_files_costs_only_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    shelf = DenseStore(tmp_path / "file" / "below", 1 << 20).shelf("a")
    assert shelf.read() is None
    assert shelf.is_mine_to_train()
    shelf.write(state())
    shelf.close()
    assert "dense networks not kept" in caplog.text
