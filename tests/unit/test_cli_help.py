"""Help teaches, and comes at once: nothing heavy is imported for it."""

import subprocess
import sys
from pathlib import Path

import pytest

import study
from study.cli import main
from tests.unit.cli_ledgers import ledger

pytestmark = pytest.mark.slow

COMMANDS = ["launch", "resume", "stop", "status", "trials", "report", "export", "spaces", "delete", "ui", "doctor"]
_PROBE = """
import sys
from study.cli import main
code = main(sys.argv[1:])
print(*sys.modules, sep=",", file=sys.stderr)
sys.exit(code)
"""
_LIBRARIES = {"torch", "ray", "mlflow", "pandas", "numpy", "optuna", "sklearn"}


def modules_after(*arguments: str) -> set[str]:
    """What a command in a process of its own has imported."""
    ran = subprocess.run([sys.executable, "-c", _PROBE, *arguments], capture_output=True, text=True, check=True)
    return set(ran.stderr.strip().split(","))


def test_help_imports_nothing_heavy() -> None:
    # importlib.metadata reads mail for it: a tenth of the time that the help of all commands takes.
    assert not modules_after("--help") & (_LIBRARIES | {"sqlalchemy", "pydantic", "importlib.metadata"})
    assert not modules_after("launch", "--help") & (_LIBRARIES | {"sqlalchemy"})
    assert not modules_after("doctor", "-h") & (_LIBRARIES | {"sqlalchemy"})


def test_the_overview_imports_no_more_than_a_ledger_needs(tmp_path: Path) -> None:
    ledger(tmp_path).release()
    assert not modules_after("status", "--home", str(tmp_path)) & _LIBRARIES


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_where_things_are(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    for option in ("--home", "--ledger", "--tracking-uri", "--storage", "--debug", "OCKHAM_HOME"):
        assert option in said


@pytest.mark.parametrize("command", ["launch", "resume", "confirm"])
def test_completion_is_installed_by_the_program_not_by_one_of_its_commands(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What reads the options of one makes it a program of its own, for which Typer offers that as well."""
    assert main(["--help"]) == 0
    assert "--install-completion" in capsys.readouterr().out
    assert main([command, "--help"]) == 0
    assert "completion" not in capsys.readouterr().out
    assert main([command, "--show-completion"]) == 2
    assert f"No such option: --show-completion. See 'ockham {command} --help'" in capsys.readouterr().err


def test_launch_teaches_the_notation(capsys: pytest.CaptureFixture[str]) -> None:
    main(["launch", "--help"])
    said = capsys.readouterr().out
    for example in (
        "--objective",
        "--constraint",
        "cost/seconds:max=30",
        "--warm-start",
        "--scheduler-metric",
        "--scheduler-grace",
        "--scheduler-reduction",
        "training.momentum@training.optimizer:sgd",
        "data.label_noise=0,0.5,1",
        "1e-3..1:log",
        "1000+400+397",
        "configurations",
    ):
        assert example in said


def test_launch_py_runs_from_anywhere_and_ends_with_its_exit_code(tmp_path: Path) -> None:
    script = str(Path(study.__file__).with_name("launch.py"))
    copied = tmp_path / "launch.py"
    copied.write_text(Path(script).read_text())
    for path, arguments, code in ((script, ["--help"], 0), (str(copied), ["--trials", "0"], 2)):
        command = [sys.executable, path, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert ran.returncode == code, ran.stderr
        assert ran.stdout.splitlines()[-1] == f"exit={code}"


def test_a_bare_command_shows_its_help_and_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    shown = capsys.readouterr()
    assert "Start here" in shown.out
    assert shown.err == ""


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("ockham ")
