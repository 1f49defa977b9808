"""What a trial may report."""

import pytest

from trainables.record import Record


def test_metrics_must_be_finite() -> None:
    assert Record("dense", 3, {"train/loss": 0.5}).notes == {}
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="train/loss"):
            Record("dense", 3, {"train/loss": value})


def test_rows_of_networks_come_with_the_summary() -> None:
    assert Record("summary", 0, networks=({"network": 0},)).networks
    with pytest.raises(ValueError, match="summary"):
        Record("level", 1, networks=({"network": 0},))
