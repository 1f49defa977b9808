"""Adding a run option, a sampler or a method takes one file: shown with one of each, from a temporary folder."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from study.commands import run_options
from study.config import RunConfig
from study.config.options import Option
from study.proposing import Proposer
from study.sampling.interfaces import SAMPLERS
from study.settings.loading import LaunchOptions, load_study
from tests import engine
from trainables.compression.interfaces import METHODS
from trainables.registry import names_in

SAMPLER = '''"""The lowest of everything."""

from search_spaces.space import Scalar, SearchSpace
from study.sampling.interfaces import LayoutSampler


class Corner:
    def __init__(self, space: SearchSpace) -> None:
        self._space = space

    def point(self, index: int) -> dict[str, Scalar]:
        return {name: spanned.corners()[0] for name, spanned in self._space.span.items()}


class Lowest(LayoutSampler):
    name = "lowest"

    def layout(self, space: SearchSpace, seed: int) -> Corner:
        return Corner(space)


ENTRY = Lowest
'''

METHOD = '''"""The last units of each layer go."""

from typing import ClassVar

import torch

from trainables.compression.interfaces import Compressed, Method


class Last(Method):
    reports: ClassVar[tuple[str, ...]] = ("units_left",)

    def compress(self, bench, level):
        stack = level.previous
        kept = [torch.arange(width).repeat(stack.networks, 1) for width in level.widths]
        left = torch.full((stack.networks,), float(sum(level.widths)))
        yield
        return Compressed(stack.keep_units(kept), None, level.epochs, metrics={"units_left": left})


ENTRY = Last
'''

Adding = Callable[[str, str, str], None]


@pytest.fixture
def add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Adding]:
    """Puts a file with an entry (package, name, text) where the package looks too, for the time of a test."""
    added = []

    def put(package: str, name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        module = importlib.import_module(package)
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(tmp_path)])
        names_in.cache_clear()
        added.append(f"{package}.{name}")

    yield put
    for name in added:
        sys.modules.pop(name, None)
    monkeypatch.undo()
    names_in.cache_clear()


def test_a_sampler(add: Adding) -> None:
    add("study.sampling.samplers", "lowest", SAMPLER)
    assert "lowest" in SAMPLERS.names()
    options = LaunchOptions(source=None, name="x", sampler="lowest", trials=2, settings=("model.width=16..64",))
    proposer = Proposer(load_study(options).config)
    assert [proposer.propose(number).params for number in range(2)] == [{"model.width": 16}] * 2


def test_a_method(add: Adding) -> None:
    add("trainables.compression.methods", "last", METHOD)
    assert "last" in METHODS.names()
    records = engine.records(engine.config(compression__method="last"))
    last = [row for row in records[-1].networks if row["level"] == 2]
    assert last
    assert all(row["val_accuracy"] is not None for row in last)
    assert "level/units_left" in {name for record in records for name in record.metrics}


def test_a_run_option(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(RunConfig):
        patience: Annotated[float, Option("5", "MINUTES")] = Field(5.0, gt=0, description="how long it waits")

    monkeypatch.setattr(run_options, "RunConfig", More)
    seen: list[dict[str, Any]] = []

    def command(*, run: dict[str, Any]) -> None:
        """Runs."""
        seen.append(run)

    app = typer.Typer()
    app.command()(run_options.with_run(command))
    assert CliRunner().invoke(app, ["--patience", "3"]).exit_code == 0
    assert seen == [{"patience": 3.0}]
    assert "How long it waits." in CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
