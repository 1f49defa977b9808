"""Claims as values: the rows of the papers can be written in the algebra, and what a study can't carry is refused."""

import json
from typing import Any

import pytest

from search_spaces.carrying import carry_claims, refusals
from search_spaces.claims import AtLeast, AtMost, Claim, Equivalent, Exactly, Greater, Less
from search_spaces.quantities import (
    AboveScratch,
    Association,
    Between,
    Difference,
    KeptOverChanged,
    Level,
    Metric,
    Order,
    Share,
    Slope,
    Twins,
    atoms,
    bounds,
)
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices, Range

AUC = Metric(metric="compressibility/auc")
TEST = Metric(metric="test/accuracy")
NOISE = "data.label_noise"
CRITERION, DIRECTION = "compression.criterion", "compression.direction"
LAST = -1


def claim(name: str, quantity: Any, comparison: Any, **more: Any) -> Claim:
    return Claim(name=name, says=f"{name}.", quantity=quantity, comparison=comparison, **more)


def at(ratio: float, arm: Any = "replicate") -> Level:
    return Level(column="test_accuracy", ratio=ratio, arm=arm)


DENSE = Level(column="test_accuracy", level=0)
KNOCKED = Metric(metric="measure/knockout/half_accuracy", bounds=(0, 1))


def changed(later: str, earlier: str) -> Difference:
    """How a measure moved from one moment or object to another."""
    return Difference(first=Metric(metric=later), second=Metric(metric=earlier))


