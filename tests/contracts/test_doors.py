"""The driver meets the outside through doors: nothing else of its room knows Ray, MLflow, time or another process."""

import ast

import pytest

from tests.contracts.test_import_rules import MODULES, ROOT, imports, name_of

ROOM = ROOT / "study" / "execution"
INSIDE = [path for path in MODULES if path.is_relative_to(ROOM) and "on_ray" not in path.parts]
OUTSIDE = {"ray", "mlflow", "optuna", "time", "datetime", "psutil", "socket"}
SETS = ("study.execution.on_ray", "study.tracking.publishing")


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_the_drivers_logic_imports_nothing_from_outside(path: str) -> None:
    assert {module.split(".")[0] for module in imports(ROOT / path)} & OUTSIDE == set()


@pytest.mark.parametrize("path", [path for path in INSIDE if path.stem != "doors"], ids=name_of)
def test_only_one_file_knows_which_set_of_doors_is_the_usual_one(path: str) -> None:
    assert [module for module in imports(ROOT / path) if module.startswith(SETS)] == []


@pytest.mark.parametrize("folder", ["study/storing"])
def test_what_a_run_repeats_goes_by_the_clock_that_it_was_given(folder: str) -> None:
    for name in ("copying", "safekeeping"):
        assert "time" not in imports(ROOT / folder / f"{name}.py")


@pytest.mark.parametrize("path", INSIDE, ids=name_of)
def test_no_branch_asks_which_door_it_is(path: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    asks = [ast.unparse(call) for call in calls if call.func.id in {"isinstance", "hasattr"}]  # type: ignore[attr-defined]
    assert [ask for ask in asks if any(word in ask for word in ("executor", "clock", "tracker", "files"))] == []
