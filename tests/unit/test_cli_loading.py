"""What a user may write, and the sentence that answers each mistake."""

from pathlib import Path

import pytest

from search_spaces.space import Choices, Range
from study.errors import UsageError
from study.settings.loading import LaunchOptions, load_study


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"trials": 0}, "--trials: must be greater than or equal to 1"),
        ({"settings": ("model.widht=3",)}, "--set model.widht: there is no field 'widht'. Did you mean 'width'?"),
        ({"settings": ("data.label_noise=1.5",)}, "--set data.label_noise: must be less than or equal to 1"),
        ({"settings": ("data.name=mnst",)}, "Did you mean 'mnist'?"),
        ({"settings": ("widht=3",)}, "did you mean model.width?"),
        ({"settings": ("model.width",)}, "write KEY=VALUE"),
        ({"settings": ("model.width=512..16",)}, "--set model.width=512..16: the range 512..16 is empty"),
        ({"settings": ("seed=3",)}, "write --seed N"),
        ({"sampler": "tpee"}, "--sampler: must be 'design'"),
        ({"sampler": "tpe", "settings": ("data.label_noise=0.5,1",)}, "conditions are assigned by design"),
        (
            {"sampler": "tpe", "objectives": ("test/accuracy",)},
            "--objective: 'test/accuracy' is computed from test data",
        ),
        ({"sampler": "tpe", "objectives": ("val/loss:low",)}, "--objective: 'val/loss:low': write METRIC"),
        ({"sampler": "tpe", "constraints": ("cost/seconds<30",)}, "--constraint: 'cost/seconds<30': write METRIC:max"),
        ({"constraints": ("cost/seconds:max=30",)}, "--constraint: sampler=design knows none; take one of tpe"),
        ({"warm_start": "other"}, "--warm-start: sampler=design learns from no trials; take one of tpe"),
        ({"scheduler": "hyperband"}, "--scheduler: must be 'none', 'asha' or 'median'"),
        ({"stopping": {"grace": 5}}, "--scheduler-metric, -grace or -reduction: there is no scheduler"),
        (
            {"scheduler": "asha", "stopping": {"metric": "contrast/auc"}},
            "--scheduler-metric: 'contrast/auc' is not known",
        ),
        ({"scheduler": "asha", "stopping": {"grace": 400}}, "--scheduler-grace: 400 epochs of grace"),
        ({"scheduler": "asha", "stopping": {"reduction": 1.0}}, "--scheduler-reduction: must be greater than 1"),
        ({"scheduler": "asha", "settings": ("data.label_noise=0.5,1",)}, "scheduler=asha would compare trials across"),
        ({"settings": ("training.momentum@training.optimizer:lion=0,0.9",)}, "training.optimizer=lion, which no trial"),
        ({"source": "redundncy"}, "Did you mean 'redundancy'?"),
        ({"source": "absent.yaml"}, "absent.yaml can't be read: no such file or directory."),
        ({"name": "a b"}, "--name: use letters"),
        ({"run": {"max_concurrent": 0}}, "--max-concurrent: must be greater than or equal to 1"),
        ({"run": {"time_budget": -3}}, "--time-budget: must be greater than 0"),
    ],
)
def test_mistakes_are_answered_with_what_to_change(options: dict, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(**options))
    assert said in str(refused.value)


def test_a_named_study_brings_its_name_and_trials() -> None:
    config = load_study(LaunchOptions()).config
    assert (config.name, config.trials, config.sampler) == ("redundancy", 24, "design")


def test_adaptive_samplers_get_no_conditions_to_choose() -> None:
    loaded = load_study(LaunchOptions(sampler="tpe"))
    assert "data.label_noise" not in loaded.config.space.span
    assert loaded.config.space.base["data.label_noise"] == 1.0
    assert len(loaded.notes) == 1
    assert "data.label_noise is fixed at 1" in loaded.notes[0]


def test_a_condition_that_the_user_fixed_stays() -> None:
    loaded = load_study(LaunchOptions(sampler="nsga2", settings=("data.label_noise=0.25",)))
    assert loaded.config.space.base["data.label_noise"] == 0.25
    assert loaded.notes == ()


