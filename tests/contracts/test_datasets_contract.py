"""What every data set keeps, whoever wrote it; those that must be downloaded are skipped where they are absent."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from trainables.config import DataConfig
from trainables.data.interfaces import DATASETS, Dataset, dataset_of
from trainables.data.raw import RawData
from trainables.data.splits import split
from trainables.errors import DataUnavailable

Loaded = tuple[DataConfig, Dataset, RawData]


def folder_of_images(root: Path) -> Path:
    random = np.random.default_rng(0)
    for index in range(60):
        folder = root / "images" / f"class{index % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{index}.png")
    return root / "images"


@pytest.fixture(scope="module")
def offline() -> Iterator[None]:
    """A proxy that refuses: tests use what is there and never download."""
    with pytest.MonkeyPatch.context() as patch:
        for proxy in ("http_proxy", "https_proxy"):
            patch.setenv(proxy, "http://127.0.0.1:9")
        patch.setenv("no_proxy", "")
        yield


@pytest.fixture(scope="module", params=DATASETS.names())
def loaded(request: pytest.FixtureRequest, offline: None, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """Each data set by its name."""
    root = tmp_path_factory.mktemp("data")
    data_dir = Path(os.environ.get("OCKHAM_TEST_DATA", root))
    values: dict[str, object] = {"name": request.param}
    if request.param == "image_folder":
        data_dir, values["image_folder"] = root, {"path": str(folder_of_images(root))}
    config = DataConfig.model_validate(values)
    dataset = dataset_of(config)
    try:
        return config, dataset, dataset.load(data_dir)
    except DataUnavailable:
        pytest.skip(f"{request.param} is absent: set OCKHAM_TEST_DATA to a folder that holds it")


def test_images_are_bytes_or_numbers_and_labels_count_from_zero(loaded: Loaded) -> None:
    _, _, raw = loaded
    pairs = [(raw.images, raw.labels)]
    if raw.test_images is not None and raw.test_labels is not None:
        pairs.append((raw.test_images, raw.test_labels))
    for images, labels in pairs:
        assert images.dtype in (np.uint8, np.float32)
        assert images.ndim == 4
        assert labels.dtype == np.int64
        assert labels.shape == (len(images),)
        assert images.shape[1:] == raw.images.shape[1:]
        assert set(np.unique(labels)) == set(range(raw.num_classes))
        assert images.dtype == np.float32 or images.max() > 127, "bytes are scaled to their whole range"


def test_splits_are_disjoint_and_of_the_sizes_promised(loaded: Loaded) -> None:
    config, dataset, raw = loaded
    sizes = dataset.default_split(raw)
    n, own_test = len(raw.labels), raw.test_labels is not None
    # Every example carries its index as its image, so that what lands where can be told.
    marked = np.arange(n, dtype="<u4").view(np.uint8).reshape(n, 4, 1, 1)
    test = np.arange(n, n + len(raw.test_labels), dtype="<u4").view(np.uint8).reshape(-1, 4, 1, 1) if own_test else None
    parts = split(config, dataset, RawData(marked, raw.labels, test, raw.test_labels, raw.num_classes), seed=1)
    indices = [
        np.ascontiguousarray(part).reshape(-1).view("<u4").tolist()
        for part in (parts.train_images, parts.val_images, parts.test_images)
    ]
    assert tuple(len(part) for part in indices) == sizes
    assert len({index for part in indices for index in part}) == sum(sizes)
    labels = np.concatenate([raw.labels, raw.test_labels]) if raw.test_labels is not None else raw.labels
    for part, given in zip(indices, (parts.train_labels, parts.val_labels, parts.test_labels), strict=True):
        assert np.array_equal(labels[part], given)
    if own_test:
        assert min(indices[2]) >= n, "the standard test split stays the test split"


def test_loading_twice_gives_the_same(loaded: Loaded) -> None:
    config, dataset, raw = loaded
    first, second = split(config, dataset, raw, seed=3), split(config, dataset, raw, seed=3)
    assert np.array_equal(first.train_images[:50], second.train_images[:50])
    assert np.array_equal(first.train_labels, second.train_labels)
    assert not np.array_equal(first.train_labels, split(config, dataset, raw, seed=4).train_labels)
