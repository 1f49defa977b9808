"""A study is made whole or not at all, also when two are at it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from study.config import StudyConfig
from study.errors import StudyMismatch, UsageError
from study.ledger import Ledger, Proposal
from study.settings import creation, machine
from study.settings.creation import open_or_create, write_study_file
from study.settings.tickets import check_tickets
from tests.studies_for_tests import a_study

pytestmark = pytest.mark.slow


def test_a_rival_that_was_faster_keeps_its_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It makes the study and begins while this process still looks at what it was asked for."""
    home = tmp_path / "home"
    mine = a_study(home, seed=1)

    def slow(_: StudyConfig) -> None:
        monkeypatch.setattr(creation, "check_tickets", check_tickets)
        rival, new = open_or_create(a_study(home), str)
        assert new
        rival.acquire()
        rival.propose([Proposal({"model.width": 16})])
        write_study_file(rival.config)
        (home / "tiny" / f"study.tmp-{os.getppid()}-1").write_text("of a driver that lives")

    monkeypatch.setattr(creation, "check_tickets", slow)
    with pytest.raises(StudyMismatch, match="seed: 0 in the study, 1 asked for"):
        open_or_create(mine, str)
    assert Ledger.open(mine.ledger_url, "tiny").next_number() == 1
    assert "seed: 0" in (home / "tiny" / "study.yaml").read_text()
    assert len(list(home.glob("tiny/study.tmp-*"))) == 1

    again, new = open_or_create(a_study(home), str)
    assert not new
    assert again.next_number() == 1
    assert not list(home.glob(".*")), "no lock is left"


@pytest.mark.parametrize("there", [False, True], ids=["fresh home", "used home"])
@pytest.mark.parametrize("where", ["data", "ledger"])
def test_of_a_study_that_can_not_be_made_nothing_is_left(
    where: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "new" / "home"
    if there:
        (home / "other").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    def missing(*_: object) -> None:
        raise UsageError("the data can't be had")

    if where == "data":
        monkeypatch.setattr(machine.DataSets, "prepare", missing)
    else:
        monkeypatch.setattr("study.ledger.studies.create", full)
    with pytest.raises(UsageError, match="can't be had" if where == "data" else "No space left"):
        open_or_create(a_study(home), str)
    assert sorted(tmp_path.rglob("*")) == before


def test_the_study_file_of_a_dead_driver_goes(tmp_path: Path) -> None:
    ledger, _ = open_or_create(a_study(tmp_path), str)
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], check=True, capture_output=True)
    (tmp_path / "tiny" / f"study.tmp-{int(dead.stdout)}-1").write_text("half")
    write_study_file(ledger.config)
    assert sorted(path.name for path in (tmp_path / "tiny").glob("study.y*")) == ["study.yaml"]
    assert not list((tmp_path / "tiny").glob("*.tmp*"))


@pytest.mark.ends
def test_many_that_launch_the_same_study_agree_on_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code = (
        "import sys; from pathlib import Path; from tests.studies_for_tests import a_study;"
        "from study.settings.creation import open_or_create;"
        "ledger, new = open_or_create(a_study(Path(sys.argv[1])), str); print(new, ledger.uid)"
    )
    launches = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(home)], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    said = [launch.communicate(timeout=120)[0].split() for launch in launches]
    assert sorted(new for new, _ in said) == ["False", "False", "True"]
    assert len({uid for _, uid in said}) == 1


def _known(tmp_path: Path) -> StudyConfig:
    ledger, _ = open_or_create(a_study(tmp_path, run={"max_concurrent": 2}), str)
    ledger.acquire()
    write_study_file(ledger.config)
    ledger.release()
    return ledger.config


@pytest.mark.parametrize(
    ("before", "after", "field"),
    [
        ("data.name: digits", "data.name: mnist", "space.base.data.name"),
        ("seed: ", "seed: 7 # was ", "seed"),
        ("sampler: design", "sampler: random", "sampler"),
        ("configurations: []", "configurations: [{model.width: 9}]", "configurations"),
        ("  base:\n", "  base:\n    training.l1: 0.5\n", "space.base.training.l1"),
    ],
)
def test_another_study_in_its_file_is_refused(before: str, after: str, field: str, tmp_path: Path) -> None:
    config = _known(tmp_path)
    path = config.directory / "study.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    with pytest.raises(StudyMismatch) as refused:
        open_or_create(config, str)
    assert f"  {field}: " in str(refused.value)
    assert str(path) in str(refused.value)
    path.unlink()
    assert not open_or_create(config, str)[1], "and goes on without the file"


def test_what_is_no_identity_in_its_file_is_written_over_aloud(tmp_path: Path) -> None:
    config = _known(tmp_path)
    path = config.directory / "study.yaml"
    said: list[str] = []
    open_or_create(config, said.append)
    assert said == []
    path.write_text(path.read_text().replace("max_concurrent: 2", "max_concurrent: 7"))
    open_or_create(config, said.append)
    assert len(said) == 1
    assert "study.yaml says run.max_concurrent=7" in said[0]
    assert "it is 2 again" in said[0]
    changed = config.model_copy(update={"run": config.run.model_copy(update={"max_concurrent": 7})})
    open_or_create(changed, said.append)
    assert len(said) == 1, "what a run asks for itself was no edit"
    path.write_text("{")
    open_or_create(config, said.append)
    assert "is no YAML file" in said[-1]
    assert "written anew" in said[-1]
