"""Ψ and conditional mutual information: what mbe-eval says of the same configurations, and their intervals."""

import json

import numpy as np
import pytest

from study.answer.pairwise import Configurations, cmi, encode_values, psi
from tests.golden.gap_oracles import FIELDS, ORACLES, TRAINING, studies

SAID = json.loads(ORACLES.read_text())


@pytest.mark.parametrize("name", studies())
def test_psi_and_cmi_are_those_of_mbe_eval(name: str) -> None:
    frame, said = studies()[name], SAID[name]
    fields = {field: encode_values(frame[field].tolist()) for field in FIELDS}
    nobody = np.full(len(frame), np.nan)
    values = np.stack([frame["measure"], -frame["measure"], nobody])
    found = Configurations.from_units(
        values, frame["gap"].to_numpy(), np.zeros(len(frame), dtype=np.int64), fields, TRAINING
    )
    first, mirrored, absent = psi(found)
    assert first.value == pytest.approx(np.mean([said["taus"][axis] for axis in TRAINING]))
    assert mirrored.value == pytest.approx(-first.value)
    assert (absent.value, absent.reason) == (None, "all pairs are tied in the measure or in the gap")
    one_by_one = [psi(Configurations(found.values, found.gap, found.studies, fields, (axis,)))[0] for axis in FIELDS]
    if name != "some":
        assert [one.value for one in one_by_one] == pytest.approx([said["taus"][axis] for axis in FIELDS])
    information, _, absent = cmi(found)
    assert information.value == pytest.approx(said["cmi"])
    assert absent.value is None
    alone = Configurations(found.values, found.gap, found.studies, {}, ())
    assert cmi(alone)[0].value == pytest.approx(said["none"])


def test_their_intervals_hold_the_estimate_and_shrink() -> None:
    frame = studies()["whole"]
    fields = {field: encode_values(frame[field].tolist()) for field in FIELDS}
    values, gap = frame[["measure"]].to_numpy().T, frame["gap"].to_numpy()
    (wide,) = psi(Configurations.from_units(values, gap, np.zeros(48, dtype=np.int64), fields, TRAINING))
    assert wide.low is not None
    assert wide.value is not None
    assert wide.high is not None
    assert wide.low < wide.value < wide.high
    four = {name: np.tile(codes, 4) for name, codes in fields.items()} | {"more": np.repeat(np.arange(4), 48)}
    (narrow,) = psi(
        Configurations.from_units(np.tile(values, 4), np.tile(gap, 4), np.zeros(192, dtype=np.int64), four, TRAINING)
    )
    assert narrow.low is not None
    assert narrow.high is not None
    assert narrow.value == pytest.approx(wide.value)
    assert 0.3 < (narrow.high - narrow.low) / (wide.high - wide.low) < 0.7


def test_trainings_of_one_configuration_are_averaged_first() -> None:
    frame = studies()["whole"]
    fields = {field: encode_values(frame[field].tolist()) for field in FIELDS}
    values, gap, nowhere = frame[["measure"]].to_numpy().T, frame["gap"].to_numpy(), np.zeros(48, dtype=np.int64)
    apart = np.random.default_rng(0).normal(size=48)
    twice = {name: np.tile(codes, 2) for name, codes in fields.items()}
    both = Configurations.from_units(
        np.concatenate([values - apart, values + apart], axis=1), np.tile(gap, 2), np.tile(nowhere, 2), twice, TRAINING
    )
    assert both.values == pytest.approx(Configurations.from_units(values, gap, nowhere, fields, TRAINING).values)
    assert len(both.gap) == 48
