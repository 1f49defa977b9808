"""Downloads happen once, are verified, and leave nothing behind when they fail."""

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.unit.test_data_identity import idx, write_mnist
from trainables.config import DataConfig
from trainables.data.download import download_once
from trainables.data.interfaces import DATASETS
from trainables.data.loading import prepare
from trainables.errors import DataUnavailable

pytestmark = pytest.mark.slow


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


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


def truncated(raw: Path) -> str:
    os.truncate(raw / IMAGES, 1000)
    return rf"{IMAGES} has 1,000 bytes where its header says 47,056;"


def longer(raw: Path) -> str:
    (raw / LABELS).write_bytes((raw / LABELS).read_bytes() + b"x")
    return rf"{LABELS} has 69 bytes where its header says 68;"


def of_another_set(raw: Path) -> str:
    (raw / LABELS).write_bytes(idx(np.zeros(10, dtype=np.uint8)))
    return rf"{LABELS} holds 10 labels, {IMAGES} 60 images;"


def of_another_size(raw: Path) -> str:
    (raw / "t10k-images-idx3-ubyte").write_bytes(idx(np.zeros((20, 8, 8), dtype=np.uint8)))
    return rf"t10k-images-idx3-ubyte holds images of 8 × 8, {IMAGES} of 28 × 28;"


def of_more_classes(raw: Path) -> str:
    (raw / LABELS).write_bytes(idx(np.full(60, 46, dtype=np.uint8)))
    return rf"{LABELS} holds label 46, the classes of mnist are 0 to 9;"


def exchanged(raw: Path) -> str:
    (raw / IMAGES).write_bytes((raw / LABELS).read_bytes())
    return rf"{IMAGES} is no idx file of images: it begins with 00 00 08 01;"


def emptied(raw: Path) -> str:
    (raw / LABELS).write_bytes(b"")
    return rf"{LABELS} is no idx file of labels: it begins with nothing;"


@pytest.mark.parametrize(
    "damage", [truncated, longer, of_another_set, of_another_size, of_more_classes, exchanged, emptied]
)
def test_a_damaged_copy_is_named_by_its_file_and_not_called_missing(
    damage: Callable[[Path], str], tmp_path: Path
) -> None:
    said = damage(write_mnist(tmp_path))
    with pytest.raises(
        DataUnavailable, match=rf"^the copy of mnist in .* is damaged: .*{said} delete that file"
    ) as error:
        prepare(DataConfig(name="mnist", split=(40, 10, 20)), tmp_path)
    assert "not in" not in str(error.value)
    assert "could not be downloaded" not in str(error.value)


def test_a_set_that_torchvision_reads_is_named_by_its_file_too(tmp_path: Path) -> None:
    for file in DATASETS.get("svhn")().files(tmp_path).values():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"half of it")
    said = (
        r"^the copy of svhn in .* is damaged: SVHN/train_32x32.mat, SVHN/test_32x32.mat are not as published \(MD5\);"
    )
    with pytest.raises(DataUnavailable, match=said):
        prepare(DataConfig(name="svhn"), tmp_path)


def test_a_smaller_copy_is_split_in_the_same_proportion(tmp_path: Path) -> None:
    write_mnist(tmp_path, train=1200, test=50)
    assert prepare(DataConfig(name="mnist"), tmp_path) == (1100, 100, 50)


def test_a_copy_that_is_not_the_published_one_is_said(tmp_path: Path, mnist_dir: Path) -> None:
    mnist = DATASETS.get("mnist")()
    assert mnist.account(mnist_dir) == ""
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in (mnist_dir / "MNIST" / "raw").glob("*ubyte"):
        (raw / file.name).symlink_to(file)
    (raw / LABELS).unlink()
    content = bytearray((mnist_dir / "MNIST" / "raw" / LABELS).read_bytes())
    content[1000] = (content[1000] + 1) % 10
    (raw / LABELS).write_bytes(content)
    assert f"MNIST/raw/{LABELS} is not as published (MD5)" in mnist.account(tmp_path)
    prepare(DataConfig(name="mnist"), tmp_path)
