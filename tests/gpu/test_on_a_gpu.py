"""What only a GPU can show; on the counting device they run too, where `python -m tests.gpu` is asked for it."""

from pathlib import Path
from typing import Any

import pytest
import torch

from tests.contracts.test_device_contract import CASES, TINY
from tests.engine import config
from tests.unit.test_graphs import network, trained, training, without_graphs
from tests.unit.test_precision import fitted
from trainables.probing import probe
from trainables.record import Record
from trainables.trial import TrialContext, run_trial

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
KINDS = ("method prune", "method share", "criterion grasp", "dropout", "model conv2")


def records(fields: dict[str, Any], device: str) -> list[Record]:
    trial = config(**{**TINY, **fields})
    return [r for r in run_trial(trial, TrialContext(0, Path("unused"), device)) if r is not None]


def test_every_kind_of_calculation_is_right() -> None:
    assert not any(probe(torch.device("cuda")).values())


@pytest.mark.parametrize("name", KINDS)
def test_a_trial_says_what_it_says_on_the_cpu(name: str) -> None:
    for there, here in zip(records(CASES[name], "cuda"), records(CASES[name], "cpu"), strict=True):
        for metric in ("train/loss", "val/loss", "level/train_loss"):
            if metric in here.metrics:
                assert there.metrics[metric] == pytest.approx(here.metrics[metric], rel=0.05, abs=1e-3)


@pytest.mark.parametrize("name", KINDS)
def test_a_trial_repeats_itself_bit_for_bit(name: str) -> None:
    first, again = records(CASES[name], "cuda"), records(CASES[name], "cuda")
    for one, other in zip(first, again, strict=True):
        costs = {metric for metric in one.metrics if metric.startswith("cost/")}
        assert {m: v for m, v in one.metrics.items() if m not in costs} == {
            m: v for m, v in other.metrics.items() if m not in costs
        }


@pytest.mark.parametrize("precision", ["tf32", "bf16"])
def test_networks_fit_in_every_precision(precision: str) -> None:
    exact, rounded = fitted("fp32"), fitted(precision)
    assert max(exact) < 0.3
    assert max(rounded) < 0.3


@pytest.mark.parametrize("name", ["mlp", "conv2", "wide_resnet"])
def test_graphs_train_what_steps_do(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = trained(training(network(name, dropout=0.3), epochs=5, batch_size=15))
    without_graphs(monkeypatch)
    expected = trained(training(network(name, dropout=0.3), epochs=5, batch_size=15))
    assert all(torch.equal(found[tensor], expected[tensor]) for tensor in expected)


def test_memory_is_given_back_after_a_trial() -> None:
    records(CASES["method prune"], "cuda")
    before = torch.cuda.memory_allocated()
    records(CASES["method prune"], "cuda")
    assert torch.cuda.memory_allocated() <= before
