"""Data sets that are computed: the rule holds, exactly."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, norm

from tests.engine import config, records
from trainables.config import DataConfig
from trainables.data.input_corruption import uniform_like
from trainables.data.interfaces import dataset_of
from trainables.data.raw import RawData
from trainables.data.trial_data import trial_data
from trainables.training.inputs import Inputs

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
    signs = data.images[:, 0].astype(int)
    assert set(np.unique(data.images)) == {-1, 1}
    assert np.array_equal((signs[:, 0] == signs[:, 1]).any(axis=1), data.labels == 1)
    codes = (signs[:, 0] > 0) * 2 + (signs[:, 1] > 0)
    kinds = np.array([len(set(row)) for row in codes.tolist()])
    share = (kinds == np.where(data.labels == 1, 4, 2)).mean()
    assert share == pytest.approx(diverse, abs=0.04)
    assert data.labels.mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("pairs", [4, 10])
def test_the_pair_that_an_xor_point_lacks_is_any_with_equal_chance(pairs: int) -> None:
    """Exactly one is missing; four standard errors of 8,000 points are 0.019 of a quarter, 0.022 of a half."""
    data = raw("xor", examples=16_000, pairs=pairs, diverse=0.0)
    codes = (data.images[:, 0, 0] > 0) * 2 + (data.images[:, 0, 1] > 0)
    shown = np.stack([(codes == kind).any(axis=1) for kind in range(4)], axis=1)
    for label, kinds in ((0, [1, 2]), (1, [0, 1, 2, 3])):
        lacking = ~shown[data.labels == label][:, kinds]
        assert (lacking.sum(axis=1) == 1).all()
        assert lacking.mean(axis=0) == pytest.approx(np.full(len(kinds), 1 / len(kinds)), abs=0.022)


def test_points_that_show_the_same_pairs_are_equally_frequent() -> None:
    """Four pairs, three of them: 36 sequences for each missing one, every one as likely as another."""
    data = raw("xor", examples=40_000, pairs=4, diverse=0.0)
    codes = (data.images[:, 0, 0] > 0) * 2 + (data.images[:, 0, 1] > 0)
    _, counts = np.unique(codes[data.labels == 1], axis=0, return_counts=True)
    assert len(counts) == 4 * 36
    assert chisquare(counts).pvalue > 0.001


@pytest.mark.parametrize(("name", "deviation"), [("teacher", 1.0), ("gaussian", 1.0), ("xor", 1.0)])
def test_numbers_reach_networks_at_their_own_scale(name: str, deviation: float) -> None:
    """No rounding to bytes, no shift, no factor: what the rule drew is what the first layer is given."""
    trial = config(data__name=name, data__split=(300, 50, 50), data__label_noise=0.0)
    data = trial_data(trial, 0, NOWHERE)
    drawn = torch.from_numpy(raw(name).images)
    seen = Inputs(data.images, data.source, data.mean).gather(torch.arange(300)[None, None])[0, 0]
    assert seen.dtype == torch.float32
    rows = {tuple(row) for row in drawn.flatten(1).tolist()}
    assert all(tuple(row) in rows for row in seen.flatten(1).tolist())
    assert float(seen.std()) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize("inputs", ["shuffled_pixels", "random_pixels", "gaussian"])
def test_numbers_are_corrupted_as_numbers(inputs: str) -> None:
    trial = config(data__name="teacher", data__split=(2000, 50, 50), data__inputs=inputs)
    data = trial_data(trial, 0, NOWHERE)
    noisy, true = data.images
    assert noisy.dtype == torch.float32
    assert len(noisy.unique()) > 100_000, "not rounded"
    assert float(noisy.std()) == pytest.approx(float(true.std()), rel=0.02)
    if inputs != "gaussian":
        assert torch.equal(noisy.flatten(1).sort(dim=1).values, true.flatten(1).sort(dim=1).values)


def test_uniform_noise_covers_the_range_of_numbers() -> None:
    like = torch.from_numpy(raw("gaussian", examples=2000).images)
    noise = uniform_like(like, torch.Generator().manual_seed(0))
    assert noise.shape == like.shape
    low, high = like.aminmax()
    assert low <= noise.min() < low + 0.01
    assert high - 0.01 < noise.max() <= high


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
    assert np.abs(means[0] - means[1]).max() < 0.15


def test_a_teacher_can_be_followed_by_its_own_rule() -> None:
    """The labels are a function of the inputs: recomputed from them they are the same, and classes are balanced."""
    data = raw("teacher", examples=3000, features=16, classes=4, units=32)
    draws = dataset_of(DataConfig(name="teacher")).draws("teacher")  # type: ignore[attr-defined]
    first = torch.randn(16, 32, generator=draws) / 4
    second = torch.randn(32, 4, generator=draws)
    x = torch.from_numpy(data.images).reshape(3000, 16).double()
    outputs = torch.relu(x @ first.double()) @ second.double()
    outputs = (outputs - outputs.mean(0)) / outputs.std(0)
    assert np.array_equal(outputs.argmax(1).numpy(), data.labels)
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
    x = torch.from_numpy(data.images).reshape(2000, 16).double()
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


def test_the_pairs_of_an_xor_point_are_columns_or_pixels() -> None:
    columns, pixels = (raw("xor", examples=100, pairs=5, layout=layout) for layout in ("columns", "pixels"))
    assert (columns.images.shape, pixels.images.shape) == ((100, 1, 2, 5), (100, 2, 1, 5))
    assert np.array_equal(columns.images[:, 0], pixels.images[:, :, 0])
    assert np.array_equal(columns.labels, pixels.labels)
