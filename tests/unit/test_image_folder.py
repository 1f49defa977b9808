"""Folders of images, decoded once."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import DataConfig
from trainables.data.interfaces import dataset_of
from trainables.data.loading import prepare
from trainables.errors import DataUnavailable


def write(folder: Path, colours: dict[str, tuple[int, int, int]], count: int) -> None:
    for name, colour in colours.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(count):
            Image.new("RGB", (9, 7), colour).save(folder / name / f"{index}.png")


def config(path: Path, size: int = 8, colour: str = "rgb") -> DataConfig:
    fields = {"path": str(path), "size": size, "colour": colour}
    return DataConfig.model_validate({"name": "image_folder", "image_folder": fields})


COLOURS = {"a": (255, 0, 0), "b": (0, 255, 0), "c": (0, 0, 255)}


def test_one_folder_is_split_in_three(tmp_path: Path) -> None:
    write(tmp_path / "images", COLOURS, 10)
    assert prepare(config(tmp_path / "images"), tmp_path / "data") == (18, 6, 6)
    raw = dataset_of(config(tmp_path / "images")).load(tmp_path / "data")
    assert raw.images.shape == (30, 3, 8, 8)
    for label, colour in enumerate(COLOURS.values()):
        mine = raw.images[raw.labels == label]
        assert (mine == np.array(colour, dtype=np.uint8)[None, :, None, None]).all()


def test_grey_images_have_one_channel(tmp_path: Path) -> None:
    write(tmp_path / "images", {"dark": (10, 10, 10), "light": (200, 200, 200)}, 5)
    raw = dataset_of(config(tmp_path / "images", colour="grey")).load(tmp_path / "data")
    assert raw.images.shape == (10, 1, 8, 8)
    assert [set(raw.images[raw.labels == label].ravel().tolist()) for label in (0, 1)] == [{10}, {200}]
    assert dataset_of(config(tmp_path / "images")).load(tmp_path / "data").images.shape == (10, 3, 8, 8)


def test_train_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    write(tmp_path / "images" / "train", COLOURS, 10)
    write(tmp_path / "images" / "test", COLOURS, 2)
    assert prepare(config(tmp_path / "images"), tmp_path / "data") == (27, 3, 6)


def test_images_are_decoded_once_until_they_change(tmp_path: Path) -> None:
    write(tmp_path / "images", COLOURS, 5)
    prepare(config(tmp_path / "images"), tmp_path / "data")
    kept = list((tmp_path / "data" / "image_folder").iterdir())
    written = kept[0].stat().st_mtime_ns
    prepare(config(tmp_path / "images"), tmp_path / "data")
    assert [p.name for p in (tmp_path / "data" / "image_folder").iterdir()] == [kept[0].name]
    assert kept[0].stat().st_mtime_ns == written
    write(tmp_path / "images", {"a": (9, 9, 9)}, 6)
    raw = dataset_of(config(tmp_path / "images")).load(tmp_path / "data")
    assert len(raw.labels) == 16
    assert (raw.images[raw.labels == 0] == 9).all()


def test_what_is_no_folder_of_classes_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path / "one", {"only": (1, 2, 3)}, 3)
    with pytest.raises(DataUnavailable, match="images of 1 classes; expected: PATH/CLASS"):
        prepare(config(tmp_path / "one"), tmp_path / "data")
    write(tmp_path / "broken", COLOURS, 3)
    (tmp_path / "broken" / "a" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataUnavailable, match=r"0\.png cannot be read"):
        prepare(config(tmp_path / "broken"), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_relative_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be absolute"):
        config(Path("images"))
