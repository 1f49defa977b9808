"""Objectives, constraints and stopping rules as they are written, and what is refused."""

import pytest

from study.config.goals import Constraint, Objective, Stopping


@pytest.mark.parametrize(
    ("text", "metric", "direction"),
    [
        ("val/accuracy", "val/accuracy", "maximize"),
        ("val/loss", "val/loss", "minimize"),
        ("control/val/loss:max", "control/val/loss", "maximize"),
        ("contrast/auc:min", "contrast/auc", "minimize"),
        ("cost/seconds", "cost/seconds", "minimize"),
        ("gap/val_accuracy", "gap/val_accuracy", "minimize"),
        ("control/val/r2", "control/val/r2", "maximize"),
        ("gap/val_r2", "gap/val_r2", "minimize"),
    ],
)
def test_objectives_as_text(text: str, metric: str, direction: str) -> None:
    objective = Objective.model_validate(text)
    assert (objective.metric, objective.direction) == (metric, direction)
    assert objective.sign == (1 if direction == "maximize" else -1)


@pytest.mark.parametrize(
    "text", ["test/accuracy", "gap/accuracy", "level/test_accuracy:max", "test/r2", "gap/r2", "val/loss:down", ":max"]
)
def test_objectives_that_can_not_be(text: str) -> None:
    with pytest.raises(ValueError, match=r"test data|write METRIC"):
        Objective.model_validate(text)


def test_constraints_as_text() -> None:
    most, least = Constraint.model_validate("cost/seconds:max=30"), Constraint.model_validate("val/accuracy:min=0.8")
    assert (str(most), str(least)) == ("cost/seconds:max=30", "val/accuracy:min=0.8")
    assert most.violation({"cost/seconds": 40}) == 10
    assert most.violation({"cost/seconds": 30}) == 0
    assert least.violation({"val/accuracy": 0.5}) == pytest.approx(0.3)
    assert least.violation({}) is None, "what is undefined is not kept"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost/seconds<=30", "METRIC:max=NUMBER"),
        ("cost/seconds:max=", "METRIC:max=NUMBER"),
        ("cost/seconds:max=soon", "number"),
        ("gap/loss:max=1", "test data"),
        ({"metric": "cost/seconds"}, "one bound"),
        ({"metric": "cost/seconds", "min": 1, "max": 2}, "one bound"),
    ],
)
def test_constraints_that_can_not_be(text: object, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Constraint.model_validate(text)


@pytest.mark.parametrize(
    "metric", ["val/accuracy", "control/val/loss", "train/changed_accuracy", "gap/val_accuracy", "val/r2"]
)
def test_stopping_goes_by_what_is_known_while_networks_train(metric: str) -> None:
    assert Stopping.model_validate({"metric": metric}).metric.metric == metric


def test_grace_is_a_sixteenth_of_the_training() -> None:
    assert [Stopping().epochs_of_grace(epochs) for epochs in (2, 40, 400)] == [1, 2, 25]
    with pytest.raises(ValueError, match="leave nothing to stop"):
        Stopping(grace=9).epochs_of_grace(9)
