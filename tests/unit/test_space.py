"""Search spaces: what they refuse, what they leave out, how they are narrowed and widened."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from search_spaces.space import Choices, Range, SearchSpace

WIDTHS = Range(low=16, high=512, log=True)


def test_spans_are_optunas_distributions() -> None:
    space = SearchSpace(
        span={
            "model.width": WIDTHS,
            "training.lr": Range(low=1e-3, high=1, log=True),
            "data.label_noise": Choices(values=(0.25, 0.5)),
        }
    )
    assert space.distributions() == {
        "model.width": IntDistribution(16, 512, log=True),
        "training.lr": FloatDistribution(1e-3, 1.0, log=True),
        "data.label_noise": CategoricalDistribution((0.25, 0.5)),
    }


def test_a_point_is_base_then_span_then_seed() -> None:
    space = SearchSpace(base={"model.width": 32, "training.lr": 0.1}, span={"data.label_noise": Choices(values=(0, 1))})
    config = space.config({"data.label_noise": 1}, seed=5)
    assert (config.model.width, config.training.lr, config.data.label_noise, config.seed) == (32, 0.1, 1.0, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base": {"model.widht": 3}}, r"model\.widht.*Did you mean 'width'"),
        ({"base": {"data.label_noise": 1.5}}, r"data\.label_noise.*less than or equal to 1.*1\.5"),
        ({"base": {"data.name": "mnst"}}, "Did you mean 'mnist'"),
        ({"span": {"model.width": {"low": 0, "high": 8}}}, r"model\.width.*greater than or equal to 1"),
        ({"span": {"model.width": {"values": [8, "wide"]}}}, r"model\.width"),
        ({"span": {"model.width": {"low": 9, "high": 8}}}, "write the smaller end first"),
        ({"span": {"training.lr": {"low": 0, "high": 1, "log": True}}}, "must start above 0"),
        ({"span": {"model.width": {"values": []}}}, "at least 1 item"),
        ({"base": {"model.width.x": 1}}, "width"),
        ({"trials": 0}, "greater than or equal to 1"),
    ],
)
def test_a_bad_space_is_refused_by_name(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SearchSpace.model_validate(values)


def test_fields_of_an_entry_that_is_not_selected_are_left_out() -> None:
    space = SearchSpace(
        base={"data.image_folder.path": "/images"},
        span={"data.name": Choices(values=("digits", "image_folder"))},
    )
    assert "data.image_folder.path" not in space.config({"data.name": "digits"}).flat()
    assert space.config({"data.name": "image_folder"}).flat()["data.image_folder.path"] == "/images"


def test_fields_of_an_entry_that_no_trial_selects_are_refused() -> None:
    with pytest.raises(ValueError, match="image_folder"):
        SearchSpace(base={"data.image_folder.path": "/images"})


def test_fixing_ends_a_span_and_spreading_ends_a_base() -> None:
    space = SearchSpace(span={"model.width": WIDTHS, "data.label_noise": Choices(values=(0.5, 1))})
    fixed = space.fix({"model.width": 64})
    assert list(fixed.span) == ["data.label_noise"]
    assert fixed.base == {"model.width": 64}
    spread = fixed.spread({"model.width": WIDTHS})
    assert "model.width" not in spread.base
    assert spread.span["model.width"] == WIDTHS
    with pytest.raises(ValueError, match=r"model\.width"):
        space.fix({"model.width": -1})


OPTIMIZERS = Choices(values=("sgd", "adam", "adamw"))


def test_what_depends_on_another_field_is_left_out_where_it_means_nothing() -> None:
    momentum = Range(low=0.0, high=0.9, when={"training.optimizer": "sgd"})
    space = SearchSpace(span={"training.momentum": momentum, "training.optimizer": OPTIMIZERS})
    assert space.activation.order == ["training.optimizer", "training.momentum"]
    assert space.active({"training.momentum": 0.5, "training.optimizer": "adam"}) == {"training.optimizer": "adam"}
    both = {"training.momentum": 0.5, "training.optimizer": "sgd"}
    assert space.active(both) == both
    assert space.where("training.momentum") == "training.optimizer=sgd"
    assert SearchSpace.model_validate_json(space.model_dump_json()) == space
    assert "when" not in OPTIMIZERS.model_dump()


def test_fields_of_a_spanned_entry_depend_on_it_by_themselves() -> None:
    span = {
        "compression.method": Choices(values=("prune", "distill")),
        "compression.distill.epochs": Choices(values=(1, 2)),
    }
    space = SearchSpace(span=span)
    assert space.where("compression.distill.epochs") == "compression.method=distill"
    assert list(space.active({"compression.method": "prune", "compression.distill.epochs": 2})) == [
        "compression.method"
    ]
    fixed = SearchSpace(
        base={"compression.method": "distill"}, span={"compression.distill.epochs": Choices(values=(1, 2))}
    )
    assert fixed.activation.conditional == []


def test_dependencies_can_be_nested() -> None:
    span = {
        "training.batch_size": Choices(values=(25, 50), when={"training.momentum": 0.9}),
        "training.momentum": Choices(values=(0.0, 0.9), when={"training.optimizer": ("sgd",), "model.name": "mlp"}),
        "training.optimizer": OPTIMIZERS,
    }
    space = SearchSpace(span=span)
    params = {"training.batch_size": 25, "training.momentum": 0.9, "training.optimizer": "adam"}
    assert space.active(params) == {"training.optimizer": "adam"}
    assert space.activation.enabling("training.batch_size") == {"training.optimizer": "sgd", "training.momentum": 0.9}


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ({"training.optimzer": "sgd"}, "Did you mean 'training.optimizer'"),
        ({"training.optimizer": "lion"}, "training.optimizer=lion, which no trial has; it is sgd or adam or adamw"),
        ({"training.momentum": 0.5}, "in a circle"),
        ({"training.lr": 0.1}, "spans a range; only a list"),
        ({"model.name": "conv2"}, "model.name=conv2, which no trial has; it is mlp"),
    ],
)
def test_dependencies_that_can_not_be_are_refused(when: dict[str, object], message: str) -> None:
    span = {
        "training.optimizer": OPTIMIZERS,
        "training.lr": Range(low=0.01, high=0.1),
        "training.momentum": {"values": [0.0, 0.5], "when": when},
    }
    with pytest.raises(ValueError, match=message):
        SearchSpace.model_validate({"span": span})
