"""Studies side by side, and the page of replications: from ledgers and files alone."""

import csv
import html
import io
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from search_spaces import catalog
from search_spaces.claims import AtLeast, AtMost, Equivalent, Exactly, Greater, Less
from study.cli import main
from study.ledger import Ledger, Proposal
from study.ledger.place import Place
from study.operations import replicating
from study.report.comparison import comparison_page, curves
from study.settings.loading import LaunchOptions, load_study
from tests.unit.cli_ledgers import ledger
from tests.unit.report_frames import Recipe, make
from trainables.record import Record

pytestmark = pytest.mark.slow


def recorded(home: Path, differences: list[float], name: str = "fit_time", **options: object) -> None:
    """A named study with that many complete trials of uniform noise, their clean twins that much faster."""
    asked: dict[str, Any] = {"source": name, "size": "small", "run": {"home": home}, **options}
    config = load_study(LaunchOptions(**asked)).config
    config.directory.mkdir(parents=True)
    made = Ledger.create(config.ledger_url, config)
    made.acquire()
    made.propose([Proposal({"data.label_noise": 1.0, "data.noise_kind": "uniform"}) for _ in differences])
    for number, difference in enumerate(differences):
        made.start_attempt(number)
        metrics = {"train/epochs_to_fit": 50.0 + difference, "control/train/epochs_to_fit": 50.0}
        made.record(number, 1, [Record("summary", 0, metrics)])
        made.finish(number, 1, "COMPLETE")
    made.release()
    made.close()


