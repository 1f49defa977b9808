"""Downloads happen once, are verified, and leave nothing behind when they fail."""

import os
import socket
import threading
import time
from pathlib import Path

import pytest

from trainables.config import DataConfig
from trainables.data.download import download_once
from trainables.data.loading import prepare
from trainables.errors import DataUnavailable


@pytest.fixture
def address(tmp_path: Path) -> str:
    """Something that answers, so that a download is attempted."""
    (tmp_path / "answers").write_text("yes")
    return (tmp_path / "answers").as_uri()


def test_files_move_into_place_and_nothing_else_stays(tmp_path: Path, address: str) -> None:
    data_dir = tmp_path / "home" / "data"
    target = data_dir / "set" / "file"

    def fetch(folder: Path) -> None:
        (folder / "set").mkdir()
        (folder / "set" / "file").write_text("data")

    download_once("set", data_dir, "set/file", present=target.is_file, fetch=fetch, addresses=[address])
    assert target.read_text() == "data"
    assert [p.name for p in data_dir.iterdir()] == ["set"]


def test_a_failed_download_leaves_nothing_and_says_where_and_what(tmp_path: Path, address: str) -> None:
    data_dir = tmp_path / "home" / "data"

    def fetch(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("File not found or corrupted.")

    with pytest.raises(DataUnavailable) as caught:
        download_once("set", data_dir, "set/file", present=lambda: False, fetch=fetch, addresses=[address])
    for part in ("set", str(data_dir), "set/file", "corrupted", "--data-dir"):
        assert part in str(caught.value)
    assert not (tmp_path / "home").exists()


def test_what_a_killed_download_left_is_swept_and_not_used(tmp_path: Path, address: str) -> None:
    left = tmp_path / ".set-killed"
    left.mkdir()
    (left / "file").write_text("half")

    def fetch(folder: Path) -> None:
        (folder / "file").write_text("whole")

    place = tmp_path / "file"
    download_once("set", tmp_path, "file", present=place.is_file, fetch=fetch, addresses=[address])
    assert place.read_text() == "whole"
    assert not left.exists()


def test_of_many_that_need_a_set_one_downloads(tmp_path: Path, address: str) -> None:
    place, fetched = tmp_path / "data" / "file", []

    def fetch(folder: Path) -> None:
        fetched.append(folder)
        time.sleep(0.2)
        (folder / "file").write_text("data")

    def need() -> None:
        download_once("set", tmp_path / "data", "file", present=place.is_file, fetch=fetch, addresses=[address])

    threads = [threading.Thread(target=need) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def test_a_network_that_swallows_everything_is_given_up_within_seconds(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        start = time.monotonic()
        with pytest.raises(DataUnavailable, match=r"no answer|timed out"):
            download_once(
                "set",
                tmp_path / "data",
                "file",
                present=lambda: False,
                fetch=lambda folder: None,
                addresses=[f"http://127.0.0.1:{mute.getsockname()[1]}/file"],
            )
        assert time.monotonic() - start < 30
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("name", ["mnist", "cifar10", "cifar100", "svhn", "fashion_mnist", "kmnist"])
def test_a_missing_set_without_network_is_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for proxy in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(proxy, f"http://127.0.0.1:{closed.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        with pytest.raises(DataUnavailable, match=rf"^the data set {name} is not in .*refused.*--data-dir\.$"):
            prepare(DataConfig(name=name), tmp_path / "data")
    assert os.listdir(tmp_path) == []


def test_a_damaged_copy_is_named(tmp_path: Path) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind in ("images-idx3", "labels-idx1"):
            (raw / f"{part}-{kind}-ubyte").write_bytes(b"\0\0\x08\3" + 3 * b"\0\0\0\x0a" + b"too short")
    with pytest.raises(DataUnavailable, match="damaged copy"):
        prepare(DataConfig(name="mnist"), tmp_path)
