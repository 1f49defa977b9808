"""What single measures find where the right answer is known."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.engine import config, look, records, stack, taken
from trainables.looking.look import Look
from trainables.looking.measure import MEASURES, MeasureResult, measures_of
from trainables.looking.spectra import bulk, eigenvalues
from trainables.measures.removable_and_repeated import silence_units
from trainables.measures.ticket_structure import structure
from trainables.seeding import generator
from trainables.stack.mlp import StackedMLP
from trainables.stack.model import StackedModel


def measured(name: str, seen: Look, **fields: object) -> MeasureResult:
    return taken(MEASURES.get(name).model_validate(fields), seen)


def starting(model: StackedModel, initial: StackedModel) -> Look:
    return look(model, initial=lambda: initial)


def test_norms_by_hand() -> None:
    model, initial = stack(2), stack(2, seed=5)
    found = measured("norms", starting(model, initial))
    for k in range(2):
        now, before = (
            [model_.tensors()[f"layers.{i}.weight"][k].double().numpy().T for i in range(3)]
            for model_ in (model, initial)
        )
        added = [w - z for w, z in zip(now, before, strict=True)]
        hidden = [np.linalg.norm(change, axis=1) for change in added[:2]]
        wanted = {
            "frobenius": math.sqrt(sum((w**2).sum() for w in now)),
            "spectral_product": math.prod(np.linalg.norm(w, 2) for w in now),
            "path": math.sqrt((now[2] ** 2 @ now[1] ** 2 @ now[0] ** 2).sum()),
            "two_one": sum(np.linalg.norm(change, axis=1).sum() for change in added),
            "distance": math.sqrt(sum((change**2).sum() for change in added)),
            "unit_capacity": np.concatenate(hidden).mean(),
            "unit_impact": np.concatenate([np.linalg.norm(w, axis=0) for w in now[1:]]).mean(),
        }
        wanted["relative_distance"] = wanted["distance"] / math.sqrt(sum((z**2).sum() for z in before))
        assert {name: float(values[k]) for name, values in found.networks.items()} == pytest.approx(wanted, rel=1e-5)


def test_margins_by_hand() -> None:
    seen = look(stack(2))
    found = measured("margins", seen)
    logits = seen.features()["outputs"].double().numpy()
    for k in range(2):
        given = seen.sample.labels[k].numpy()
        own = logits[k, np.arange(90), given]
        others = logits[k].copy()
        others[np.arange(90), given] = -np.inf
        margins = own - others.max(1)
        assert found.examples["margin"][k].numpy() == pytest.approx(margins, abs=1e-5)
        assert float(found.networks["quantile"][k]) == pytest.approx(np.quantile(margins, 0.1), abs=1e-5)


def test_features_are_what_layers_answer() -> None:
    model = stack(2)
    seen = look(model)
    plain, x = model.unstack(1), seen.sample.inputs[1]
    with torch.no_grad():
        steps = [x]
        for layer in plain:
            steps.append(layer(steps[-1]))
    assert list(seen.features()) == ["inputs", "hidden_1", "hidden_2", "outputs"]
    for name, place in (("inputs", 1), ("hidden_1", 3), ("hidden_2", 5), ("outputs", 6)):
        assert torch.allclose(seen.features()[name][1], steps[place], atol=1e-5)


def fitted(sizes: tuple[int, ...] = (20, 16, 12, 10)) -> tuple[StackedMLP, StackedMLP]:
    """Two networks that were trained to fit the labels of `look`, and what they were before."""
    model, initial = stack(2, sizes), stack(2, sizes)
    seen = look(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(400):
        optimizer.zero_grad()
        seen.sample.loss()(model(seen.sample.inputs), seen.sample.labels).backward()
        optimizer.step()
    for parameter in model.parameters():
        parameter.grad = None
    return model, initial


def test_an_update_of_two_directions_is_found_in_two() -> None:
    model, _ = fitted()
    ends = [torch.randn(2, *shape, generator=generator(1, *shape)) for shape in ((20, 2), (2, 16))]
    first = model.tensors()["layers.0.weight"]
    initial = model.with_tensors(model.tensors() | {"layers.0.weight": first - ends[0] @ ends[1]})
    found = measured("update_projection", starting(model, initial), top=2)
    assert found.networks["score"].tolist() == [1.0, 1.0]
    assert found.networks["directions"].max() <= 2
    assert found.networks["residual"].max() < 1e-5
    assert (found.networks["random_directions"] > 2).all()
    assert (found.networks["random_score"] < 1).all()
    assert found.arrays["scores"][:, -1].tolist() == [1.0, 1.0]


def test_weights_of_rank_three_need_no_more() -> None:
    model, _ = fitted()
    tensors = model.tensors()
    low = {}
    for name in ("layers.0.weight", "layers.1.weight", "layers.2.weight"):
        u, s, v = torch.linalg.svd(tensors[name], full_matrices=False)
        low[name] = u[:, :, :3] * s[:, None, :3] @ v[:, :3]
    seen = look(model.with_tensors(tensors | low))
    found = measured("low_rank_probe", seen, rank=3)
    assert torch.equal(found.networks["score"], seen.scores(seen.stack))
    defined = found.networks["rank"][found.networks["rank"].isfinite()]
    assert (defined <= 4).all()
    assert len(defined)


@pytest.mark.parametrize(("mean", "expected"), [(0.0, 0.0), (0.06, 0.0), (0.14, 1.0)])
def test_a_mean_of_the_entries_is_a_spike_beyond_the_transition(mean: float, expected: float) -> None:
    """Of square matrices of 128 from 128^(-1/2) = .09 standard deviations on (Baik, Ben Arous, Péché 2005)."""
    weights = torch.randn(100, 128, 128, generator=generator(0, "means")) + mean
    assert bulk(eigenvalues(weights), 128).spikes.double().mean().item() == pytest.approx(expected, abs=0.25)


def test_planted_duplicates_are_found_exactly() -> None:
    model = stack(2)
    tensors = {name: tensor.clone() for name, tensor in model.tensors().items()}
    for tensor in (tensors["layers.0.weight"], tensors["layers.0.bias"]):
        tensor[:, :, 1:4] = 2 * tensor[:, :, 0:1]
    tensors["layers.0.weight"][:, :, 9] = 0  # a dead unit
    found = measured("removable_and_repeated", look(model.with_tensors(tensors)), correlation=0.9999)
    assert found.layers["repeated"]["hidden_1"].tolist() == [4 / 16] * 2
    assert found.layers["partners"]["hidden_1"].tolist() == [4 * 3 / 16] * 2
    assert found.layers["repeated"]["hidden_2"].tolist() == [0, 0]
    assert (found.layers["removable"]["hidden_1"] >= 1 / 16).all()
    assert (found.networks["either"] >= found.networks["removable"]).all()


def test_silenced_units_answer_nothing_and_others_as_before() -> None:
    from tests.contracts.test_criteria_contract import IMAGE, build

    for kind, shape in (("affine", (1, 1, 20)), ("convolutional", IMAGE)):
        seen = look(build(kind, 2), input_shape=shape)  # type: ignore[arg-type]
        group, width = seen.stack.groups[-1], seen.stack.widths[-1]
        off = torch.zeros(2, width, dtype=torch.bool)
        off[0, 2] = off[1, 3] = True
        after = look(silence_units(seen.stack, {group.name: off}), input_shape=shape).features()[group.name]
        before = seen.features()[group.name]
        assert after[0, :, 2].abs().max() == 0
        assert after[1, :, 3].abs().max() == 0
        assert torch.allclose(after[0, :, 3:], before[0, :, 3:], atol=1e-5)


def test_noise_that_costs_a_tenth() -> None:
    model, _ = fitted()
    seen = look(model)
    found = measured("sharpness", seen, examples=16, products=2, signs=1)
    assert ((found.networks["noise"] > 0.02) & (found.networks["noise"] < 1.9)).all()
    flat = look(model.with_tensors({name: tensor * 0 for name, tensor in model.tensors().items()}))
    assert measured("sharpness", flat, examples=16, products=2, signs=1).networks["noise"].min() > 1.99


def test_representations_of_twins_and_of_themselves() -> None:
    model = stack(2)
    same = measured("representations", look(model, twin=lambda: model, dense=lambda: model, level=3))
    assert same.networks["cka_twin"].tolist() == pytest.approx([1, 1])
    assert same.networks["cka_dense"].tolist() == pytest.approx([1, 1])
    table = same.arrays["cka"]
    assert torch.allclose(table, table.mT)
    assert torch.allclose(table.diagonal(dim1=1, dim2=2), torch.ones(2, 4, dtype=torch.float64))
    beside = [table[:, a, b] for a, b in pairwise(range(4))]
    assert torch.allclose(same.networks["cka_neighbours"], torch.stack(beside).mean(0))
    alone = measured("representations", look(model, twin=lambda: None))
    assert alone.undefined_reasons["cka_twin"] == "no clean twins are trained"
    assert "cka_twin" not in alone.networks
    assert alone.undefined_reasons["cka_dense"] == "these are the dense networks"


def test_a_student_that_is_its_teacher_has_found_it() -> None:
    model = stack(2)
    teacher = model.tensors()["layers.0.weight"][0].mT * 3
    found = measured("overlaps", look(model, teacher=teacher))
    assert found.networks["best"][0].item() == pytest.approx(1)
    assert found.networks["found"].tolist() == [1.0, 0.0]
    assert found.networks["best"][1] < 0.9
    assert measured("overlaps", look(model)).undefined_reasons["*"].startswith("no network made the labels")


def test_a_trial_on_a_teacher_measures_overlaps() -> None:
    last = records(config(data__name="teacher", measures="overlaps", training__epochs=1))[-1]
    assert -1 < last.metrics["measure/overlaps/best"] < 1


def test_random_masks_are_hypergeometric_and_others_are_not() -> None:
    kept = torch.rand(40, 50, 30, generator=generator(2)) < 0.3
    found = structure(kept)
    assert found["dispersion"].mean().item() == pytest.approx(1, abs=0.05)
    assert found["together"].mean().item() == pytest.approx(1, abs=0.01)
    few = structure(torch.rand(400, 50, 6, generator=generator(3)) < 0.3)
    assert few["empty"].mean().item() == pytest.approx(few["random_empty"].mean().item(), rel=0.05)
    whole_units = torch.zeros(1, 10, 8, dtype=torch.bool)
    whole_units[0, :3] = True
    tight = {name: values.item() for name, values in structure(whole_units).items()}
    p, every = 24 / 80, 80
    assert tight["dispersion"] == pytest.approx((8**2 * 0.3 * 0.7) / (8 * p * (1 - p) * (every - 8) / (every - 1)))
    assert tight["together"] == pytest.approx(1 / (23 / 79))
    assert tight["empty"] == pytest.approx(0.7)
    assert tight["random_empty"] == pytest.approx(math.comb(72, 24) / math.comb(80, 24))


def test_tickets_of_a_trial_have_a_structure_once_weights_are_removed() -> None:
    last = records(config(measures="ticket_structure", compression__granularity="weight", training__epochs=2))[-1]
    assert "measure/ticket_structure/dispersion" not in last.metrics
    assert "no single weights" in last.notes["undefined/measure/ticket_structure/dispersion"]
    rows = {row["level"]: row for row in last.networks if row["network"] == 0 and row["arm"] == "replicate"}
    assert rows[0]["measure/ticket_structure/dispersion"] is None
    assert rows[2]["measure/ticket_structure/dispersion"] > 0
    assert {row["level"] for row in last.layers} == {1, 2}


def test_the_film_of_a_training() -> None:
    last = records(config(measures="dynamics+spectrum", training__epochs=12, training__stop_at_train_loss=None))[-1]
    epochs = last.arrays["training/epochs"].tolist()
    assert epochs[:11] == list(range(11))
    vectors = last.arrays["training/dynamics/vectors"]
    assert vectors.shape == (len(epochs), 6, 12, 64)
    moved = np.abs(np.diff(vectors, axis=0)).max((1, 2, 3))
    assert (moved > 0).all()
    distances = [row for row in last.layers if row["name"] == "relative_distance" and row["network"] == 0]
    assert [row["epoch"] for row in distances if row["arm"] == "replicate"] == epochs
    assert min(row["value"] for row in distances) == 0
    assert last.arrays["level_0/spectrum/eigenvalues/layers.0"].shape == (6, 12)


def test_options_of_a_measure() -> None:
    said = {"measures": "margins+sharpness", "measures.margins.quantile": 0.5}
    from trainables.config import TrialConfig
    from trainables.dotted import unflatten

    made = TrialConfig.model_validate(unflatten(said))
    assert made.flat()["measures"] == "margins+sharpness"
    assert made.flat()["measures.margins.quantile"] == 0.5
    assert TrialConfig.model_validate(unflatten(made.flat())) == made
    assert made.dense_fingerprint() == TrialConfig().dense_fingerprint()
    assert made.fingerprint() != TrialConfig().fingerprint()
    measures = measures_of(made.measures)
    assert measures["margins"].quantile == 0.5  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ({"measures": "norm"}, ["measures", "Did you mean 'norms'"]),
        ({"measures": "none+norms"}, ["measures", "leave it out"]),
        ({"measures": "norms+norms"}, ["there twice"]),
        ({"measures.spectrum.top": 3}, ["measures.spectrum", "need measures=…+spectrum", "default"]),
        ({"measures": "margins", "measures.margins.quantile": 2}, ["measures.margins.quantile", "less than 1"]),
    ],
)
def test_what_measures_can_not_be(values: dict[str, object], parts: list[str]) -> None:
    from tests.unit.test_config import refusal

    said = refusal(values)
    for part in parts:
        assert part in said