def test_all_studies_of_a_home_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, [40.0 + number for number in range(12)])
    ledger(tmp_path).close()
    assert main(["compare", "--home", str(tmp_path), "--format", "json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["name"], first["ended"], first["trials"]) == ("fit_time", 12, 48)
    assert (second["name"], second["findings"]) == ("small", [])
    (pooled,) = [row for row in first["findings"]
                 if (row["claim"], row["condition"]) == ("memorising_takes_longer", "pooled")]  # fmt: skip
    assert pooled["estimate"] == pytest.approx(-45.5)
    assert (pooled["verdict"], pooled["n"]) == ("supported", 12)
    assert pooled["interval"][0] < -45.5 < pooled["interval"][1] < -1
    assert pooled["published"] == "random labels take a small constant factor longer"
    assert main(["compare", "fit_time", "--home", str(tmp_path), "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["study"] for row in rows} == {"fit_time"}
    assert [float(row["estimate"]) for row in rows if row["estimate"]] == pytest.approx([-45.5, -45.5])
    assert main(["compare", "--home", str(tmp_path)]) == 0
    assert "claims nothing" in capsys.readouterr().out
    assert main(["compare", "absent", "--home", str(tmp_path)]) == 2


def test_the_page_of_a_comparison_has_every_claim(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, [40.0 + number for number in range(12)])
    page = tmp_path / "compared.html"
    assert main(["compare", "--home", str(tmp_path), "--page", str(page)]) == 0
    said = page.read_text(encoding="utf-8")
    lines = [re.sub("<[^>]+>", "|", line) for line in re.findall(r"<tr.*?</tr>", said, flags=re.DOTALL)]
    cells = [[html.unescape(cell.strip()) for cell in line.split("|") if cell.strip()] for line in lines]
    whole = "Clean twins fit their labels in fewer epochs."
    pooled = cells.index(next(line for line in cells if line[0] == whole))
    assert cells[pooled][1].startswith("random labels take a small constant factor")
    assert cells[pooled][2:5] == ["supported", "< 0, by ≥ 1", "−45.50"]
    assert [line[0] for line in cells[pooled + 1 : pooled + 4]] == ["noise 0.25", "noise 0.5", "noise 1"]
    assert ["Renamed classes take as many epochs as true ones.", "placebo"] in [line[:2] for line in cells]
    capsys.readouterr()


def test_curves_of_studies_lie_over_each_other() -> None:
    config, _, networks = make(Recipe(noise=(0.5, 1.0)))
    other, _, clean = make(Recipe(noise=(0.0,), control=False))
    panels, legend = curves({"noisy": (config, networks), "clean": (other, clean)})
    assert [panel.label for panel in panels] == ["Networks with true labels", "Networks with noisy labels"]
    assert [key.text for key in legend] == ["noisy", "clean"]
    true, noisy = (panel.inner(tips_as_titles=True) for panel in panels)
    assert "noisy\n" in noisy
    assert "clean\n" not in noisy, "it has no noisy networks"
    assert "noisy\n" in true, "its clean twins"
    assert "clean\n" in true
    assert curves({"nothing": (config, pd.DataFrame({"trial": []}))}) == ([], [])
    assert "<figure>" not in comparison_page([], {"nothing": (config, pd.DataFrame({"trial": []}))})


def test_the_page_of_replications_is_what_is_recorded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recorded(tmp_path, [40.0 + number for number in range(12)])
    recorded(tmp_path, [1.0], name="update_projection", seed=5)
    asked = ["replicate", "fit_time", "update_projection", "width", "--only-write", "--home", str(tmp_path)]
    assert main(asked) == 0
    said = (tmp_path / "REPLICATIONS.md").read_text(encoding="utf-8")
    assert "    ockham launch fit_time --size small" in said
    assert "12 of 48 trials" in said
    assert "| Clean twins fit their labels in fewer epochs. (pooled) | random labels take" in said
    assert "| < 0" in said
    assert "**supported** | −45.5" in said
    assert "- `width`: not run yet" in said
    assert "- `update_projection`: recorded before its declaration changed" in said
    assert "Together: 1 open" in said or "1 supported" in said
    assert said.endswith("\n")
    assert not said.endswith("\n\n")
    capsys.readouterr()


def test_a_size_that_is_not_the_studys_own_is_found_under_the_name_that_it_has(tmp_path: Path) -> None:
    size = "large"
    recorded(tmp_path, [40.0 + number for number in range(12)], name="fit_time", size=size)
    assert main(["replicate", "fit_time", "--size", size, "--only-write", "--home", str(tmp_path)]) == 0
    said = (tmp_path / "REPLICATIONS.md").read_text(encoding="utf-8")
    assert "## fit_time\n" in said
    assert "    ockham launch fit_time --size large" in said
    assert "12 of " in said


def test_a_section_says_what_its_verdicts_are_to_be_read_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, [40.0 + number for number in range(12)])
    noted = catalog.study("fit_time").model_copy(update={"notes": ("Protocol changed after a first run.",)})
    monkeypatch.setattr(catalog, "study", lambda _name: noted)
    assert main(["replicate", "fit_time", "--only-write", "--home", str(tmp_path)]) == 0
    said = (tmp_path / "REPLICATIONS.md").read_text(encoding="utf-8")
    section = said.split("## fit_time")[1]
    assert section.index("ockham launch") < section.index("Note: Protocol changed after a first run.")


def test_a_section_from_another_home_stays_while_its_declaration_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    write = ["replicate", "fit_time", "width", "--only-write", "--out", str(page), "--home"]
    recorded(tmp_path / "first", [40.0 + number for number in range(48)], trials=48)
    assert main([*write, str(tmp_path / "first")]) == 0
    before = page.read_text(encoding="utf-8")
    assert main([*write, str(tmp_path / "empty")]) == 0
    assert page.read_text(encoding="utf-8") == before, "nothing is recorded in the other home"
    recorded(tmp_path / "third", [80.0 + number for number in range(12)])
    assert main([*write, str(tmp_path / "third")]) == 0
    assert page.read_text(encoding="utf-8") == before, "what is finished stays in the stead of what is not"
    recorded(tmp_path / "fourth", [80.0 + number for number in range(48)], trials=48)
    assert main([*write, str(tmp_path / "fourth")]) == 0
    after = page.read_text(encoding="utf-8")
    assert "−103.5" in after
    page.write_text(after.replace('"fit_time": "', '"fit_time": "0'), encoding="utf-8")
    assert main([*write, str(tmp_path / "empty")]) == 0
    assert "- `fit_time`: not run yet" in page.read_text(encoding="utf-8"), "it is of another declaration"
    page.write_bytes(b"\xff\xfe")
    assert main([*write, str(tmp_path / "empty")]) == 2
    assert "no page of replications" in " ".join(capsys.readouterr().err.split())


def test_one_that_fails_is_left_and_one_that_is_interrupted_ends_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = {"fit_time": 3, "width": 130, "xor": 0}
    monkeypatch.setattr(
        replicating, "_command", lambda _place, name, *_more: [sys.executable, "-c", f"raise SystemExit({codes[name]})"]
    )
    said: list[str] = []
    place = Place(home=tmp_path, ledger=None, tracking_uri=None, storage=None)
    code = replicating.replicate(place, list(codes), "small", None, None, run=True, say=said.append)
    assert code == 130
    assert any("fit_time ended with exit code 3" in line for line in said)
    assert any("Stopped at width" in line for line in said)
    assert not any(line.startswith("xor") for line in said)
    assert (tmp_path / "REPLICATIONS.md").exists()


@pytest.mark.parametrize(("end", "code", "runs_on"), [(signal.SIGKILL, 137, True), (signal.SIGINT, 130, False)])
def test_one_that_a_signal_ended_has_not_succeeded(
    end: signal.Signals, code: int, runs_on: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [
        sys.executable,
        "-c",
        f"import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), {int(end)})",
    ]
    monkeypatch.setattr(replicating, "_command", lambda *_: words)
    said: list[str] = []
    place = Place(home=tmp_path, ledger=None, tracking_uri=None, storage=None)
    assert replicating.replicate(place, ["fit_time", "xor"], "small", None, None, run=True, say=said.append) == code
    assert any(line.startswith("xor,") for line in said) == runs_on


def test_what_has_ended_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded(tmp_path, [1.0] * 12, trials=12)
    monkeypatch.setattr(replicating, "_command", lambda *_: [sys.executable, "-c", "raise SystemExit(9)"])
    place = Place(home=tmp_path, ledger=None, tracking_uri=None, storage=None)
    assert replicating.replicate(place, ["fit_time"], "small", None, None, run=True, say=lambda _: None) == 0


@pytest.mark.parametrize(
    ("comparison", "words"),
    [
        (Greater(), "> 0"),
        (Greater(than=1, matters=0.2), "> 1, by ≥ 0.2"),
        (Less(than=-0.5), "< −0.5"),
        (Less(matters=0.02), "< 0, by ≥ 0.02"),
        (Equivalent(to=1, matters=0.2), "1 ± 0.2"),
        (AtLeast(bound=0.9), "≥ 0.9"),
        (AtMost(bound=0.25), "≤ 0.25"),
        (Exactly(count=3), "= 3, always"),
    ],
)
def test_what_an_estimate_has_to_be_is_said_shortly(comparison: Any, words: str) -> None:
    assert comparison.target == words
