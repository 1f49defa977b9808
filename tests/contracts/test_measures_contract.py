"""What every measure keeps, whoever wrote it, on affine layers and on convolutions with batch norm."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.contracts.test_criteria_contract import Kind, build, shape
from tests.engine import config as trial_config
from tests.engine import look, run, taken
from trainables import trial
from trainables.checkpoints import CheckpointStore
from trainables.config import MeasuresConfig
from trainables.config.measures import DEFAULT
from trainables.data.trial_data import TrialData
from trainables.looking.look import Look
from trainables.looking.measure import MEASURES, Measure, MeasureResult, finish_measure
from trainables.looks import _pieces
from trainables.record import Record
from trainables.trial import TrialContext

NETWORKS = 4
# What is promised does not hang on how often something is asked: as fields of the measure.
FEWER: dict[str, dict[str, Any]] = {"sharpness": {"products": 4, "signs": 2, "halvings": 3, "draws": 1}}
FEWER_IN_TRIALS = {f"measures.{name}.{field}": few for name, fields in FEWER.items() for field, few in fields.items()}


@pytest.fixture(params=["affine", "convolutional"])
def kind(request: pytest.FixtureRequest) -> Kind:
    chosen: Kind = request.param
    return chosen


@pytest.fixture(params=MEASURES.names())
def measure(request: pytest.FixtureRequest) -> Measure:
    return MEASURES.get(request.param)(**FEWER.get(request.param, {}))


def seen(kind: Kind, networks: int = NETWORKS) -> Look:
    return look(build(kind, networks), input_shape=shape(kind))


def numbers(found: MeasureResult) -> dict[str, torch.Tensor]:
    """All of them by name."""
    layers = {f"{name}@{layer}": values for name, by in found.layers.items() for layer, values in by.items()}
    return {**found.networks, **layers, **found.examples, **found.arrays}


@pytest.mark.parametrize("name", MEASURES.names())
def test_its_words_are_read_without_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = MEASURES.get(name).reports
    monkeypatch.setattr(MEASURES, "get", None)
    assert MEASURES.literal(name, "reports") == words


def test_shapes_and_finite_or_absent_with_a_reason(measure: Measure, kind: Kind) -> None:
    viewed = seen(kind)
    found = taken(measure, viewed)
    assert measure.reports
    assert set(found.networks) <= set(measure.reports)
    assert all(values.shape == (NETWORKS,) for values in found.networks.values())
    for by_layer in found.layers.values():
        assert all(values.shape == (NETWORKS,) for values in by_layer.values())
    assert all(values.shape == (NETWORKS, viewed.sample.count) for values in found.examples.values())
    assert all(len(values) == NETWORKS and values.ndim >= 2 for values in found.arrays.values())
    assert not any(values.requires_grad for values in numbers(found).values())
    for name in measure.reports:
        defined = name in found.networks and bool(found.networks[name].isfinite().all())
        assert defined or found.undefined_reasons.get(name) or found.undefined_reasons.get("*"), (
            f"{name} is absent without a reason"
        )
    assert found.networks or found.undefined_reasons


def test_same_draws_same_numbers_and_nothing_else_is_touched(measure: Measure, kind: Kind) -> None:
    model = build(kind, NETWORKS)
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    generators, numpy_state = torch.get_rng_state(), np.random.get_state()[1]
    first, again = (numbers(taken(measure, look(model, input_shape=shape(kind)))) for _ in range(2))
    for name, values in first.items():
        assert torch.equal(values.nan_to_num(), again[name].nan_to_num()), name
    assert torch.equal(torch.get_rng_state(), generators)
    assert np.array_equal(np.random.get_state()[1], numpy_state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.tensors().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(module.training or module._forward_hooks for module in model.modules())


def test_a_network_is_measured_alone(measure: Measure, kind: Kind) -> None:
    few, many = (numbers(taken(measure, seen(kind, networks))) for networks in (2, 5))
    for name, values in few.items():
        assert torch.allclose(
            values.double().nan_to_num(), many[name][:2].double().nan_to_num(), rtol=1e-3, atol=1e-5
        ), name


def test_it_pauses_after_a_few_passes_over_the_sample(
    measure: Measure, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever drives the trial is kept waiting for four forward passes at most, or one product with the Hessian."""
    passes = [0]

    def counted(name: str, cost: int) -> None:
        real = getattr(Look, name)

        def counting(self: Look, *args: Any) -> Any:
            passes[0] += cost
            return real(self, *args)

        monkeypatch.setattr(Look, name, counting)

    counted("scores", 1)
    counted("hessian_product", 4)
    running, most = finish_measure(measure.measure(seen(kind))), 0
    while True:
        passes[0] = 0
        try:
            next(running)
        except StopIteration:
            break
        finally:
            most = max(most, passes[0])
    assert most <= 4


def test_few_large_networks_are_measured_together() -> None:
    """By their weights, and by what a forward pass over the sample costs."""
    for fields, together in (
        ({}, [6]),
        ({"model__name": "conv2", "model__width": 64}, [5, 1]),
        ({"model__width": 1000}, [1] * 6),
        ({"model__width": 500}, [6]),
    ):
        context = TrialContext(0, Path("unused"))
        workspace = trial._workspace(trial_config(**fields), context, 6)
        assert [len(piece) for piece in _pieces(workspace, workspace.initial())] == together, fields


