"""Bad input ends in seconds with its exit code and one paragraph, and leaves nothing behind."""

import importlib.util
from pathlib import Path

import pytest

from study.cli import main
from tests.unit.cli_ledgers import ledger

_FIELDS = ("granularity=weight", "depth=1", "recovery=rewind", "recovery_epochs=5")
TICKET = [word for field in _FIELDS for word in ("--set", f"compression.{field}")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["launch", "--trials", "0"], "--trials"),
        (["launch", "--trials", "many"], "--trials"),
        (["launch", "--trails", "3"], "--trials"),
        (["launch", "--set", "model.widht=3"], "'width'"),
        (["launch", "--set", "data.label_noise=1.5"], "data.label_noise"),
        (["launch", "--set", "data.name=mnst"], "'mnist'"),
        (["launch", "--gpus-per-trial", "64"], "--gpus-per-trial"),
        (["launch", "--storage", "ftp://host/x"], "s3://"),
        (["launch", "--storage", "/dev/null/x"], "--storage"),
        (["resume", "absent", "--storage", "ftp://host/x"], "s3://"),
        (["launch", *TICKET, "--set", "compression.ticket=absent.safetensors"], "absent.safetensors can't be read"),
        (["launch", "--price", "absent.yaml"], "--price absent.yaml"),
        (["launch", "nothing.yaml"], "nothing.yaml"),
        (["lunch"], "'launch'"),
        (["resume", "absent"], "'absent'"),
        (["resume"], "NAME"),
        (["trials", "absent"], "'absent'"),
        (["delete", "absent", "--yes"], "'absent'"),
        (["stop", "absent"], "'absent'"),
        (["status", "absent"], "'absent'"),
        (["status", "--watch"], "--watch"),
        (["spaces", "redundncy"], "'redundancy'"),
        (["ui"], "no MLflow store"),
    ],
)
def test_bad_usage_exits_2_and_leaves_nothing(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert "Traceback" not in shown.err
    assert "\n\n" not in shown.err.strip()
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_cannot_be_made_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert main(["launch", "--home", str(file / "home")]) == 2
    assert "--home" in capsys.readouterr().err


def test_a_name_with_another_configuration_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger(tmp_path, "taken").release()
    assert main(["launch", "--name", "taken", "--home", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "model.width" in said
    assert "--name" in said


def test_a_study_that_is_being_run_exits_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger(tmp_path)
    assert main(["delete", "small", "--yes", "--home", str(tmp_path)]) == 4
    assert "ockham stop small" in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "small" / "study.db").is_file()


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["launch", "--trials", "0", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_an_internal_error_exits_1_with_a_paragraph(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the wheel came off")

    monkeypatch.setattr("study.commands.catalogue.print_all", broken)
    assert main(["spaces"]) == 1
    said = capsys.readouterr().err
    assert "the wheel came off" in said
    assert "--debug" in said


def test_a_budget_never_drops_what_has_begun(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger(tmp_path).release()
    assert main(["resume", "small", "--trials", "2", "--home", str(tmp_path)]) == 2
    assert "3 trials of small have begun already" in " ".join(capsys.readouterr().err.split())
    assert main(["resume", "small", "--trials", "more", "--home", str(tmp_path)]) == 2


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that refuses even root")
def test_a_home_that_cannot_be_written_is_refused_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["launch", "--home", "/proc/ockham"]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "--home /proc/ockham: nothing can be written in /proc" in said
    assert "choose another place" in said


@pytest.mark.parametrize("command", [["status"], ["status", "small"], ["resume", "small"], ["launch"]])
def test_a_ledger_that_is_none_is_refused(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no database\n" * 1000)
    cases = {f"sqlite:///{tmp_path / 'notes.txt'}": "file is not a database"}
    if importlib.util.find_spec("psycopg"):
        cases["postgresql://me:sesame@127.0.0.1:9/x"] = "Connection refused"
    if command != ["launch"]:
        cases[f"sqlite:///{tmp_path / 'none.db'}"] = "no ledger at"
    for url, reason in cases.items():
        assert main([*command, "--ledger", url]) == 2
        shown = capsys.readouterr()
        assert reason in " ".join(shown.err.split())
        assert "sesame" not in shown.err
        assert "\n\n" not in shown.err.strip()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt"]
