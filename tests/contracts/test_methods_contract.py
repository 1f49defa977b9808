"""What every compression method keeps: widths, the classifier's outputs, and no trace in what it started from."""

from pathlib import Path

import pytest
import torch

from tests.engine import config
from trainables.bench import Bench
from trainables.compression.course import new_bench
from trainables.compression.interfaces import METHODS, Compressed, Level
from trainables.data.trial_data import trial_data
from trainables.pausing import finish
from trainables.progress import Progress


@pytest.fixture(params=METHODS.names())
def bench(request: pytest.FixtureRequest) -> Bench:
    trial = config(compression__method=request.param, compression__criterion="random")
    data = trial_data(trial, 0, Path("unused"))
    made = new_bench(trial, 0, data, Progress(trial, 0, None))
    made.progress.level = 0
    return made


def compress(bench: Bench, level: Level) -> Compressed:
    return finish(METHODS.get(bench.config.compression.method)().compress(bench, level))


def first_level(bench: Bench) -> Level:
    stack = bench.initial()
    origin = [torch.arange(width).repeat(bench.networks, 1) for width in stack.widths]
    return Level(1, bench.level_widths[1], stack, origin)


def test_networks_have_the_widths_of_their_level(bench: Bench) -> None:
    level = first_level(bench)
    before = {name: tensor.clone() for name, tensor in level.previous.tensors().items()}
    made = compress(bench, level)
    assert made.stack.widths == level.widths
    assert made.stack.networks == bench.networks == 6
    size = (level.widths, bench.input_shape, 10)
    assert made.stack.parameters_per_network == bench.model.parameter_count(*size)
    images = bench.val_inputs.slice(0, 5)
    assert made.stack(images).shape == (6, 5, 10)
    for tensor in made.stack.tensors().values():
        tensor.fill_(7)
    for name, tensor in level.previous.tensors().items():
        assert torch.equal(tensor, before[name]), "the new stack must share nothing with the last one"


def test_units_stay_those_of_the_dense_network(bench: Bench) -> None:
    """Kept sets are nested over levels, and `origin` says which units they are."""
    level = first_level(bench)
    made = compress(bench, level)
    if made.origin is None:
        pytest.skip("this method makes new units")
    if made.stack.widths == level.previous.widths:
        pytest.skip("this method keeps all units")
    assert level.origin is not None
    again = compress(bench, Level(2, bench.level_widths[2], made.stack, made.origin))
    assert again.origin is not None
    for first, second, start in zip(made.origin, again.origin, level.origin, strict=True):
        for network in range(bench.networks):
            assert set(second[network].tolist()) < set(first[network].tolist()) < set(start[network].tolist())
    if bench.config.compression.method != "prune":
        return
    expected = level.previous.keep_units(again.origin).tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in again.stack.tensors().items())


def test_same_trial_same_bits(bench: Bench) -> None:
    one, other = (compress(bench, first_level(bench)).stack.tensors() for _ in range(2))
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())
