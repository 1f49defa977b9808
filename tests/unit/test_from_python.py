"""What a newcomer writes in Python: names, lists and typing errors, as commands take them."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import study
from search_spaces.space import Choices, Range, SearchSpace
from study import api
from study.config.environment import usual_home
from study.ledger.place import Place
from tests.unit import cli_ledgers

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[study.StudyConfig]:
    """What a launch would run."""
    configs: list[study.StudyConfig] = []
    monkeypatch.setattr(api, "_run", lambda config, *_: configs.append(config))
    return configs


def test_a_named_study_with_lists_to_span(asked: list[study.StudyConfig], tmp_path: Path) -> None:
    study.launch("redundancy", set={"model.width": [64, 128], "training.lr": 0.1}, trials=8, home=tmp_path)
    (config,) = asked
    assert (config.name, config.trials, config.run.home) == ("redundancy", 8, tmp_path)
    assert config.space.span["model.width"] == Choices(values=(64, 128))
    assert config.space.base["training.lr"] == 0.1
    assert set(config.space.span) >= {"data.label_noise", "compression.criterion"}


def test_the_same_study_as_the_command_line_makes(asked: list[study.StudyConfig]) -> None:
    from study.settings.loading import LaunchOptions, load_study

    study.launch("redundancy", set={"model": {"width": "16..64:log"}, "data.split": (800, 400, 500)}, seed=3)
    settings = ("model.width=16..64:log", "data.split=800+400+500")
    told = load_study(LaunchOptions("redundancy", settings=settings, seed=3)).config
    assert asked[0].identity() == told.identity()


def test_a_space_of_ones_own(asked: list[study.StudyConfig]) -> None:
    space = SearchSpace(span={"model.width": [16, 32], "training.lr": Range(low=0.01, high=1.0, log=True)})
    study.launch(space, name="mine", sampler="tpe", objectives="val/loss:min", max_concurrent=1)
    assert asked[0].space.span["model.width"] == Choices(values=(16, 32))
    assert [(goal.metric, goal.direction) for goal in asked[0].objectives] == [("val/loss", "minimize")]
    assert asked[0].run.max_concurrent == 1


def test_a_configuration_takes_the_name_of_a_space() -> None:
    config = study.StudyConfig(space="blog")
    assert (config.name, config.trials) == ("blog", 12)
    assert study.StudyConfig(space="blog", name="mine", trials=5).name == "mine"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda: study.launch("redundnacy"), "there is no named study 'redundnacy'. Did you mean 'redundancy'?"),
        (lambda: study.launch(trails=3), "launch: there is no option 'trails'. Did you mean 'trials'?"),
        (lambda: study.launch(trials=0), "trials: must be greater than or equal to 1 (given: 0)"),
        (lambda: study.launch(sampler="tpa"), "Did you mean 'tpe'?"),
        (lambda: study.launch(set={"model.widht": 3}), "set: model.widht: there is no field 'widht'. Did you mean"),
        (lambda: study.launch(set={"width": [3]}), "Keys are dotted: did you mean model.width?"),
        (lambda: study.launch(set={"data.split": [9, 5, 6]}), "a tuple is one value: (9, 5, 6)"),
        (lambda: study.launch(set={"model.width": []}), "set: model.width is spanned by an empty list"),
        (lambda: study.launch(set={"seed": 3}), "write seed=N"),
        (lambda: study.launch(SearchSpace()), "needs a name"),
        (lambda: study.launch(study.StudyConfig(space="blog"), trials=3), "put trials into it"),
        (lambda: study.StudyConfig(space="blog", trails=3), "trails: there is no field 'trails'. Did you mean"),
        (lambda: study.RunConfig(progres=True), "progres: there is no field 'progres'. Did you mean 'progress'?"),
        (lambda: study.resume("blog", progres=True), "resume: there is no option 'progres'. Did you mean 'progress'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(wrong: Callable[[], object], said: str) -> None:
    with pytest.raises(study.UsageError) as caught:
        wrong()
    assert said in str(caught.value)
    assert "validation error" not in str(caught.value)
    assert "--" not in str(caught.value)


def test_the_environment_says_where_things_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli_ledgers.ledger(tmp_path).close()
    monkeypatch.setenv("OCKHAM_HOME", str(tmp_path))
    monkeypatch.setenv("OCKHAM_TRACKING_URI", "http://tracking:5000")
    assert usual_home() == tmp_path
    assert Place().home == study.RunConfig().home == tmp_path
    assert Place().tracking_uri == study.RunConfig().tracking_uri == "http://tracking:5000"
    assert study.load("small").config.name == "small"
    assert study.StudyConfig(space="blog").directory == tmp_path / "blog"
    monkeypatch.delenv("OCKHAM_HOME")
    assert usual_home() == Path("studies")


def test_dir_shows_the_api_alone() -> None:
    import study.execution.driver  # a package knows of its modules once they are imported

    assert dir(study) == sorted(study.__all__)
    assert all(callable(getattr(study, name)) for name in study.__all__)


@pytest.mark.parametrize("first", ["study.launch", "study.launch as script", "study"])
def test_launch_is_the_function_whatever_was_imported_first(first: str) -> None:
    """study/launch.py is a script for `ray submit`; a package's modules become its attributes."""
    code = (
        f"import {first}; import study; once = study.launch; import study.launch; from study import launch; "
        "from study.api import launch as right; assert once is study.launch is launch is right; study.launch(trials=0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stderr.splitlines()[-1].startswith("study.errors.UsageError: trials: must be greater"), ran.stderr


def test_the_commands_name_is_a_module_too() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"]
    assert "study/alias" in project["where"]
    code = "import ockham, study; from ockham import launch; assert ockham is study; print(launch.__module__)"
    paths = os.pathsep.join([str(ROOT), str(ROOT / "study" / "alias")])
    environment = {**os.environ, "PYTHONPATH": paths}
    ran = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert (ran.stdout.strip(), ran.returncode) == ("study.api", 0), ran.stderr


@pytest.mark.parametrize("package", ["study", "trainables", "search_spaces", "study/alias/ockham"])
def test_types_are_for_users_too(package: str) -> None:
    assert (ROOT / package / "py.typed").is_file()


def _pythons(folder: Path, **versions: str) -> str:
    """A PATH with these Pythons alone, by name; each answers as that version would."""
    for name, version in versions.items():
        script = folder / name.replace("_", ".")
        fits = f"(3, 11) <= {tuple(map(int, version.split('.')))} <= (3, 13)"
        script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'import sys; sys.exit(not {fits})'\n")
        script.chmod(0o755)
    for tool in ("sh", "bash", "echo"):
        (folder / tool).symlink_to(str(shutil.which(tool)))
    return str(folder)


@pytest.mark.parametrize(
    ("versions", "chosen"),
    [
        ({"python3_12": "3.12"}, "python3.12"),
        ({"python3_11": "3.11", "python3_13": "3.13"}, "python3.11"),
        ({"python3": "3.13"}, "python3"),
        ({"python3": "3.10"}, None),
        ({}, None),
    ],
)
def test_make_takes_any_python_that_fits(tmp_path: Path, versions: dict[str, str], chosen: str | None) -> None:
    path = _pythons(tmp_path, **versions)
    command = [str(shutil.which("make")), "-f", str(ROOT / "Makefile"), "-C", str(tmp_path), "-s", "which-python"]
    ran = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, check=False)
    if chosen is None:
        assert ran.returncode != 0
        assert "Ockham needs Python 3.11, 3.12 or 3.13" in ran.stderr
    else:
        assert ran.stdout.strip() == chosen, ran.stderr
