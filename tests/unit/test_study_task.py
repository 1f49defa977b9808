"""A study of numbers: its goals, its verdicts, its page and what the screen shows go by R²."""

import io
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console

from search_spaces.notation import apply_settings
from search_spaces.space import SearchSpace
from study.config import StudyConfig
from study.config.scores import capital, task_in
from study.display.board import Board
from study.display.frame import frame
from study.errors import UsageError
from study.ledger import TrialRow
from study.report import write_report
from study.settings.loading import LaunchOptions, load_study
from study.settings.wording import as_typed
from tests.unit.report_frames import Recipe, judged, make
from trainables.record import Record

NUMBERS = ("data.name=teacher", "data.teacher.task=regression", "data.noise_kind=permuted")
BASE = {"data.name": "teacher", "data.teacher.task": "regression", "data.noise_kind": "permuted"}
FULL = Recipe(base=BASE)


def study_of_numbers(recipe: Recipe = FULL) -> tuple[StudyConfig, pd.DataFrame, pd.DataFrame]:
    """The made-up study with R² for accuracy, of which some has fallen below 0."""
    config, trials, networks = make(recipe)
    trials, networks = (frame.rename(columns=_renamed) for frame in (trials, networks))
    networks.loc[networks["level"] == networks["level"].max(), "train_r2"] = -0.8
    return config, trials, networks.assign(chance=0.0)


def _renamed(name: str) -> str:
    return name if name.startswith("training.") else name.replace("accuracy", "r2")


def loaded(*settings: str, **options: Any) -> StudyConfig:
    return load_study(LaunchOptions(settings=settings, **options)).config


def test_tasks_are_known_by_their_score() -> None:
    assert task_in(["data.name", "train/r2", "train/loss"]).score == "r2"
    assert task_in(["val_r2", "training.stop_at_train_accuracy"]).score == "r2"
    assert task_in(["gap/accuracy"]).score == task_in([]).score == "accuracy"
    assert (capital("accuracy"), capital("R²")) == ("Accuracy", "R²")


def test_goals_go_by_the_score_of_the_study() -> None:
    numbers, classes = loaded(*NUMBERS), loaded()
    assert [o.metric for o in numbers.objectives] == ["contrast/auc", "control/val/r2"]
    assert [o.metric for o in classes.objectives] == ["contrast/auc", "control/val/accuracy"]
    assert (numbers.stopping.metric.metric, classes.stopping.metric.metric) == ("val/r2", "val/accuracy")
    assert numbers.task.label == "R²"
    stopped = loaded(*NUMBERS, scheduler="asha", stopping={"grace": 5})
    assert (stopped.stopping.metric.metric, stopped.stopping.grace) == ("val/r2", 5)
    chosen = loaded(*NUMBERS, sampler="tpe", objectives=("val/r2",))
    assert [(o.metric, o.direction) for o in chosen.objectives] == [("val/r2", "maximize")]


def test_a_study_of_numbers_is_read_back_as_it_was() -> None:
    for config in (loaded(*NUMBERS), loaded(*NUMBERS, scheduler="asha"), loaded()):
        again = StudyConfig.model_validate(config.model_dump(mode="json"))
        assert again.identity() == config.identity()


def test_python_has_the_same_defaults() -> None:
    config = StudyConfig(space=apply_settings(SearchSpace(), NUMBERS))
    assert config.objectives[1].metric == "control/val/r2"


def test_notes_name_the_metric_that_is_there() -> None:
    notes = load_study(LaunchOptions(settings=NUMBERS, scheduler="asha")).notes
    assert any("asha goes by val/r2" in note for note in notes)
    notes = load_study(LaunchOptions(settings=NUMBERS, sampler="cmaes")).notes
    assert any("cmaes has one objective: contrast/auc" in note for note in notes)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"settings": ("data.name=teacher", "data.teacher.task=classification,regression")}, "do not compare"),
        (
            {"settings": NUMBERS, "sampler": "tpe", "objectives": ("val/accuracy",)},
            "--objective: 'val/accuracy' is never recorded here, networks are judged by R²; use val/r2",
        ),
        ({"settings": NUMBERS, "sampler": "tpe", "objectives": ("test/r2",)}, "computed from test data"),
        ({"settings": NUMBERS, "sampler": "tpe", "constraints": ("train/kept_accuracy:min=0.8",)}, "train/kept_r2"),
        (
            {"settings": NUMBERS, "scheduler": "asha", "stopping": {"metric": "train/accuracy"}},
            "--scheduler-metric: 'train/accuracy' is never recorded",
        ),
        ({"sampler": "tpe", "objectives": ("control/val/r2",)}, "judged by accuracy; use control/val/accuracy"),
        ({"settings": (*NUMBERS[:2], "data.noise_kind=wrong")}, "use added or permuted or uniform"),
        ({"settings": (*NUMBERS, "training.label_smoothing=0.1")}, "leave it at 0"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_starts(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(**options))
    assert said in as_typed(refused.value)


def test_numbers_are_answered_as_classes_are() -> None:
    found = judged(*study_of_numbers())
    assert found.finding_of("memorising_breaks_earlier").verdict == "supported"
    assert "R² on the labels each network was given" in found.caveat
    assert found.finding_of("compressibility_follows_the_gap").n > 0
    assert "accuracy" not in found.as_text()


def test_the_page_says_r2_everywhere(tmp_path: Path) -> None:
    config, trials, networks = study_of_numbers()
    html = write_report(config, trials, networks, judged(config, trials, networks), tmp_path).read_text(
        encoding="utf-8"
    )
    shown = re.sub(r"<script>.*?</script>|<style>.*?</style>|<pre>.*?</pre>", "", html, flags=re.DOTALL)
    assert "accuracy" not in shown.lower()
    for said in ("training R², labels as given", "generalization gap (R²)", "train R²", "R² below 0 is drawn at 0."):
        assert said in shown
    assert "placebo (renamed)" not in shown
    heights = [float(y) for y in re.findall(r'cy="([-0-9.]+)"', shown)]
    assert min(heights) >= 0
    assert max(heights) < 400, "what lies below 0 is drawn at the edge"


def test_students_of_numbers_are_drawn_without_classes(tmp_path: Path) -> None:
    config, trials, networks = study_of_numbers(Recipe(noise=(1.0,), widths=(64,), criteria=("random",), base=BASE))
    networks = networks.assign(transfer_agreement=0.9)
    html = write_report(config, trials, networks, judged(config, trials, networks), tmp_path).read_text(
        encoding="utf-8"
    )
    assert "held against its teacher" in html
    assert "one and the same class" not in html


def test_the_screen_shows_r2() -> None:
    config = loaded(*NUMBERS)
    point = {"model.width": 64, "data.label_noise": 1.0, "compression.criterion": "random", "compression.depth": 6}
    board = Board(config, {})
    for number in range(3):
        board.start(number, point)
    board.report(0, Record("dense", 35, {"train/r2": -0.412}))
    board.report(1, Record("level", 4, {"level/ratio": 6.35, "level/train_r2": 0.812}))
    metrics = {"train/r2": 0.991, "gap/r2": 0.61, "compressibility/auc": 0.43, "contrast/auc": 0.21}
    params = config.space.config(point).flat()
    board.end(TrialRow(2, "COMPLETE", "design", params, metrics, {}, 1, "u", None, "f", 10.0, None))
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(frame(board, 120, 30))
    text = console.export_text()
    for said in ("train -0.412", "train 0.812", "0.991 0.610 0.430"):
        assert said in text
