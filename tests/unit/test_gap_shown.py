"""`ockham measures --gap` and `handle.measures(gap=True)`, from a study's ledger and files."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from study import load
from study.answer.words import bare_p
from study.cli import main
from study.execution.results import networks_file
from study.ledger import Proposal
from study.ledger.place import Place
from study.operations.comparing import open_ledgers
from study.operations.replications_page import gap_section
from study.report.figures.gap_measures import gap_svg
from study.settings.measures import gap_across
from tests.studies_for_tests import a_ledger
from trainables.record import Record


@pytest.fixture
def measured_study(tmp_path: Path) -> list[str]:
    """A study of 24 complete trials with a measure that follows the gap; how to find it."""
    ledger = a_ledger(tmp_path, trials=24)
    points = [{"data.label_noise": noise, "model.width": width} for noise in (0, 0.5, 1) for width in (16, 32)]
    ledger.propose([Proposal(point) for point in points * 4])
    random = np.random.default_rng(9)
    for number in range(24):
        attempt = ledger.start_attempt(number)
        gap = number % 6 + random.normal()
        rows = [
            {"network": 0, "arm": "replicate", "level": 0, "measure/norms/path": gap, "measure/overlaps/best": None}
        ]
        record = Record("summary", 0, {"gap/accuracy": gap, "compressibility/auc": random.random()})
        with networks_file(ledger.config.directory, number, rows) as file:
            ledger.finish(number, attempt, "COMPLETE", records=[record], results=[file])
    ledger.release()
    return ["measures", "tiny", "--gap", "--home", str(tmp_path)]


def test_the_command_shows_it_in_every_form(
    measured_study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*measured_study, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["as_planned"], found["tested"], found["within"]) == (True, 2, ["noise"])
    first = found["rows"][0]
    assert (first["name"], first["found"], first["association"]["value"]) == ("norms/path", True, pytest.approx(1))
    assert main([*measured_study, "--out", str(tmp_path / "gap.csv")]) == 0
    table = pd.read_csv(tmp_path / "gap.csv").set_index("measure")
    assert table["association"]["norms/path"] == pytest.approx(1)
    assert table["reason"]["overlaps/best"] == "no network has this number"
    capsys.readouterr()
    assert main(measured_study) == 0
    shown = capsys.readouterr().out
    assert "norms/path *" in shown
    assert "1.00" in shown
    assert "1 of 2 measures tested are found to track the gap" in shown
    assert load("tiny", home=tmp_path).measures(gap=True)["measure"].tolist() == table.index.tolist()


def test_layers_and_gap_are_two_tables(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["measures", "any", "--gap", "--layers", "--home", str(tmp_path)]) == 2
    assert "two tables" in capsys.readouterr().err


def test_over_several_studies_and_as_a_picture(
    measured_study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = tmp_path / "one.svg", tmp_path / "two.svg"
    assert main([*measured_study, "--out", str(one)]) == 0
    assert "norms/path" in one.read_text(encoding="utf-8")
    assert main(["compare", "--gap", "--home", str(tmp_path), "--out", str(two)]) == 0
    assert two.read_text(encoding="utf-8") == one.read_text(encoding="utf-8"), "there is one study"
    assert main(["compare", "--gap", "--home", str(tmp_path / "empty")]) == 2
    assert "no study to compare" in capsys.readouterr().err
    for asked in (
        ["measures", "tiny", "--format", "svg"],
        ["compare", "--format", "svg"],
        ["compare", "--out", "x.svg"],
    ):
        capsys.readouterr()
        assert main([*asked, "--home", str(tmp_path)]) == 2
        assert "svg goes with --gap; add that" in " ".join(capsys.readouterr().err.split())


def test_q_reads_alike_in_the_table_the_picture_and_the_page(
    measured_study: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")  # of a narrow terminal, which folds lines
    with open_ledgers(Place(home=tmp_path), ["tiny"]) as (ledgers, _):
        found = gap_across(ledgers)
    small = replace(found, rows=tuple(replace(row, q=row.q and 0.0002) for row in found.rows))
    assert any(row.q for row in small.rows)
    assert "| <0.001 |" in gap_section({"tiny": ""}, small, "gap.svg").text
    assert "&lt;0.001" in gap_svg(small)
    assert bare_p(0.0002) == "<0.001"
    assert main(measured_study) == 0
    q = next(row.q for row in found.rows if row.is_discovery)
    assert bare_p(q) in capsys.readouterr().out
