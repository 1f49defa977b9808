"""Adding a run option, a sampler, a method or a claim takes one file: shown with one of each, in a temporary folder."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

from study.answer.deciding import verdicts
from study.answer.standing import Standing
from study.answer.verdict import Verdicts
from study.cli import main
from study.commands import run_options
from study.config import RunConfig, StudyConfig
from study.config.options import Option
from study.execution.finishing import gist
from study.proposing import Proposer
from study.report.claims import claims_block
from study.sampling.interfaces import SAMPLERS
from study.settings.goals import check_claims
from study.settings.loading import LaunchOptions, load_study
from tests import engine
from trainables.compression.interfaces import METHODS
from trainables.listing import names_in

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

from trainables.compression.interfaces import CompressionResult, Method


class Last(Method):
    reports: ClassVar[tuple[str, ...]] = ("units_left",)

    def compress(self, workspace, level):
        stack = level.previous
        kept = [torch.arange(width).repeat(stack.networks, 1) for width in level.widths]
        left = torch.full((stack.networks,), float(sum(level.widths)))
        yield
        return CompressionResult(stack.keep_units(kept), None, level.epochs, metrics={"units_left": left})


ENTRY = Last
'''

STUDY = '''"""Do wide networks compress further?"""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy
from search_spaces.quantities import Metric, Slope
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Do wide networks compress further?",
    base={"data.name": "digits", "data.label_noise": 0.5},
    span={"model.width": Choices(values=(16, 32))},
    trials=12,
    claims=(
        Claim(
            name="wider_compresses_further",
            says="Wider networks compress further.",
            quantity=Slope(of=Metric(metric="compressibility/auc"), over="model.width"),
            comparison=Greater(),
        ),
MORE    ),
)
STUDY = NamedStudy(space=SPACE)
'''
MORE = """        Claim(
            name="gaps_are_wide",
            says="Gaps are wider than a tenth.",
            quantity=Metric(metric="gap/accuracy"),
            comparison=Greater(than=0.1),
        ),
"""

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


def verdicts_in(study: StudyConfig) -> Verdicts:
    """Of twelve made-up trials: each width compresses as far as it is wide, all gaps are about 0.3."""
    rows = [
        {"number": n, "state": "COMPLETE", "role": "design", "data.label_noise": 0.5, "model.width": (16, 32)[n % 2]}
        | {"compressibility/auc": 0.2 + 0.3 * (n % 2) + 0.01 * n, "gap/accuracy": 0.3 + 0.01 * n}
        for n in range(12)
    ]
    trials = pd.DataFrame(rows)
    return verdicts(study.space, trials, trials.head(0), plan=trials, standing=Standing(12, 12, 12))


def test_a_claim_is_one_entry_of_its_study(add: Adding, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With it the study is another one, decides it, says it, and tells MLflow and the page: nothing else is touched."""
    add("search_spaces.named", "wide_ones", STUDY.replace("MORE", ""))
    without = load_study(LaunchOptions("wide_ones")).config
    (tmp_path / "wide_ones.py").write_text(STUDY.replace("MORE", MORE))
    sys.modules.pop("search_spaces.named.wide_ones")
    importlib.invalidate_caches()
    study = load_study(LaunchOptions("wide_ones")).config
    assert study.fingerprint() != without.fingerprint()
    assert {k: v for k, v in study.identity().items() if k != "claims"} == {
        k: v for k, v in without.identity().items() if k != "claims"
    }
    before, found = verdicts_in(without), verdicts_in(study)
    assert [one.claim for one in before.headlines] == ["wider_compresses_further"]
    assert {one.claim: one.verdict for one in found.headlines} == {
        "wider_compresses_further": "supported",
        "gaps_are_wide": "supported",
    }
    assert (before.family, found.family) == (1, 2), "they share the error"
    assert "Supported: Gaps are wider than a tenth." in found.as_text()
    assert gist(found)["claim.gaps_are_wide"].startswith("supported: 0.3")
    assert "Gaps are wider than a tenth." in claims_block(found)
    check_claims(study, study.space.claims)
    assert main(["spaces", "wide_ones"]) == 0
    assert "gaps_are_wide" in capsys.readouterr().out


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
