"""One copy of a split on a machine."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.strangers import as_nobody, public_folder, root_only
from trainables.config import DataConfig
from trainables.data import shared
from trainables.data.loading import load_split
from trainables.data.private_cache import forget_old
from trainables.data.shared import shared_split
from trainables.data.splits import Split, Take


def make(take: Take) -> Split:
    images = np.arange(600 * 9, dtype=np.uint32).astype(np.uint8).reshape(600, 1, 3, 3)
    labels = np.arange(600) % 3
    order = np.random.default_rng(0).permutation(600)
    parts = [take(array, order[a:b]) for a, b in ((0, 400), (400, 500), (500, 600)) for array in (images, labels)]
    return Split(*parts, 3)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_SHARE_BYTES", 100)


def same(one: Split, other: Split) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def anonymous() -> int:
    """Bytes of this process that are no file's pages."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def private(array: np.ndarray) -> bool:
    return getattr(array, "filename", None) is None


def test_mapped_examples_are_those_that_were_made(tmp_path: Path, small: None) -> None:
    plain = make(lambda array, index: array[index])
    first, second = (shared_split("a", tmp_path, make) for _ in range(2))
    assert same(plain, first)
    assert same(plain, second)
    assert not private(first.train_images)
    assert (first.num_classes, first.train_images.dtype, first.train_labels.dtype) == (3, np.uint8, np.int64)
    assert len(list((tmp_path / "splits").iterdir())) == 1


def test_the_second_process_makes_nothing(tmp_path: Path, small: None) -> None:
    shared_split("a", tmp_path, make)

    def never(take: Take) -> Split:
        raise AssertionError("made again")

    assert shared_split("a", tmp_path, never).num_classes == 3
    with pytest.raises(AssertionError, match="made again"):
        shared_split("b", tmp_path, never)


def test_writing_to_a_split_does_not_reach_the_files(tmp_path: Path, small: None) -> None:
    first = shared_split("a", tmp_path, make)
    first.train_images[:] = 0
    assert shared_split("a", tmp_path, make).train_images.any()


def test_a_truncated_file_is_made_again(tmp_path: Path, small: None) -> None:
    shared_split("a", tmp_path, make)
    (file,) = (tmp_path / "splits").glob("*/train_images.npy")
    os.truncate(file, 200)
    assert same(shared_split("a", tmp_path, make), make(lambda array, index: array[index]))


def test_small_splits_and_folders_that_are_not_there_stay_as_they_are(tmp_path: Path, small: None) -> None:
    assert private(shared_split("a", tmp_path / "none", make).train_images)
    assert not (tmp_path / "none").exists()
    shared._SHARE_BYTES = 1 << 20
    assert private(shared_split("a", tmp_path, make).train_images)
    assert not list(tmp_path.iterdir())


def test_a_data_folder_that_takes_no_files_leaves_one_copy_of_the_user(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCKHAM_CACHE", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "splits").write_bytes(b"in the way, for root as well")
    found = shared_split("a", tmp_path / "data", make)
    assert same(found, make(lambda array, index: array[index]))
    assert not private(found.train_images)
    assert Path(found.train_images.filename).is_relative_to(tmp_path / "cache" / "splits")
    assert (tmp_path / "cache" / "splits").stat().st_mode & 0o777 == 0o700


def test_what_others_could_have_written_is_not_believed(
    tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OCKHAM_CACHE", str(tmp_path / "cache"))
    first = shared_split("a", tmp_path, make)
    theirs = Path(first.train_labels.filename)
    assert theirs.is_relative_to(tmp_path / "splits")
    labels = np.load(theirs, mmap_mode="r+")
    labels[:] = 2
    labels.flush()
    (tmp_path / "splits").chmod(0o777)
    assert same(shared_split("a", tmp_path, make), make(lambda array, index: array[index]))


def test_only_the_last_ones_are_kept(tmp_path: Path, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_KEEP_SPLITS", 2)
    kept = [shared_split(name, tmp_path, make) for name in "abcd"]
    assert len(list((tmp_path / "splits").iterdir())) == 2
    assert same(kept[0], kept[3])


def test_pages_are_shared_not_copied(tmp_path: Path) -> None:
    """20 MB of images: mapped and read through, they are no memory of this process."""
    images = np.random.default_rng(0).integers(0, 256, (26_000, 1, 28, 28), dtype=np.uint8)
    labels = np.arange(26_000) % 10

    def large(take: Take) -> Split:
        index = np.arange(26_000)
        parts = [take(array, index[a:b]) for a, b in ((0, -2), (-2, -1), (-1, None)) for array in (images, labels)]
        return Split(*parts, 10)

    shared_split("large", tmp_path, large)
    before = anonymous()
    found = shared_split("large", tmp_path, large)
    assert int(found.train_images.sum()) > 0
    assert anonymous() - before < 5 << 20


def test_a_changed_folder_is_another_split(tmp_path: Path, small: None) -> None:
    from PIL import Image

    def write(colour: tuple[int, int, int], count: int) -> None:
        for name in "ab":
            (tmp_path / "images" / name).mkdir(parents=True, exist_ok=True)
            for index in range(count):
                Image.new("RGB", (8, 8), colour).save(tmp_path / "images" / name / f"{index}.png")

    (tmp_path / "data").mkdir()
    options = {"name": "image_folder", "image_folder": {"path": str(tmp_path / "images"), "size": 8}}
    config = DataConfig.model_validate(options)
    write((1, 1, 1), 10)
    assert (load_split(config, 0, tmp_path / "data").train_images == 1).all()
    write((2, 2, 2), 11)
    load_split.__globals__["_load_split"].cache_clear()
    assert (load_split(config, 0, tmp_path / "data").train_images == 2).all()


@root_only
def test_a_link_that_another_user_laid_leads_to_no_cache(small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a data folder of everybody's: old entries of a cache are removed, and here that were folders of the user."""
    monkeypatch.setattr(shared, "_KEEP_SPLITS", 1)
    with public_folder() as data, public_folder() as mine:
        monkeypatch.setenv("OCKHAM_CACHE", str(mine / "cache"))
        (mine / "thesis" / "chapters").mkdir(parents=True)
        (mine / "thesis" / "letters").mkdir()
        data.chmod(0o777)
        laid = "result = tried(lambda: os.symlink(arguments[1], Path(arguments[0]) / 'splits'))"
        assert as_nobody(laid, data, mine / "thesis") == "done"
        found = [shared_split(name, data, make) for name in "ab"]
        assert same(*found)
        assert {path.name for path in (mine / "thesis").iterdir()} == {"chapters", "letters"}
        assert Path(found[0].train_images.filename).is_relative_to(mine / "cache" / "splits")


def test_only_entries_of_a_cache_are_ever_forgotten(tmp_path: Path) -> None:
    entries = [f"{number:032x}" for number in range(3)]
    for at, name in enumerate([*entries, "letters", "2024"]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (at, at))
    forget_old(tmp_path, 1)
    assert {path.name for path in tmp_path.iterdir()} == {entries[-1], "letters", "2024"}