def test_a_file_holds_any_field_and_options_override_it(tmp_path: Path) -> None:
    path = tmp_path / "widths.yaml"
    path.write_text(
        """
        space: redundancy
        set:
          data.label_noise: [0.5, 1]
          model: {width: "16..64:log", init_scale: 0.3}
        seed: 7
        configurations:
          - {model.width: 24, data.label_noise: 1}
          - model: {width: 32}
            data.label_noise: 0.5
            compression: {criterion: random, depth: 6}
        run: {cpus_per_trial: 2}
        """
    )
    config = load_study(LaunchOptions(source=str(path), seed=8, run={"home": tmp_path})).config
    assert (config.name, config.seed, config.trials) == ("widths", 8, 2)
    assert config.space.span["data.label_noise"] == Choices(values=(0.5, 1))
    assert config.space.span["model.width"] == Range(low=16, high=64, log=True)
    assert config.space.base["model.init_scale"] == 0.3
    assert config.configurations[1]["compression.criterion"] == "random"
    assert (config.run.cpus_per_trial, config.run.home) == (2, tmp_path)


def test_a_space_can_be_written_out(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("space:\n  base: {data: {label_noise: 1}}\n  span: {model.width: {low: 8, high: 16}}\ntrials: 3\n")
    config = load_study(LaunchOptions(source=str(path))).config
    assert config.trials == 3
    assert config.space.base == {"data.label_noise": 1}
    assert config.space.span == {"model.width": Range(low=8, high=16)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trails: 3", "Did you mean 'trials'?"),
        ("space: redundncy", "Did you mean 'redundancy'?"),
        ("set: {model.widht: 3}", "Did you mean 'width'?"),
        ("configurations: {model.width: 3}", "must be a list of trials"),
        ("- a\n- b", "must hold fields of a study"),
        ("a: [", "is no YAML file"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(source=str(path)))
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_schedulers_compare_under_one_condition() -> None:
    loaded = load_study(LaunchOptions(scheduler="asha", stopping={"metric": "val/loss", "grace": 10}))
    assert "data.label_noise" not in loaded.config.space.span
    assert loaded.config.stopping.metric.direction == "minimize"
    assert loaded.notes[0].startswith("asha compares no trials that differ in what is done to the data")
    assert len(loaded.notes) == 1
    by_accuracy = load_study(LaunchOptions(scheduler="median"))
    assert "--scheduler-metric control/val/accuracy" in by_accuracy.notes[1]


def test_cmaes_gets_one_objective_unless_it_is_told_which() -> None:
    settings = ("model.width=16..64", "compression.criterion=random", "compression.depth=6")
    loaded = load_study(LaunchOptions(sampler="cmaes", settings=settings))
    assert [objective.metric for objective in loaded.config.objectives] == ["contrast/auc"]
    assert "cmaes has one objective" in loaded.notes[-1]
    two = load_study(LaunchOptions(sampler="cmaes", settings=settings, objectives=("val/loss", "contrast/auc")))
    assert len(two.config.objectives) == 2, "refused where samplers are"


def test_a_design_says_what_it_makes_of_what_only_some_trials_have(tmp_path: Path) -> None:
    settings = ("training.optimizer=sgd,adam", "training.momentum@training.optimizer:sgd=0,0.9")
    notes = load_study(LaunchOptions(settings=settings)).notes
    assert notes == (
        "training.momentum means something with training.optimizer=sgd only: it is balanced among those trials, the "
        "others are repeated with fresh seeds.",
    )
    path = tmp_path / "own.yaml"
    for text in (
        "{set: {training.optimizer: [sgd, adam], training.momentum@training.optimizer:sgd: [0, 0.9]}}",
        "{set: {training: {optimizer: [sgd, adam], momentum: {values: [0, 0.9], when: {training.optimizer: sgd}}}}}",
        "{space: {span: {training.optimizer: [sgd, adam], training.momentum@training.optimizer:sgd: '0,0.9'}}}",
    ):
        path.write_text(text)
        span = load_study(LaunchOptions(source=str(path))).config.space.span
        assert span["training.momentum"].when == {"training.optimizer": ("sgd",)}
