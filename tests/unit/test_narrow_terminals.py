"""What newcomers look at first fits a terminal of 80 columns: nothing is cut off, no word folded into letters."""

import re
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from search_spaces import catalog
from search_spaces.recorded import core_minutes
from study.cli import main
from study.commands.examples_table import example_tables
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
    took = core_minutes()
    assert took, "the page that ships is read"
    for name in catalog.names():
        place, first = next((place, line) for place, line in enumerate(lines) if re.match(rf" +{name} ", line))
        minutes = f"{took[name, 'small']:.0f}" if (name, "small") in took else "–"
        assert first.split()[2] == minutes
        title = catalog.get(name).title
        assert " ".join(" ".join(lines[place + 1 : place + 5]).split()).startswith(title)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_comparisons_keep_names_and_numbers(
    width: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", f"{width}")
    recorded(tmp_path, [40.0, 41.0, 42.0], name="hard_but_learnable")
    assert main(["compare", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert max(map(len, said.splitlines())) <= width
    claims = catalog.get("hard_but_learnable").claims
    assert all(claim.name in said for claim in claims)
    words = " ".join(said.split())
    assert words.count("2 are needed") == len(claims), "what is said of each is there to its end"
    assert words.count("(placebo)") == sum(claim.role == "placebo" for claim in claims)


EXAMPLE = {
    "example": 59_999, "label": 10, "true_label": 10, "memorisation": -0.25, "se": 0.05, "true_memorisation": -1.0,
    "learned": 10.5, "forgotten": 10.25, "lost_at": 0.67, "given": 120, "left_out": 110,
}  # fmt: skip
_NUMBERS = "59999 10 10 -0.25 0.05 -1.00 10.50 10.25 0.67 120 110"


@pytest.mark.parametrize("width", [40, 60, 80, 90, 160])
@pytest.mark.parametrize("extra", [{}, {"influence": 0.5, "certain": True, "on_test": 12_345, "file": "[b]/a.png"}])
def test_examples_lose_no_number(width: int, extra: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(width=width)
    tables = [*example_tables(pd.DataFrame([EXAMPLE | extra]), width)]
    for table in tables:
        console.print(table)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    rows = [line.split() for line in lines if line.strip().startswith("59999")]
    assert len(rows) == len(tables)
    there = [cell for row in rows for cell in row[1:]]
    assert there == [*_NUMBERS.split()[1:], *(["0.50*", "12345", "[b]/a.png"] if extra else [])]
    assert len(tables) == 1 or width < (160 if extra else 80)


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


@pytest.mark.parametrize(
    "mark",
    [
        '{"identities": {"a": "1"}, "size": "small"}',
        '{"identities": {"a": "1"}, "size": "small", "core_minutes": null}',
        '{"identities": 7, "size": "small", "core_minutes": 1.0}',
        '{"core_minutes": 1.0}',
        "{not json}",
    ],
)
def test_a_section_that_cannot_be_read_takes_no_other_with_it(mark: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    good = '<!-- recorded {"identities": {"b": "2"}, "size": "small", "core_minutes": 2.5} -->'
    page.write_text(f"## a\n<!-- recorded {mark} -->\n\n## b\n{good}\n")
    assert core_minutes(page) == {("b", "small"): 2.5}
    page.write_bytes(b"\xff\xfe")
    core_minutes.cache_clear()
    assert core_minutes(page) == {}