# What must come out of each system that the project grew from (the papers' own words shortened).
ROWS: dict[str, tuple[Claim, ...]] = {
    "blog": (
        claim("top_class", Metric(metric="level/teacher_top_class_share"), AtLeast(bound=0.9)),
        claim("noise_forgets", Level(column="train_accuracy", level=LAST, arm="control"), AtMost(bound=0.25)),
        claim("random_stops", Twins(metric="compressibility/auc"), Greater(matters=0.05), by="compression.transfer"),
    ),
    "zhang_1611.03530": (
        claim("all_fit", Metric(metric="train/accuracy"), AtLeast(bound=0.99), by=(NOISE, "data.inputs")),
        claim("random_takes_longer", Twins(metric="train/epochs_to_fit"), Less(matters=1)),
        claim("test_falls", Slope(of=TEST, over=NOISE), Less(), by="model.name"),
    ),
    "rolnick_1705.10694": (
        claim("slowly", Slope(of=TEST, over=NOISE, scale="log"), AtLeast(bound=-0.05)),
        claim("above_chance", TEST, AtLeast(bound=0.2), by=NOISE),
    ),
    "neyshabur_1805.12076": (
        claim("distance", Slope(of=Metric(metric="measure/norms/distance"), over="model.width", scale="log"), Less()),
        claim("capacity", Slope(of=Metric(metric="measure/capacity/mean"), over="model.width", scale="log"), Less()),
    ),
    "goldt_1906.08632_tian_1905.13405": (
        claim("grows", Slope(of=Metric(metric="test/loss"), over="model.width"), Greater()),
        claim("flat", Slope(of=Metric(metric="test/loss"), over="model.width"), AtMost(bound=0)),
        claim("found", Share(of=Metric(metric="measure/teacher/cosine"), above=0.95), AtLeast(bound=0.9)),
        claim("every_unit", Metric(metric="measure/teacher/found"), Exactly(count=4)),
    ),
    "casper_1912.04783": (
        claim("knockouts", Slope(of=KNOCKED, over="model.width"), Greater(), by=NOISE),
        claim("removable", Slope(of=Metric(metric="measure/units/removable_share"), over="model.width"), Greater()),
    ),
    "martin_1810.01075": (
        claim("spikes", changed("measure/spectrum/spikes", "measure/spectrum/spikes_initial"), Greater(matters=1)),
        claim("shuffled", Metric(metric="measure/spectrum/spikes_shuffled"), AtMost(bound=0.5), role="claim"),
        claim("rank", changed("measure/spectrum/stable_rank", "measure/spectrum/stable_rank_initial"), Less()),
    ),
    "nagarajan_1902.04742": (
        claim("few", Twins(metric="measure/projection/directions"), Less(matters=1)),
        claim(
            "random", changed("measure/projection/top16_accuracy", "measure/projection/random16_accuracy"), Greater()
        ),
    ),
    "frankle_1803.03635": (
        claim("as_dense", Difference(first=at(4.7), second=DENSE), AtLeast(bound=-0.002)),
        claim("reinit", Difference(first=at(7.3), second=at(7.3, "scratch_replicate")), Greater(matters=0.003)),
        claim(
            "shuffled",
            Between(of=at(7.3), first={"compression.recovery": "rewind"}, second={"compression.recovery": "shuffled"}),
            Greater(matters=0.003),
        ),
    ),
    "late_rewinding_1903.01611_morcos_1906.02773": (
        claim(
            "late",
            Between(of=at(8), first={"compression.rewind_to": 1}, second={"compression.rewind_to": 0}),
            Greater(),
        ),
        claim(
            "larger_sources",
            Order(of=TEST, settings=({"compression.ticket": "large"}, {"compression.ticket": "small"})),
            Greater(),
        ),
    ),
    "han_1506.02626_li_1608.08710_liu_1810.05270": (
        claim("tuned", Difference(first=at(8), second=DENSE), Equivalent(matters=0.01)),
        claim("magnitude", Between(of=AUC, first={CRITERION: "magnitude_l1"}, second={CRITERION: "random"}), Greater()),
        claim(
            "from_scratch", AboveScratch(metric="level/test_accuracy"), AtMost(bound=0), by="compression.granularity"
        ),
    ),
    "brutzkus_1810.03037": (
        claim("width", Slope(of=TEST, over="model.width"), Greater()),
        claim("clusters", changed("measure/clusters/distance", "measure/clusters/distance_initial"), Less()),
    ),
    "redundancy_project": (
        claim(
            "orders",
            Order(
                of=AUC,
                settings=(
                    {CRITERION: "magnitude_l2", DIRECTION: "lowest"},
                    {CRITERION: "random"},
                    {CRITERION: "magnitude_l2", DIRECTION: "highest"},
                ),
            ),
            Greater(matters=0.05),
        ),
        claim(
            "tie",
            Between(of=AUC, first={DIRECTION: "lowest"}, second={DIRECTION: "highest"}),
            Equivalent(matters=0.05),
            where={"compression.recovery": "finetune"},
        ),
        claim("rank_10", Difference(first=at(4), second=DENSE), AtLeast(bound=-0.0634), by="model.name"),
    ),
    "quantization_low_rank_hashing": (
        claim("lossless", Difference(first=at(4), second=DENSE), Equivalent(matters=0.005)),
        claim(
            "fewer_bits",
            Difference(first=at(8, "control"), second=at(8)),
            Greater(matters=0.1),
            by="compression.method",
        ),
    ),
    "hypernetworks_dropneuron_urban": (
        claim("close", Difference(first=at(15), second=DENSE), AtLeast(bound=-0.02)),
        claim("sizes", Metric(metric="level/parameters"), AtMost(bound=3680)),
        claim(
            "extra_inputs",
            Between(of=AUC, first={"compression.transfer": "extra"}, second={"compression.transfer": "labels"}),
            Greater(),
        ),
    ),
    "kept_and_changed": (claim("selective", KeptOverChanged(metric="compressibility/auc"), Greater(matters=0.05)),),
    "gap": (claim("tracks", Association(first=AUC, second=Metric(metric="gap/accuracy")), Less()),),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_of_the_papers_is_a_claim_that_survives_json(row: str) -> None:
    for stated in ROWS[row]:
        assert Claim.model_validate_json(stated.model_dump_json()) == stated
        assert json.loads(json.dumps(stated.identity())) == stated.identity()
        assert all([*atoms(value)] for value in stated.values)


def space(**more: Any) -> SearchSpace:
    span = {NOISE: Choices(values=(0.25, 1.0)), "model.width": Choices(values=(64, 128))}
    return SearchSpace(base={"data.name": "digits"}, span=more.pop("span", span), **more)


def test_the_prose_is_no_part_of_what_a_study_is() -> None:
    first = claim("a", Twins(metric="compressibility/auc"), Greater(matters=0.05), by=NOISE)
    assert first.model_copy(update={"says": "Other words.", "name": "b", "source": "x"}).identity() == first.identity()
    for change in ({"by": ()}, {"role": "description"}, {"comparison": Greater(matters=0.1)}, {"where": {NOISE: (1,)}}):
        assert first.model_copy(update=change).identity() != first.identity()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AUC, (0, 1)),
        (Twins(metric="compressibility/auc"), (-1, 1)),
        (Metric(metric="contrast/auc"), (-1, 1)),
        (Metric(metric="contrast/retained"), (-2, 2)),
        (Metric(metric="gap/accuracy"), (-1, 1)),
        (Metric(metric="train/loss"), None),
        (Metric(metric="gap/r2"), None),
        (Metric(metric="measure/x/y", bounds=(0, 3)), (0, 3)),
        (Difference(first=at(8), second=DENSE), (-1, 1)),
        (Difference(first=AUC, second=Metric(metric="train/loss")), None),
        (Twins(metric="compressibility/selectivity"), (-2, 2)),
    ],
)
def test_bounds(value: Any, expected: Any) -> None:
    assert bounds(value) == expected


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        (claim("x", AUC, Greater(), by=DIRECTION), "decided by compression.direction, which this study does not span"),
        (claim("x", Slope(of=AUC, over="training.lr"), Less()), "slope over training.lr, which this study does not"),
        (claim("x", Slope(of=AUC, over="data.noise_kind"), Less()), "'uniform' is no number"),
        (claim("x", AUC, Less(), where={"data.noise_kind": "permuted"}), "noise_kind=permuted, and it is uniform or"),
        (claim("x", AUC, Less(), where={"data.name": "mnist"}), "data.name=mnist, and it is digits in all"),
        (
            claim("x", Between(of=AUC, first={"model.width": 64}, second={"model.width": 96}), Less()),
            "model.width=96, and it is 64 or 128",
        ),
        (
            claim("x", AUC, Less(), by=("data.lable_noise",)),
            "no trial has such a field (did you mean data.label_noise?)",
        ),
        (
            claim("x", AUC, Less(), where={"train.lr": 0.1}),
            "train.lr=0.1, and no trial has such a field (did you mean ",
        ),
    ],
)
def test_what_a_study_does_not_span_is_refused(stated: Claim, reason: str) -> None:
    there = space(
        span={
            NOISE: Choices(values=(0.25, 1.0)),
            "model.width": Choices(values=(64, 128)),
            "data.noise_kind": Choices(values=("uniform", "renamed")),
        }
    )
    assert any(reason in said for said in refusals(stated, there)), refusals(stated, there)


