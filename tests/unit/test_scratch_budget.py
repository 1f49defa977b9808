"""How long and with which rate recovered networks, and the fresh ones beside them, train."""

from typing import Any

import pytest

from tests import engine
from trainables.compression.scratch import epochs_of_all_levels, epochs_on_the_way
from trainables.config import TrainingConfig
from trainables.workspace import Workspace

FINETUNE = {"compression.recovery": "finetune", "compression.recovery_epochs": 3, "training.lr": 0.1}
Trained = dict[str, list[TrainingConfig]]


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> Trained:
    """Name of a training after the dense one → its recipe, level by level."""
    fit, found = Workspace.fit, Trained()

    def noted(
        workspace: Workspace, name: str, stack: Any, examples: Any, recipe: TrainingConfig, *rest: Any, **more: Any
    ) -> Any:
        found.setdefault(name, []).append(recipe)
        return fit(workspace, name, stack, examples, recipe, *rest, **more)

    monkeypatch.setattr(Workspace, "fit", noted)
    return found


def epochs(recipes: list[TrainingConfig]) -> list[int]:
    return [recipe.epochs for recipe in recipes]


def test_what_was_so_before_is_so_by_default(trained: Trained) -> None:
    engine.records(engine.config(**FINETUNE, **{"training.schedule": "cosine"}))
    assert epochs(trained["recovery"]) == [2, 1]
    assert epochs(trained["scratch"]) == [2, 3]
    assert {(r.lr, r.schedule) for recipes in trained.values() for r in recipes} == {(0.1, "constant")}


@pytest.mark.parametrize(("budget", "expected"), [("dense", [5, 5]), ("total", [7, 8])])
def test_fresh_networks_train_as_long_as_it_took(budget: str, expected: list[int], trained: Trained) -> None:
    fields = {"compression.scratch_budget": budget, "compression.recovery_lr": 0.01, "training.schedule": "cosine"}
    fields |= {"training.warmup_epochs": 1.0, "training.stop_at_train_loss": 0.001}
    records = engine.records(engine.config(**FINETUNE, **fields))
    assert epochs(trained["scratch"]) == expected
    for recipe in trained["scratch"]:
        assert (recipe.lr, recipe.schedule, recipe.warmup_epochs) == (0.1, "cosine", 1.0), "as dense networks train"
        assert recipe.stop_at_train_loss is None
    assert {recipe.lr for recipe in trained["recovery"]} == {0.01}
    rows = [row for row in records[-1].networks if row["arm"] == "scratch_replicate" and row["level"] > 0]
    assert [row["epochs"] for row in rows if row["network"] == 0] == expected
    assert "baseline/scratch_auc" in records[-1].metrics or "undefined/baseline/scratch_auc" in records[-1].notes


def test_a_budget_counts_what_dense_networks_really_trained(trained: Trained) -> None:
    stopping = {"training.epochs": 60, "training.stop_at_train_accuracy": 0.5, "data.label_noise": 0.0}
    records = engine.records(engine.config(**{**FINETUNE, **stopping}, **{"compression.scratch_budget": "dense"}))
    dense = max(row["epochs"] for row in records[-1].networks if row["level"] == 0)
    assert dense < 60
    assert epochs(trained["scratch"]) == [dense, dense]


@pytest.mark.parametrize("recovery", ["finetune", "rewind"])
def test_a_recovery_has_its_own_rate_and_schedule(recovery: str, trained: Trained) -> None:
    fields = {
        "compression.recovery": recovery,
        "compression.recovery_lr": 0.02,
        "compression.recovery_schedule": "step",
    }
    engine.records(engine.config(**{**FINETUNE, **fields}))
    assert {(r.lr, r.schedule) for recipes in trained.values() for r in recipes} == {(0.02, "step")}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"compression.recovery": "rewind", "compression.recovery_epochs": 5}, [3, 5]),
        ({"compression.method": "distill", "compression.distill.epochs": 4}, [4, 8]),
        ({"compression.method": "group_sparse", "compression.group_sparse.epochs": 4, **FINETUNE}, [6, 11]),
        ({"compression.method": "hypernet", "compression.hypernet.epochs": 4}, [4, 4]),
    ],
)
def test_all_training_on_the_way_to_a_level_is_counted(fields: dict[str, Any], expected: list[int]) -> None:
    compression = engine.config(**fields).compression
    assert [epochs_on_the_way(compression, level) for level in (1, 2)] == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"compression.recovery": "rewind", "compression.recovery_epochs": 5},
        {"compression.method": "distill", "compression.distill.epochs": 4},
        {"compression.method": "group_sparse", "compression.group_sparse.epochs": 4, **FINETUNE},
        {"compression.method": "hypernet", "compression.hypernet.epochs": 4},
    ],
)
def test_a_dry_run_counts_the_epochs_that_all_levels_train(fields: dict[str, Any], trained: Trained) -> None:
    config = engine.config(**fields)
    engine.records(config)
    made = [recipe.epochs for name, recipes in trained.items() if name != "scratch" for recipe in recipes]
    assert epochs_of_all_levels(config.compression) == sum(made)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"compression.recovery_lr": 0.1}, "recovery=none trains nothing; use recovery=finetune"),
        ({"compression.recovery_schedule": "cosine"}, "recovery=none trains nothing"),
        ({"compression.scratch_budget": "dense"}, "trains none; use recovery=finetune"),
        ({**FINETUNE, "compression.recovery_schedule": "cosin"}, "Did you mean 'cosine'"),
        ({**FINETUNE, "compression.recovery_lr": 0.0}, "greater than 0"),
        ({**FINETUNE, "compression.scratch_budget": "all"}, "'recovery', 'dense' or 'total'"),
    ],
)
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        engine.config(**fields)


def test_fingerprints_of_trials_from_before_are_the_same() -> None:
    plain, said = engine.config(**FINETUNE), {"compression.scratch_budget": "recovery", "compression.recovery_lr": None}
    assert engine.config(**FINETUNE, **said).fingerprint() == plain.fingerprint()
    assert engine.config(**FINETUNE, **{"compression.scratch_budget": "total"}).fingerprint() != plain.fingerprint()
