"""What a trial may report."""

import pytest

from trainables.record import Record


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_finite_is_absent_with_a_reason_wherever_it_enters(value: float) -> None:
    assert Record("dense", 3, {"train/loss": 0.5}).notes == {}
    record = Record("dense", 3, {"train/loss": value, "val/loss": 1.0}, {"train/stop_reason": "epochs x5"})
    assert record.metrics == {"val/loss": 1.0}
    assert record.notes == {"undefined/train/loss": f"came out as {value}", "train/stop_reason": "epochs x5"}
    assert Record("dense", 3, {"a": value}, {"undefined/a": "why"}).notes == {"undefined/a": "why"}
    rows = Record("summary", 0, networks=({"network": 0, "train_loss": value, "arm": "replicate"},)).networks
    assert rows == ({"network": 0, "train_loss": None, "arm": "replicate"},)


def test_rows_of_networks_come_with_the_summary() -> None:
    assert Record("summary", 0, networks=({"network": 0},)).networks
    with pytest.raises(ValueError, match="summary"):
        Record("level", 1, networks=({"network": 0},))
