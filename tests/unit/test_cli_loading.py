"""What a user may write, and the sentence that answers each mistake."""

from pathlib import Path

import pytest
import yaml

from search_spaces.space import Choices, Range
from study.errors import UsageError
from study.settings.loading import LaunchOptions, load_study
from study.settings.wording import as_typed


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
        ({"sampler": "tpee"}, "--sampler: there is no sampler 'tpee'. Did you mean 'tpe'?"),
        ({"sampler": "tpe", "settings": ("data.label_noise=0.5,1",)}, "conditions are assigned by design"),
        (
            {"sampler": "tpe", "objectives": ("test/accuracy",)},
            "--objective: 'test/accuracy' is computed from test data",
        ),
        ({"sampler": "tpe", "objectives": ("val/loss:low",)}, "--objective: 'val/loss:low': write METRIC"),
        ({"sampler": "tpe", "constraints": ("cost/seconds<30",)}, "--constraint: 'cost/seconds<30': write METRIC:max"),
        ({"constraints": ("cost/seconds:max=30",)}, "--constraint: sampler=design knows none; take one of gp"),
        ({"warm_start": "other"}, "--warm-start: sampler=design learns from no trials; take one of cmaes"),
        ({"scheduler": "hyperband"}, "--scheduler: there is no scheduler 'hyperband'"),
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
        ({"trials": 99999999999999999999}, "--trials: must be less than or equal to 1000000"),
        ({"settings": ("model.width=8", "model.width=16")}, "--set model.width is there twice"),
        ({"settings": ("data.label_noise=,",)}, "--set data.label_noise=,: ',' lists an empty value"),
        ({"settings": ("data.label_noise=0,0",)}, "--set data.label_noise=0,0: 0 is there twice"),
        ({"settings": ("data.label_noise=true",)}, "--set data.label_noise: must be a number"),
        ({"settings": ("compression.distill.epochs=9",)}, "need method=distill, and method is prune here"),
        ({"settings": ("compression.lamp.epochs=9",)}, "need criterion=lamp, and criterion is magnitude_l2 here"),
        ({"settings": ("data.xor.pairs=9",)}, "need name=xor, and name is digits here"),
        ({"settings": ("compression.destill.epochs=9",)}, "there is no field 'destill'"),
        ({"run": {"max_concurrent": 0}}, "--max-concurrent: must be greater than or equal to 1"),
        ({"run": {"time_budget": -3}}, "--time-budget: must be greater than 0"),
    ],
)
def test_mistakes_are_answered_with_what_to_change(options: dict, said: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(**options))
    assert said in as_typed(refused.value)


def test_a_list_whose_entries_are_refused_is_not_called_empty() -> None:
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(sampler="tpe", objectives=("test/accuracy",)))
    assert as_typed(refused.value).count("--objective") == 1


def test_a_named_study_brings_its_name_and_trials() -> None:
    config = load_study(LaunchOptions()).config
    assert (config.name, config.trials, config.sampler) == ("redundancy", 24, "design")


def test_adaptive_samplers_get_no_conditions_to_choose() -> None:
    loaded = load_study(LaunchOptions(sampler="tpe"))
    assert "data.label_noise" not in loaded.config.space.span
    assert loaded.config.space.base["data.label_noise"] == 1.0
    assert any("data.label_noise is fixed at 1" in note for note in loaded.notes)