@pytest.mark.parametrize(
    ("base", "refused"),
    [({"control": False, NOISE: 1.0}, True), ({NOISE: 0.0}, True), ({NOISE: 1.0}, False)],
)
def test_twins_where_there_are_none_are_refused(base: dict[str, Any], refused: bool) -> None:
    there = SearchSpace(base={"data.name": "digits", **base}, span={"model.width": Choices(values=(64, 128))})
    for quantity in (Twins(metric="compressibility/auc"), Metric(metric="contrast/auc"), at(4, "control")):
        said = refusals(claim("x", quantity, Greater()), there)
        assert bool(said) == refused
        assert not refused or "none are trained" in said[0]


def test_a_range_has_no_values_to_decide_for() -> None:
    there = space(span={NOISE: Range(low=0.0, high=1.0)})
    assert "spans a range" in refusals(claim("x", AUC, Greater(), by=NOISE), there)[0]
    assert refusals(claim("x", Slope(of=AUC, over=NOISE), Less()), there) == ()
    assert "above 0" in refusals(claim("x", Slope(of=AUC, over=NOISE, scale="log"), Less()), there)[0]


def test_a_named_claim_follows_the_settings_of_its_study() -> None:
    stated = claim("x", Twins(metric="compressibility/auc"), Greater(), by=NOISE)
    placebo = claim(
        "y",
        Twins(metric="compressibility/auc"),
        Equivalent(matters=0.05),
        role="placebo",
        where={"data.noise_kind": "renamed"},
    )
    there = space(claims=(stated, placebo))
    kept, notes = carry_claims(there)
    assert (kept.claims, notes) == ((stated,), ())
    fixed, _ = carry_claims(there.fix({NOISE: 1.0, "data.noise_kind": "renamed"}))
    assert [(c.name, c.by) for c in fixed.claims] == [("x", ()), ("y", ())]
    none, notes = carry_claims(there.fix({"control": False}))
    assert none.claims == ()
    assert "claim x is left out" in notes[0]


def test_comparisons_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="share can't be compared by greater"):
        claim("x", Share(of=AUC), Greater())
    with pytest.raises(ValueError, match="a placebo comes out as nothing"):
        claim("x", AUC, Greater(), role="placebo")
    with pytest.raises(ValueError, match="lower case letters"):
        claim("Not a name", AUC, Greater())
    with pytest.raises(ValueError, match="two of the settings are the same"):
        Between(of=AUC, first={NOISE: 1}, second={NOISE: 1})
    with pytest.raises(ValueError, match="one of the two"):
        Level(column="test_accuracy")
    with pytest.raises(ValueError, match="two claims are called x"):
        space(claims=(claim("x", AUC, Greater()), claim("x", AUC, Less())))
