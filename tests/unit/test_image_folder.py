"""Folders of images, decoded once."""

import os
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
    written = [file.stat().st_mtime_ns for file in sorted(kept[0].iterdir())]
    prepare(config(tmp_path / "images"), tmp_path / "data")
    assert [p.name for p in (tmp_path / "data" / "image_folder").iterdir()] == [kept[0].name]
    assert [file.stat().st_mtime_ns for file in sorted(kept[0].iterdir())] == written
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
    with pytest.raises(DataUnavailable, match=r"1 image in .*broken can't be used \(a/0\.png: no image"):
        prepare(config(tmp_path / "broken"), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_a_relative_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="must be absolute"):
        config(Path("images"))


def account(path: Path, tmp_path: Path) -> str:
    prepare(config(path), tmp_path / "data")
    return dataset_of(config(path)).account(tmp_path / "data")


def test_what_is_left_is_said_in_one_paragraph(tmp_path: Path) -> None:
    root = tmp_path / "images"
    write(root, COLOURS, 4)
    write(root, {".ipynb_checkpoints": (1, 1, 1), "__MACOSX": (1, 1, 1)}, 2)
    write(root / "a", {"deeper/still": (250, 0, 0), ".hidden": (1, 1, 1)}, 2)
    (root / "empty").mkdir()
    (root / "list.txt").write_text("loose")
    (root / "a" / "notes.txt").write_text("another kind")
    (root / "b" / "._0.png").write_bytes(b"resource fork")
    (root / "c" / "0.png").rename(root / "c" / "0.jfif")
    (root / "a" / "back").symlink_to(root / "a")
    assert account(root, tmp_path) == (
        f"{root}: 14 images of 3 classes are taken; 2 images lie deeper than their class folder and count to it; "
        "4 hidden things are left: .ipynb_checkpoints, __MACOSX, a/.hidden, b/._0.png; "
        "1 file beside the class folders is left: list.txt; no image is in empty, no class then; "
        "other files in class folders are left (1 × .txt); "
        "14 of them are of one colour each, e.g. a/0.png, a/1.png, a/2.png, a/3.png, a/deeper/still/0.png."
    )
    raw = dataset_of(config(root)).load(tmp_path / "data")
    assert np.bincount(raw.labels).tolist() == [6, 4, 4]


def test_val_is_left_beside_test_and_takes_its_place_without(tmp_path: Path) -> None:
    write(tmp_path / "three" / "train", COLOURS, 10)
    write(tmp_path / "three" / "test", COLOURS, 2)
    write(tmp_path / "three" / "val", COLOURS, 3)
    assert "val/ is left, validation examples are drawn from train/" in account(tmp_path / "three", tmp_path)
    write(tmp_path / "two" / "train", COLOURS, 10)
    write(tmp_path / "two" / "val", {"a": (9, 9, 9), "b": (0, 255, 0)}, 3)
    said = account(tmp_path / "two", tmp_path)
    assert "30 training and 6 test images of 3 classes are taken; val/ takes the place of test/" in said
    assert "there are no test images of c" in said
    assert "3 test images are also among those of train, byte for byte" in said


@pytest.mark.parametrize("name", ["train", "val", "test"])
def test_one_part_alone_is_refused_and_not_taken_for_a_class(name: str, tmp_path: Path) -> None:
    write(tmp_path / "images" / name, COLOURS, 3)
    write(tmp_path / "images", {"other": (1, 2, 3)}, 3)
    with pytest.raises(DataUnavailable, match=rf"holds {name}/ but not both train/ and test/; name one of them"):
        prepare(config(tmp_path / "images"), tmp_path / "data")


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    write(tmp_path / "images", {"train": (1, 2, 3), "test": (3, 2, 1), "plane": (9, 9, 9)}, 5)
    assert prepare(config(tmp_path / "images"), tmp_path / "data") == (9, 3, 3)


def test_links_that_lead_nowhere_are_refused_and_others_followed(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere", COLOURS, 5)
    (tmp_path / "images").mkdir()
    for name in COLOURS:
        (tmp_path / "images" / name).symlink_to(tmp_path / "elsewhere" / name)
    assert prepare(config(tmp_path / "images"), tmp_path / "data") == (9, 3, 3)
    (tmp_path / "elsewhere" / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(DataUnavailable, match=r"1 link leads nowhere: a/gone\.png; mend or remove"):
        prepare(config(tmp_path / "images"), tmp_path / "data")


def test_a_pipe_is_no_image_and_nobody_waits_for_it(tmp_path: Path) -> None:
    write(tmp_path / "images", COLOURS, 5)
    os.mkfifo(tmp_path / "images" / "a" / "pipe.png")
    assert "(1 × no regular file)" in account(tmp_path / "images", tmp_path)


def test_images_of_one_colour_all_alike_are_no_data(tmp_path: Path) -> None:
    write(tmp_path / "images", dict.fromkeys(COLOURS, (7, 7, 7)), 5)
    with pytest.raises(DataUnavailable, match="all 15 examples of image_folder are the same"):
        prepare(config(tmp_path / "images"), tmp_path / "data")


def test_several_images_that_can_not_be_used_are_named_together(tmp_path: Path) -> None:
    write(tmp_path / "images", COLOURS, 3)
    for index in range(2):
        Image.fromarray(np.full((8, 8), 0.5, dtype=np.float32)).save(tmp_path / "images" / "b" / f"float{index}.tif")
    with pytest.raises(DataUnavailable, match=r"2 images .*b/float0\.tif: its values are float.*b/float1\.tif"):
        prepare(config(tmp_path / "images"), tmp_path / "data")
    assert not list((tmp_path / "data").rglob("*.npy"))


def test_the_same_size_and_time_with_other_content_is_decoded_again(tmp_path: Path) -> None:
    root = tmp_path / "images"
    write(root, COLOURS, 5)
    prepare(config(root), tmp_path / "data")
    one = root / "a" / "0.png"
    times = (one.stat().st_atime_ns, one.stat().st_mtime_ns)
    one.write_bytes((root / "b" / "0.png").read_bytes())
    os.utime(one, ns=times)
    raw = dataset_of(config(root)).load(tmp_path / "data")
    assert (raw.images[0] == np.array([0, 255, 0], dtype=np.uint8)[:, None, None]).all()
