"""Any path that a shell can name works: as the URL of a database, and in commands that are printed to be pasted."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from study.cli import _paragraph
from study.config.addresses import command_line, sqlite_url
from study.execution.on_ray.scratch import make_scratch, remove_scratch
from study.ledger import Ledger
from study.ledger.place import Place
from tests.studies_for_tests import a_study

pytestmark = pytest.mark.slow

NAMES = [
    "plain",
    "a b",
    "a%20b",
    "a?b=c",
    "a#b",
    "it's",
    'say "x"',
    "Übung",
    "学习",
    "a+b",
    "u@h:1",
    "$HOME",
    "-x",
    "a\\b",
]

_QUIET = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}


@pytest.mark.parametrize("name", NAMES)
def test_a_url_leads_back_to_its_path(name: str) -> None:
    path = Path("/homes") / name / "study.db"
    assert make_url(sqlite_url(path)).database == str(path)
    assert make_url(sqlite_url(path)).query == {}
    assert make_url(sqlite_url(path)).get_backend_name() == "sqlite"


@pytest.mark.parametrize("name", NAMES)
def test_everything_of_a_study_lies_inside_its_home(name: str, tmp_path: Path) -> None:
    home = tmp_path / name
    config = a_study(home)
    Ledger.create(config.ledger_url, config).close()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (home / "tiny" / "study.db").is_file()
    assert Place(home=home).open("tiny").config.run.home == home


@pytest.mark.parametrize("name", NAMES)
def test_a_printed_command_names_what_it_was_printed_for(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = a_study(tmp_path / name)
    command = config.command("resume", "--trials", "+24")
    words = _as_a_shell_reads(command, tmp_path)
    assert words[:4] == ["ockham", "resume", "tiny", "--home"]
    assert Path(words[4]).absolute() == config.run.home
    assert not words[4].startswith("-")
    assert words[5:] == ["--trials", "+24"]
    said = _paragraph(f"the study exists; wait for a while, or remove the old study of that name with: {command}")
    assert command in said, "a line never ends within it"


def test_the_usual_place_is_not_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_HOME", str(tmp_path / "a b"))
    assert command_line("status", home=tmp_path / "a b", ledger=None) == "ockham status"
    ledger = "postgresql://me:sesame@host/db"
    assert command_line("status", home=tmp_path / "a b", ledger=ledger).endswith(
        " --ledger 'postgresql://me:***@host/db'"
    )
    monkeypatch.setenv("OCKHAM_LEDGER", ledger)
    assert command_line("status", home=tmp_path / "a b", ledger=ledger) == "ockham status"


def _as_a_shell_reads(command: str, folder: Path) -> list[str]:
    """The words that a real shell makes of it."""
    script = f"set -- {command}; printf '%s\\0' \"$@\""
    read = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True, cwd=folder, env=os.environ)
    words = read.stdout.decode().split("\0")[:-1]
    assert words == shlex.split(command)
    return words


@pytest.mark.ends
def test_the_home_of_any_name_has_a_store_of_runs(tmp_path: Path) -> None:
    homes = [tmp_path / name for name in ("it's Übung#1", "a%20b?c")]
    script = (
        "import sys; from pathlib import Path; from tests.studies_for_tests import a_study\n"
        "from study.tracking.mlflow_store import open_store\n"
        "for home in sys.argv[1:]:\n"
        "    client, experiment = open_store(a_study(Path(home)))\n"
        "    run = client.create_run(experiment); client.log_text(run.info.run_id, 'here', 'a.txt')\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, *map(str, homes)], check=True, cwd=Path(__file__).parents[2], env=_QUIET
    )
    assert sorted(tmp_path.iterdir()) == sorted(homes)
    for home in homes:
        assert (home / "mlflow.db").is_file()
        assert next(home.glob("mlartifacts/tiny/*/artifacts/a.txt")).read_text() == "here"


@pytest.mark.parametrize("name", ["a b", "it's", "Übung", "a%20b", "a?b", "a#b"])
def test_rays_own_files_lie_where_ray_can_name_them(name: str, tmp_path: Path) -> None:
    scratch = make_scratch(tmp_path / name)
    try:
        assert name not in str(scratch)
        assert scratch.parent.stat().st_mode & 0o077 == 0
    finally:
        remove_scratch(scratch)
    assert not scratch.parent.exists()
