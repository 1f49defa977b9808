"""Data sets that are computed: the rule holds, exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm

from tests.engine import config, records
from trainables.config import DataConfig
from trainables.data.interfaces import RawData, dataset_of

NOWHERE = Path("unused")


def raw(name: str, **fields: object) -> RawData:
    return dataset_of(DataConfig.model_validate({"name": name, name: fields})).load(NOWHERE)


@pytest.mark.parametrize("name", ["teacher", "gaussian", "xor"])
def test_seeds_say_which_examples_there_are(name: str) -> None:
    first, again, other = raw(name, examples=200), raw(name, examples=200), raw(name, examples=200, seed=1)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.images, other.images)
    assert len(first.labels) == 200


@pytest.mark.parametrize("diverse", [0.0, 0.7, 1.0])
def test_xor_is_positive_where_a_pair_agrees(diverse: float) -> None:
    data = raw("xor", examples=4000, pairs=9, diverse=diverse)
    signs = np.where(data.images[:, 0] == 255, 1, -1)
    assert set(np.unique(data.images)) == {0, 255}
    assert np.array_equal((signs[:, 0] == signs[:, 1]).any(axis=1), data.labels == 1)
    codes = (signs[:, 0] > 0) * 2 + (signs[:, 1] > 0)
    kinds = np.array([len(set(row)) for row in codes.tolist()])
    share = (kinds == np.where(data.labels == 1, 4, 2)).mean()
    assert share == pytest.approx(diverse, abs=0.04)
    assert data.labels.mean() == pytest.approx(0.5, abs=0.04)


def test_blobs_lie_where_they_should() -> None:
    """Two classes: the best linear rule errs as often as the distance between the centres says."""
    data = raw("gaussian", examples=20_000, classes=2, features=8, separation=2.0)
    x = data.images.reshape(len(data.labels), -1).astype(np.float64)
    centres = [x[data.labels == c].mean(axis=0) for c in (0, 1)]
    variance = np.mean([x[data.labels == c].var(axis=0).mean() for c in (0, 1)])
    gap = centres[1] - centres[0]
    said = (x - (centres[0] + centres[1]) / 2) @ gap > 0
    expected = norm.cdf(-np.linalg.norm(gap) / (2 * np.sqrt(variance)))
    assert (said != data.labels).mean() == pytest.approx(expected, abs=0.01)
    between = np.linalg.norm(gap) / np.sqrt(variance)
    draws = dataset_of(DataConfig(name="gaussian")).draws("centres")  # type: ignore[attr-defined]
    true = torch.nn.functional.normalize(torch.randn(2, 8, generator=draws), dim=1)
    assert between == pytest.approx(2.0 * float((true[0] - true[1]).norm()), rel=0.03)


def test_without_separation_blobs_say_nothing() -> None:
    data = raw("gaussian", examples=5000, classes=2, separation=0.0)
    x = data.images.reshape(len(data.labels), -1).astype(np.float64)
    means = [x[data.labels == c].mean(axis=0) for c in (0, 1)]
    assert np.abs(means[0] - means[1]).max() < 5


def test_a_teacher_can_be_followed_by_its_own_rule() -> None:
    """The labels are a function of the bytes: recomputed from them they are the same, and classes are balanced."""
    data = raw("teacher", examples=3000, features=16, classes=4, units=32)
    draws = dataset_of(DataConfig(name="teacher")).draws("teacher")  # type: ignore[attr-defined]
    first = torch.randn(16, 32, generator=draws) / 4
    second = torch.randn(32, 4, generator=draws)
    x = (torch.from_numpy(data.images).reshape(3000, 16).double() - 127.5) / (127.5 / 4)
    outputs = torch.relu(x @ first.double()) @ second.double()
    outputs = (outputs - outputs.mean(0)) / outputs.std(0)
    assert (outputs.argmax(1).numpy() == data.labels).mean() > 0.999
    assert np.bincount(data.labels).min() > 300


@pytest.mark.parametrize("activation", ["relu", "erf"])
def test_numbers_are_what_the_teacher_says_in_units_of_their_deviation(activation: str) -> None:
    data = raw("teacher", examples=2000, features=16, units=8, task="regression", outputs=3, activation=activation)
    assert data.labels.dtype == np.float32
    assert data.labels.shape == (2000, 3)
    assert data.labels.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-5)
    assert data.labels.var(axis=0) == pytest.approx([1, 1, 1], abs=1e-4)
    draws = dataset_of(DataConfig(name="teacher")).draws("teacher")  # type: ignore[attr-defined]
    first = torch.randn(16, 8, generator=draws).double() / 4
    second = torch.randn(8, 3, generator=draws).double()
    x = (torch.from_numpy(data.images).reshape(2000, 16).double() - 127.5) / (127.5 / 4)
    hidden = x @ first
    outputs = (torch.relu(hidden) if activation == "relu" else torch.erf(hidden / 2**0.5)) @ second
    outputs = (outputs - outputs.mean(0)) / outputs.std(0, correction=0)
    assert np.allclose(outputs.numpy(), data.labels, atol=1e-4)


@pytest.mark.parametrize("name", ["teacher", "gaussian", "xor"])
def test_trials_run_on_them(name: str) -> None:
    ended = records(config(data__name=name, data__split=(150, 60, 60), training__epochs=2))
    assert ended[-1].stage == "summary"


def test_nothing_of_them_may_be_mirrored() -> None:
    with pytest.raises(ValueError, match="is for images, gaussian has none"):
        config(data__name="gaussian", data__label_noise=0.0, training__augment="flip")
