"""The names of the files that examples come from: in the order of the split, in tables, in the frame, or not at all."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from search_spaces.space import SearchSpace
from study.answer.ballots import Ballot
from study.answer.memorisation import memorisation
from study.answer.votes import Votes
from study.report.examples import Shown, name_files, shown_data, with_example_files
from trainables.config import DataConfig
from trainables.data.loading import example_files, load_split


@pytest.fixture(params=[True, False], ids=["with a test folder", "without"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Pictures of one grey value each, which tells them apart."""
    value = 0
    for part in ("train", "test") if request.param else ("",):
        for kind in ("cat", "dog"):
            (tmp_path / "images" / part / kind).mkdir(parents=True)
            for number in range(15):
                picture = np.full((4, 4), value, dtype=np.uint8)
                picture[0, 0] += 100
                Image.fromarray(picture).save(tmp_path / "images" / part / kind / f"{number}.png")
                value += 1
    return tmp_path / "images"


def config_of(folder: Path, **more: Any) -> DataConfig:
    own = {"path": str(folder), "size": 4, "colour": "grey"}
    return DataConfig.model_validate({"name": "image_folder", "image_folder": own, **more})


def test_names_are_those_of_the_images(folder: Path, tmp_path: Path) -> None:
    config = config_of(folder)
    split, named = load_split(config, 3, tmp_path), example_files(config, 3, tmp_path)
    assert named is not None
    for images, files in zip((split.train_images, split.test_images), named, strict=True):
        assert len(images) == len(files) > 0
        for image, file in zip(images, files, strict=True):
            assert (image[0] == np.asarray(Image.open(folder / file))).all()


def test_tables_and_frames_have_them_unless_the_data_are_others(folder: Path, tmp_path: Path) -> None:
    space = SearchSpace(
        base={
            "data.name": "image_folder",
            "data.image_folder.path": str(folder),
            "data.image_folder.size": 4,
            "data.image_folder.colour": "grey",
        }
    )
    study: Any = SimpleNamespace(space=space, seed=3, run=SimpleNamespace(data_path=tmp_path))
    labels = load_split(config_of(folder), 3, tmp_path).train_labels
    shown = shown_data(study, labels)
    assert isinstance(shown, Shown)
    table = shown.with_files(pd.DataFrame({"example": [2, 0], "on_test": [1, 1]}))
    assert shown.files is not None
    assert shown.test_files is not None
    assert table["file"].tolist() == [shown.files[2], shown.files[0]]
    assert table["test_file"].tolist() == [shown.test_files[1]] * 2
    count = len(labels)
    frame = pd.DataFrame(
        {"trial": 7, "example": np.repeat(np.arange(count), 2), "true_label": np.repeat(labels, 2), "network": 0}
    )
    assert with_example_files(study, frame)["file"].tolist() == [name for name in shown.files for _ in range(2)]
    assert "other labels than those that trials read" in str(shown_data(study, 1 - labels))
    assert "file" not in with_example_files(study, frame.assign(true_label=1 - frame["true_label"])).columns


def test_of_several_conditions_those_of_other_data_have_none(folder: Path, tmp_path: Path) -> None:
    space = SearchSpace(base={"data.name": "image_folder", "data.image_folder.path": str(folder)})
    study: Any = SimpleNamespace(space=space, seed=3, run=SimpleNamespace(data_path=tmp_path))
    labels = load_split(space.config({}, 3).data, 3, tmp_path).train_labels
    votes = np.ones((2, len(labels)), dtype=bool)
    own, other = (
        (Ballot({}, "replicate", None), memorisation(Votes(votes, votes, votes, true, true)))
        for true in (labels, 1 - labels)
    )
    first, second = (one.examples for _, one in name_files(study, [own, other]))
    assert first["file"].nunique() == len(labels)
    assert "file" not in second.columns


def test_examples_of_other_data_have_none(tmp_path: Path) -> None:
    assert example_files(DataConfig(), 0, tmp_path) is None
