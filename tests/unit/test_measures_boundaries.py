"""What measures say where there is little to see: dead and masked units, one of them, one network, few examples."""

from collections.abc import Mapping, Sequence

import pytest
import torch

from tests.engine import config, look, records, stack, taken
from trainables.looking.look import Look
from trainables.looking.measure import MEASURES, MeasureResult
from trainables.measures.ticket_structure import structure

pytestmark = pytest.mark.slow


def measured(name: str, seen: Look) -> MeasureResult:
    return taken(MEASURES.get(name)(), seen)


def test_units_without_incoming_weights_do_not_line_up() -> None:
    """Masked units do not count: the others have the numbers of a layer without them."""
    model = stack(2)
    tensors = {name: tensor.clone() for name, tensor in model.tensors().items()}
    tensors["layers.0.weight"][0, :, 12:] = 0
    found = measured("alignment", look(model.with_tensors(tensors)))
    vectors = tensors["layers.0.weight"][0, :, :12].double()
    unit = (vectors / vectors.norm(dim=0)).numpy()
    potential = found.layers["frame_potential"]["hidden_1"]
    assert potential[0].item() == pytest.approx(((unit.T @ unit) ** 2).sum() / 12**2)
    plain = measured("alignment", look(model))
    assert potential[1].item() == plain.layers["frame_potential"]["hidden_1"][1].item()
    assert found.layers["angle"]["hidden_1"][1].item() == pytest.approx(plain.layers["angle"]["hidden_1"][1].item())
    assert found.layers["angle"]["hidden_1"][0] < 90
    tensors["layers.0.weight"][0] = 0
    empty = measured("alignment", look(model.with_tensors(tensors)))
    assert empty.layers["angle"]["hidden_1"].isnan().tolist() == [True, False]
    assert empty.networks["frame_potential"][0] == empty.layers["frame_potential"]["hidden_2"][0]


def test_layers_of_zeros_have_no_spectrum() -> None:
    model = stack(2)
    tensors = {name: tensor.clone() for name, tensor in model.tensors().items()}
    tensors["layers.1.weight"][0] = 0
    found = measured("spectrum", look(model.with_tensors(tensors)))
    for name in ("spikes", "shuffled_spikes", "stable_rank", "soft_rank", "entropy"):
        assert found.layers[name]["layers.1"].isnan().tolist() == [True, False], name
    for tensor in tensors.values():
        tensor[0] = 0
    found = measured("spectrum", look(model.with_tensors(tensors)))
    for name in MEASURES.get("spectrum").reports:
        assert found.networks[name][0].isnan(), name
        assert found.undefined_reasons[name]


def test_one_unit_says_nothing_of_how_units_share() -> None:
    alone = structure(torch.tensor([[[True, False, True, True]]]))
    assert alone["dispersion"].isnan().all()
    assert alone["together"].item() == pytest.approx(1)
    single = structure(torch.tensor([[[True], [False], [True]]]))
    assert single["together"].isnan().all()
    assert single["empty"].item() == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "fields",
    [
        {"model__width": 1},
        {"replicates": 1},
        {"training__lr": 100.0},
        {"data__split": (12, 5, 10)},
        {"data__split": (30, 3, 10)},
        {"compression__granularity": "weight", "compression__target_ratio": 200.0, "compression__depth": 3},
        {"data__name": "xor"},
        {
            "data__name": "teacher",
            "data__teacher__task": "regression",
            "data__noise_kind": "permuted",
            "model__width": 1,
        },
    ],
    ids=[
        "one unit",
        "one network",
        "dead",
        "few examples",
        "few for validation",
        "zero rows",
        "two classes",
        "numbers",
    ],
)
def test_no_measure_fails_where_there_is_little_to_see(fields: dict[str, object]) -> None:
    """At every level; whatever is absent has its reason, and the reason fits."""
    every = {f"measures__{name}__when": "levels" for name in MEASURES.names() if name != "dynamics"}
    last = records(config(measures="all", **every, **fields))[-1]
    assert not [(name, note) for name, note in last.notes.items() if "failed:" in note]
    assert all(f"undefined/{name}" in last.notes for name in missing(last.metrics, last.networks))
    reasons = {name: note for name, note in last.notes.items() if name.startswith("undefined/measure/")}
    assert ("no clean twins" in reasons.get("undefined/measure/representations/cka_twin", "")) == (
        not any(row["arm"] == "control" for row in last.networks)
    )
    classes = "data__teacher__task" not in fields
    assert not (classes and any("numbers, not for classes" in note for note in reasons.values()))


def missing(metrics: Mapping[str, float], rows: Sequence[Mapping[str, object]]) -> set[str]:
    return {name for row in rows for name in row if name.startswith("measure/")} - set(metrics)