def test_a_condition_that_the_user_fixed_stays() -> None:
    loaded = load_study(LaunchOptions(sampler="nsga2", settings=("data.label_noise=0.25",)))
    assert loaded.config.space.base["data.label_noise"] == 0.25
    assert not any("data.label_noise" in note for note in loaded.notes)


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
        ("configurations: []", "must be a list of trials"),
        ("configurations: [{model.width: 3}, 7]", "configuration 2 is 7, not a trial"),
        ("configurations: [{}]", "configuration 1 is {}, not a trial"),
        ("configurations: [{model.width: 3}, {model.widht: 3}]", "configuration 2: model.widht: there is no field"),
        ("configurations: [{model.width: 3, model: {width: 4}}]", "configuration 1: model.width is there twice"),
        ("configurations: [{data.label_noise: true}]", "configuration 1: data.label_noise: must be a number"),
        ("trials: 3\ntrials: 4", "'trials' is there twice, again in line 2"),
        ("set: {model.width: 3, model.width: 4}", "'model.width' is there twice"),
        ("set: {model.width: 3, model: {width: 4}}", "model.width is there twice"),
        ("set: {model.width: []}", "model.width is spanned by an empty list"),
        ("set: {data.label_noise: [0.5, 0.5]}", "data.label_noise: 0.5 is there twice"),
        ("set: {data.label_noise: no}", "data.label_noise: must be a valid number"),
        ("set: {data.label_noise: true}", "data.label_noise: must be a number"),
        ("space: {base: {model.width: 3}, span: {model.width: [3, 4]}}", "in space.base and in space.span"),
        ("trials: yes", "trials: must be a valid integer"),
        ("objectives: [nothing:low]\nsampler: tpe", "objectives.0: "),
        ("- a\n- b", "must hold fields of a study"),
        ("a: [", "is no YAML file"),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    with pytest.raises(UsageError) as refused:
        load_study(LaunchOptions(source=str(path)))
    assert said in as_typed(refused.value)
    assert str(path) in as_typed(refused.value)


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


def test_words_of_a_file_are_read_by_the_type_of_their_field(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        """
        space:
          base: {data.inputs: true, compression: {recovery: none}, training.clip_norm: none, control: no}
          span: {training.augment: [none, flip]}
        set: {data.name: mnist}
        configurations: [{data.inputs: true, training.augment: none}]
        """
    )
    config = load_study(LaunchOptions(source=str(path))).config
    wanted = {"data.inputs": "true", "compression.recovery": "none", "training.clip_norm": None}
    assert wanted.items() <= config.space.base.items()
    assert config.space.span["training.augment"] == Choices(values=("none", "flip"))
    assert config.space.config(config.configurations[0]).data.inputs == "true"
    assert not config.space.config(config.configurations[0]).control


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"source": "criteria"},
        {"source": "lottery_ticket"},
        {"sampler": "tpe", "objectives": ("val/loss:min",), "constraints": ("cost/seconds:max=30",), "seed": 3},
        {"scheduler": "asha", "stopping": {"grace": 10}},
        {"settings": ("data.inputs=true,gaussian", "compression.recovery=none")},
        {"settings": ("training.optimizer=sgd,adam", "training.momentum@training.optimizer:sgd=0,0.9")},
        {"settings": ("training.step_at=0.3+0.6", "model.width=8..64:log")},
    ],
)
def test_the_file_that_a_study_keeps_of_itself_is_that_study(options: dict, tmp_path: Path) -> None:
    study = load_study(LaunchOptions(**options)).config
    study = study.model_copy(update={"trials": 31, "added": 3})
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study.public_fields(), sort_keys=False))
    again = load_study(LaunchOptions(source=str(path))).config
    assert again.fingerprint() == study.fingerprint()
    assert (again.name, again.trials, again.run) == (study.name, 31, study.run)
    assert again.space.title == study.space.title


def test_so_is_that_of_a_study_with_trials_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text("{space: redundancy, configurations: [{model.width: 24, compression.criterion: random}]}")
    study = load_study(LaunchOptions(source=str(path))).config
    path.write_text(yaml.safe_dump(study.public_fields(), sort_keys=False))
    assert load_study(LaunchOptions(source=str(path))).config == study


def test_a_file_takes_a_named_study_in_a_size(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("space: blog\nsize: small\n")
    config = load_study(LaunchOptions(source=str(file))).config
    assert (config.name, config.trials, config.space.base["data.name"]) == ("mine", 24, "digits")
    file.write_text("space: blog\nsize: tiny\n")
    with pytest.raises(UsageError, match="blog, --size tiny: there is no size 'tiny'"):
        load_study(LaunchOptions(source=str(file)))
    file.write_text("space: {base: {model.width: 64}}\nsize: small\n")
    with pytest.raises(UsageError, match="size: small is of named studies"):
        load_study(LaunchOptions(source=str(file)))