def test_units_that_come_from_no_dense_network(measure: Measure) -> None:
    found = taken(measure, look(build("affine", 2), origin=False))
    for name in measure.reports:
        assert name in found.networks or found.undefined_reasons.get(name) or found.undefined_reasons.get("*")


def test_the_default_measures_are_there() -> None:
    assert set(DEFAULT) <= set(MEASURES.names())
    assert MeasuresConfig(names="all").chosen_names == MEASURES.names()
    assert MeasuresConfig(names="none").chosen_names == ()


def test_in_a_trial_with_every_measure(tmp_path: Path) -> None:
    """Columns, metrics, rows of layers, arrays; the same when interrupted anywhere; other metrics as without."""
    config = trial_config(measures="all", replicates=2, training__epochs=3, **FEWER_IN_TRIALS)
    plain = [r for r in run(trial_config(measures="none", replicates=2, training__epochs=3)) if r is not None]
    whole = [record for record in run(config) if record is not None]
    for mine, theirs in zip(whole, plain, strict=True):
        left = {name: value for name, value in mine.metrics.items() if "measure/" not in name}
        costs = {name for name in left if name.startswith("cost/")}
        assert {n: v for n, v in left.items() if n not in costs} == {
            n: v for n, v in theirs.metrics.items() if n not in costs
        }
    last = whole[-1]
    columns = {name for row in last.networks for name in row if name.startswith("measure/")}
    assert columns == {f"measure/{name}/{number}" for name in MEASURES.names() for number in MEASURES.get(name).reports}
    absent = {name for name in columns if name not in last.metrics}
    assert all(f"undefined/{name}" in last.notes for name in absent)
    assert {row["measure"] for row in last.layers} <= set(MEASURES.names())
    assert all(np.isfinite(row["value"]) for row in last.layers)
    assert _interrupted(config, tmp_path) == _comparable(last)


def _interrupted(config: object, folder: Path) -> tuple[object, ...]:
    """The summary of a trial that is stopped at every third boundary and goes on from its checkpoint."""
    steps = 3
    for attempt in range(1, 400):
        running = run(config, CheckpointStore(folder, attempt, interval_s=0))  # type: ignore[arg-type]
        for step, record in enumerate(running):
            if record is not None and record.stage == "summary":
                return _comparable(record)
            if step >= steps * attempt:
                break
    raise AssertionError("the trial never ended")


def _comparable(record: Record) -> tuple[object, ...]:
    metrics = {name: value for name, value in record.metrics.items() if not name.startswith("cost/")}
    return metrics, record.layers, {name: array.tobytes() for name, array in record.arrays.items()}


def test_a_measure_that_fails_on_one_network_says_so_and_the_trial_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    norms = MEASURES.get("norms")
    sound = norms.measure

    def picky(self: Measure, seen: Look) -> MeasureResult:
        found = sound(self, seen)
        if bool((seen.stack.tensors()["layers.0.weight"][:, 0, 0] == _first_weight()).any()):
            raise ArithmeticError("no such luck")
        return found

    config = trial_config(measures="norms", replicates=3, training__epochs=1)
    rows = [record for record in run(config) if record is not None][-1].networks
    target: list[float] = []

    def _first_weight() -> float:
        return target[0] if target else float("nan")

    def remembers(self: Measure, seen: Look) -> MeasureResult:
        if not target:
            target.append(float(seen.stack.tensors()["layers.0.weight"][1, 0, 0]))
        return picky(self, seen)

    monkeypatch.setattr(norms, "measure", remembers)
    last = [record for record in run(config) if record is not None][-1]
    dense = [row for row in last.networks if row["level"] == 0]
    sound_rows = [row for row in rows if row["level"] == 0]
    for row, before in zip(dense, sound_rows, strict=True):
        broken = row["network"] == 1 and row["arm"] == "replicate"
        assert row["measure/norms/path"] == (None if broken else pytest.approx(before["measure/norms/path"]))
    assert last.notes["networks/measure/norms/path"].startswith("2 of 3: it failed: ArithmeticError: no such luck")


def test_test_data_are_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A trial whose test split is replaced by other images and labels measures the same."""
    config = trial_config(measures="all", replicates=2, training__epochs=2, compression__depth=1, **FEWER_IN_TRIALS)
    found = []
    for spoils in (False, True):
        made = trial.trial_data

        def other(*args: object, spoils: bool = spoils, made: Any = made) -> TrialData:
            data: TrialData = made(*args)
            if spoils:
                return replace(data, test_images=255 - data.test_images, test_labels=(data.test_labels + 1) % 10)
            return data

        with monkeypatch.context() as patch:
            patch.setattr(trial, "trial_data", other)
            found.append([record for record in run(config) if record is not None][-1])
    first, second = found
    assert first.layers == second.layers
    assert _measures(first) == _measures(second)
    scores = [[row["test_accuracy"] for row in record.networks] for record in found]
    assert scores[0] != scores[1]


def _measures(record: Record) -> dict[str, float]:
    return {name: value for name, value in record.metrics.items() if "measure/" in name}
