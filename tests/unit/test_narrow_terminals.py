"""What newcomers look at first fits a terminal of 80 columns: nothing is cut off, no word folded into letters."""

import re
from pathlib import Path

import pandas as pd
import pytest

from search_spaces import catalog
from search_spaces.recorded import core_minutes
from study.cli import main
from study.commands.examples_table import examples_table
from study.display import terminal
from study.operations.comparing import ComparedStudy
from tests.unit.test_comparing import recorded

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def shown(capsys: pytest.CaptureFixture[str], *command: str) -> list[str]:
    """The lines that a command prints, none of which is too long or cut off."""
    assert main([*command]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if re.search(r"\w…", line)]
    return lines


def test_the_list_of_studies_says_what_each_asks_and_takes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "spaces")
    said = " ".join(lines)
    for name in catalog.names():
        first = next(line for line in lines if re.match(rf" +{name} ", line))
        words = catalog.get(name).title.split()
        assert words[0] in first
        assert max(words, key=len) in said, "no word is folded"
        assert f" {core_minutes()[name, 'small']:.0f} " in first


def test_comparisons_keep_names_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, [40.0, 41.0, 42.0], name="hard_but_learnable")
    lines = shown(capsys, "compare", "--home", str(tmp_path))
    first = [line.split()[0] for line in lines if line.strip()]
    assert {"hard_but_learnable", *(claim.name for claim in catalog.get("hard_but_learnable").claims)} <= set(first)


def test_examples_keep_their_heads(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = {"memorisation": -0.25, "se": 0.05, "true_memorisation": -1.0, "learned": 10.5, "forgotten": 10.25}
    row = {"example": 59_999, "label": 10, "true_label": 10, **numbers, "lost_at": 0.67, "given": 120, "left_out": 110}
    terminal().print(examples_table(pd.DataFrame([row])))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert {"example", "memorised", "forgotten", "in", "out"} <= set(" ".join(lines[:-1]).split())
    assert lines[-1].split() == ["59999", "10", "10", "-0.25", "0.05", "-1.00", "10.50", "10.25", "0.67", "120", "110"]


def test_what_a_study_took_is_read_from_finished_sections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, [40.0, 41.0])
    page = tmp_path / "REPLICATIONS.md"
    asked = ["replicate", "fit_time", "--only-write", "--home", str(tmp_path)]
    assert main(asked) == 0
    assert core_minutes(page) == {}, "two of 48 trials say little of what all take"
    core_minutes.cache_clear()
    monkeypatch.setattr(ComparedStudy, "is_finished", True)
    assert main(asked) == 0
    took = core_minutes(page)
    assert list(took) == [("fit_time", "small")]
    assert f"2 of 48 trials, {took['fit_time', 'small']:.1f} core-minutes" in page.read_text(encoding="utf-8")
    assert core_minutes(tmp_path / "absent.md") == {}
