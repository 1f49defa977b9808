"""The architecture's rules that can be read from the source."""

import ast
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("study", "trainables", "search_spaces")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
SOURCES = sorted([*MODULES, *(ROOT / "tests").rglob("*.py")])
BANNED_IN_TRAINABLES = {"ray", "optuna", "mlflow", "study", "search_spaces"}
# trainables' torch-free part, from which a space is checked.
ALLOWED_IN_SEARCH_SPACES = {
    "trainables.config",
    "trainables.dotted",
    "trainables.compression.interfaces",
    "trainables.listing",
    "trainables.registry",
    "trainables.spelling",
    "trainables.explain",
    "trainables.problems",
    "trainables.parts",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> set[str]:
    """Dotted names of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", [p for p in MODULES if "trainables" in p.parts], ids=name_of)
def test_trainables_know_nothing_of_the_service(path: Path) -> None:
    assert not {module.split(".")[0] for module in imports(path)} & BANNED_IN_TRAINABLES


@pytest.mark.parametrize("path", [p for p in MODULES if "search_spaces" in p.parts], ids=name_of)
def test_search_spaces_need_configurations_only(path: Path) -> None:
    for module in imports(path):
        top = module.split(".")[0]
        if top == "trainables":
            assert module in ALLOWED_IN_SEARCH_SPACES
        elif top == "optuna":
            assert module == "optuna.distributions"
        else:
            assert top in {"pydantic", "search_spaces"} or top in sys.stdlib_module_names


def test_no_module_of_study_shadows_another() -> None:
    """`python study/launch.py` puts study/ first on the path."""
    mine = {path.stem for path in (ROOT / "study").iterdir() if path.suffix == ".py" or path.is_dir()}
    others = set(sys.stdlib_module_names) | (set(packages_distributions()) - {*PACKAGES, "tests"})
    assert mine & others <= {"__init__", "__pycache__"}


def test_nothing_is_called_utils() -> None:
    assert [name_of(path) for path in SOURCES if path.stem in {"utils", "util", "helpers", "misc"}] == []


def test_no_file_is_longer_than_300_lines() -> None:
    assert [name_of(path) for path in SOURCES if len(path.read_text().splitlines()) > 300] == []


def test_names_of_test_files_are_unique() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_public_name_has_a_docstring(path: Path) -> None:
    tree = ast.parse(path.read_text())
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    methods = [
        method
        for node in nodes
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    ]
    public = [node for node in [*nodes, *methods] if not node.name.startswith("_")]
    assert [node.name for node in public if ast.get_docstring(node) is None] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_is_longer_than_60_lines(path: Path) -> None:
    functions = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
    assert [f.name for f in functions if (f.end_lineno or 0) - f.body[0].lineno >= 60] == []
