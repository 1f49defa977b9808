"""Rooms of the service, and of a trial, lie above each other: what a file imports lies further down, wherever in it."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.contracts.test_import_rules import MODULES, ROOT

# Bottom up; rooms of one row do not know each other. `python study/launch.py` starts at the top.
SERVICE = (
    ("clock", "errors", "lazy", "passwords", "crash_points", "private", "lasting", "stop_flag", "tested_versions"),
    ("printable", "trust", "sampling", "stopping", "address_space"),
    ("config",),
    ("ledger", "answer"),
    ("proposing", "storing", "report", "events"),
    ("settings", "costs", "tracking"),
    ("execution",),
    ("display",),
    ("operations",),
    ("commands", "api"),
    ("cli", "__init__"),
    ("launch", "alias"),
)
# Likewise of a trial: words and files, configurations, networks, their data, what looks at and trains them, compresses
# them, sums up; folders of entries lie above what their entries are made of.
TRIAL = (
    ("__init__", "dotted", "seeding", "statistics", "errors", "pausing", "moving", "listing", "record", "again"),
    ("storage", "compressibility", "precision", "memory", "opening"),
    ("checkpoints", "problems", "device"),
    ("spelling", "dense_store", "halving", "probing"),
    ("explain", "registry"),
    ("parts",),
    ("config",),
    ("stack",),
    ("data",),
    ("looking", "input_files", "datasets", "noises", "input_kinds"),
    ("measures", "training", "models"),
    ("progress", "optimizers", "schedules", "tasks"),
    ("workspace",),
    ("compression", "failing", "convolving"),
    ("measuring", "export"),
    ("summary", "recalibration", "costs", "recording"),
    ("looks",),
    ("dense_training",),
    ("trial",),
)
HEIGHTS = {
    package: {room: height for height, row in enumerate(rows) for room in row}
    for package, rows in {"study": SERVICE, "trainables": TRIAL}.items()
}


def dotted(path: Path) -> str:
    """The name of a module, of a package without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


FILES = {dotted(path): path for path in MODULES}


# Imported by name when a configuration is made, whoever makes it: what goes together is known by entries, and those are
# made of rooms above it.
LATE = {("trainables.config.trial", "trainables.compression.combinations")}


def neighbours(module: str) -> Iterator[str]:
    """Modules of ours that a file imports, for type checking, in functions and by a written name included."""
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in FILES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (name.value for name in node.args[:1] if isinstance(name, ast.Constant))


EVERY = {module: {name for name in neighbours(module) if name in FILES and name != module} for module in FILES}
GRAPH = {module: {name for name in names if (module, name) not in LATE} for module, names in EVERY.items()}


def package(module: str) -> str:
    """The top level that a module is in."""
    return module.partition(".")[0]


def room(module: str) -> str:
    """The room, or the loose file, of a module."""
    return [*module.split("."), "__init__"][1]


@pytest.mark.parametrize("of", HEIGHTS)
def test_every_room_has_its_place(of: str) -> None:
    assert {room(module) for module in FILES if package(module) == of} == set(HEIGHTS[of])


@pytest.mark.parametrize("module", [module for module in FILES if package(module) in HEIGHTS])
def test_imports_point_down(module: str) -> None:
    heights, here = HEIGHTS[package(module)], room(module)
    others = {name: room(name) for name in GRAPH[module] if package(name) == package(module) and room(name) != here}
    assert [name for name, there in others.items() if heights[there] >= heights[here]] == []


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, the first once more at the end; [] if none do."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


def test_what_is_imported_late_could_not_be_at_once() -> None:
    for module, name in LATE:
        assert name in EVERY[module], "else it is none"
        assert circle({**GRAPH, module: {*GRAPH[module], name}}), "else it is imported like everything"


def test_no_files_import_each_other_in_a_circle() -> None:
    assert len(circle({"a": {"b"}, "b": {"a"}})) == 3, "one is found where there is one"
    assert circle(GRAPH) == []


def test_looking_at_results_loads_nothing_that_runs_studies() -> None:
    """`ockham report` and `study.load` are for machines without a cluster, too."""
    reachable, waiting = set(), {"study.report", "study.answer", "study.ledger"}
    while waiting:
        module = waiting.pop()
        reachable.add(module)
        waiting |= GRAPH[module] - reachable
    assert {room(module) for module in reachable if module.startswith("study")} & {"execution", "tracking"} == set()
