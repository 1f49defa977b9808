"""A home of an earlier version: a study of six trials, made before trials were keyed by dense cells.

Made by that version with `ockham launch redundancy --name elder --trials 6 --set replicates=3 --set model.width=48,96`,
`data.split=300+100+200`, `compression.depth=4`, `compression.target_ratio=8`; `before_cells.json` is what it said
of them, and of a seventh trial that it ran later.
"""

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

import study
from study.cli import main
from study.errors import StudyMismatch
from tests.in_process import no_ray

pytestmark = pytest.mark.slow

HOMES = Path(__file__).parent / "homes"
SAID: dict[str, Any] = json.loads((HOMES / "before_cells.json").read_text())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with tarfile.open(HOMES / "before_cells.tar.xz") as archive:
        archive.extractall(
            tmp_path, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {})
        )  # from 3.11.4 on
    return tmp_path


def test_it_says_what_it_said(home: Path) -> None:
    handle = study.load("elder", home=home)
    trials = handle.trials().set_index("number")
    for number, said in SAID["trials"].items():
        for name, value in said.items():
            found = trials.loc[int(number), name]
            assert found == (value if isinstance(value, str) else pytest.approx(value, rel=1e-12)), name
    assert len(handle.networks()) == 6 * 2 * 3 * 5
    found = handle.verdicts()
    overall = found.finding_of("memorising_breaks_earlier")
    assert overall.estimate == pytest.approx(sum(said["contrast/auc"] for said in SAID["trials"].values()) / 6)
    assert (overall.n, overall.unit, overall.verdict, overall.by) == (18, "network", "supported", "any time")
    assert overall.ahead == (18, 0.0, True)
    assert found.findings == (), "it claimed nothing before its data"
    assert "how many were planned at first is not known" in found.assurance


def test_its_report_is_written_without_what_trains_networks(home: Path) -> None:
    code = (
        "import sys; from study.cli import main; main(sys.argv[1:]); print({*sys.modules} & {'torch', 'scipy.stats'})"
    )
    line = [sys.executable, "-c", code, "report", "elder", "--home", str(home)]
    assert subprocess.run(line, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == "set()"
    assert (home / "elder" / "report" / "index.html").is_file()


def test_status_names_the_damage_that_hides_its_verdicts(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "elder" / "trials" / "0003" / "networks.parquet").write_bytes(b"PAR1")
    assert main(["status", "elder", "--home", str(home)]) == 0
    assert "trials/0003/networks.parquet" in capsys.readouterr().out
    assert main(["status", "elder", "--json", "--home", str(home)]) == 0
    assert "trials/0003/networks.parquet" in json.loads(capsys.readouterr().out)["damage"]


def test_a_trial_more_is_the_one_that_it_would_have_had(home: Path) -> None:
    """Its draws are keyed by trial numbers, its schedules stand still within an epoch: on one kind of machine alike."""
    with no_ray():
        again = study.resume("elder", home=home, trials="+1", progress=False, max_concurrent=1)
    row = again.trials().set_index("number").loc[6]
    said = SAID["seventh"]
    for name in ("data.label_noise", "compression.criterion", "model.width", "level/parameters"):
        assert row[name] == said[name]
    for name in ("val/accuracy", "gap/accuracy", "compressibility/auc", "contrast/auc"):
        assert row[name] == pytest.approx(said[name], abs=0.1), name
    unchanged = again.trials().set_index("number").loc[3, "contrast/auc"]
    assert unchanged == SAID["trials"]["3"]["contrast/auc"]
    shutil.rmtree(home)


def test_asked_for_otherwise_it_says_what_differs_and_how_to_go_on(home: Path) -> None:
    with pytest.raises(StudyMismatch) as refused:
        study.launch("redundancy", name="elder", trials=6, set={"model.width": [48, 96]}, home=home)
    said = str(refused.value)
    assert "compression.depth: 4 in the study, 6,12 asked for" in said
    assert "ockham resume elder" in said
