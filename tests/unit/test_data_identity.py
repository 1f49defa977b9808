"""What data are, wherever they lie: contents, fields and code count, places and times do not."""

import os
from pathlib import Path

import numpy as np
import pytest

from trainables.config import DataConfig
from trainables.data import digests, identity
from trainables.data.digests import content_digests
from trainables.data.identity import data_identity
from trainables.data.interfaces import dataset_of
from trainables.data.loading import load_split
from trainables.data.private_cache import private_cache
from trainables.datasets.gaussian import Gaussian
from trainables.errors import DataUnavailable

MNIST = DataConfig(name="mnist", split=(40, 10, 20))


def idx(array: np.ndarray) -> bytes:
    """An idx file of bytes."""
    return bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()


def write_mnist(data_dir: Path, seed: int = 0, *, train: int = 60, test: int = 20) -> Path:
    """A small set in MNIST's format; returns the folder of its files."""
    raw = data_dir / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for part, count in (("train", train), ("t10k", test)):
        images, labels = random.integers(0, 256, (count, 28, 28)), np.arange(count) % 10
        (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(images.astype(np.uint8)))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(labels.astype(np.uint8)))
    return raw


def overwrite_keeping_times(file: Path, content: bytes) -> None:
    """As `rsync -t` or `cp -p` would."""
    times = (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    file.write_bytes(content)
    os.utime(file, ns=times)


def test_overwritten_labels_reach_the_next_trial_even_with_the_old_times(tmp_path: Path) -> None:
    labels = write_mnist(tmp_path) / "train-labels-idx1-ubyte"
    before, was = load_split(MNIST, 0, tmp_path), data_identity(MNIST, tmp_path)
    overwrite_keeping_times(labels, idx(np.full(60, 7, dtype=np.uint8)))
    assert data_identity(MNIST, tmp_path) != was
    assert set(load_split(MNIST, 0, tmp_path).train_labels.tolist()) == {7}
    assert len(set(before.train_labels.tolist())) == 10, "what a trial has in hand stays"


def test_the_same_files_elsewhere_are_the_same_data(tmp_path: Path) -> None:
    write_mnist(tmp_path / "here")
    write_mnist(tmp_path / "there")
    write_mnist(tmp_path / "other", seed=1)
    here, there, other = (data_identity(MNIST, tmp_path / name) for name in ("here", "there", "other"))
    assert here == there != other


def test_sizes_of_the_split_noise_and_inputs_do_not_count(tmp_path: Path) -> None:
    noisy = DataConfig(name="gaussian", label_noise=0.5, inputs="gaussian", train_size=100)
    assert data_identity(noisy, tmp_path) == data_identity(DataConfig(name="gaussian"), tmp_path)


def test_fields_of_the_set_and_its_code_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, two = (DataConfig.model_validate({"name": "gaussian", "gaussian": f}) for f in ({}, {"classes": 2}))
    default = DataConfig.model_validate({"name": "gaussian", "gaussian": {"classes": 10}})
    was = data_identity(plain, tmp_path)
    assert data_identity(default, tmp_path) == was != data_identity(two, tmp_path)
    monkeypatch.setattr(Gaussian, "revision", Gaussian.revision + 1)
    assert data_identity(plain, tmp_path) != was


def test_contents_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"content")
    monkeypatch.setattr(digests, "_SETTLED_NS", -(10**12))  # as if it had been written long ago
    said = content_digests({"a": file})

    def never(*_: object) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(digests.hashlib, "file_digest", never)
    assert content_digests({"other name": file}) == {"other name": said["a"]}
    file.write_bytes(b"changed")
    with pytest.raises(AssertionError, match="read again"):
        content_digests({"a": file})


def test_a_file_written_just_now_is_not_taken_for_settled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one step of the clock a second change would leave the same size and times."""
    file = tmp_path / "a"
    file.write_bytes(b"content")
    monkeypatch.setattr(digests, "_SETTLED_NS", 10**12)  # however slow this machine is
    was = content_digests({"a": file})
    kept = private_cache("digests")
    assert kept is not None
    assert not any(str(file) in path.read_text() for path in kept.iterdir())
    assert content_digests({"a": file}) == was


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataUnavailable, match="pipe is no regular file"):
        content_digests({"pipe": tmp_path / "pipe"})
    with pytest.raises(DataUnavailable, match="gone can't be read: No such file"):
        content_digests({"gone": tmp_path / "gone"})


def test_a_cache_that_others_may_write_to_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_CACHE", str(tmp_path / "cache"))
    folder = private_cache("digests")
    assert folder == tmp_path / "cache" / "digests"
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)
    assert private_cache("digests") is None
    monkeypatch.setenv("OCKHAM_CACHE", "/proc/nothing")
    assert private_cache("digests") is None


def test_looking_at_very_many_files_does_not_take_a_worker_s_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if looking took long: then it is not done for every trial, unless it has to be."""
    labels = write_mnist(tmp_path) / "train-labels-idx1-ubyte"
    monkeypatch.setattr(identity, "_QUICK_S", 0.0)
    monkeypatch.setattr(identity, "_MOST_PARTS", 10**9)
    was = data_identity(MNIST, tmp_path)
    labels.write_bytes(idx(np.full(60, 7, dtype=np.uint8)))
    assert data_identity(MNIST, tmp_path) == was
    identity.dataset_digests(dataset_of(MNIST), tmp_path, fresh=True)
    assert data_identity(MNIST, tmp_path) != was
