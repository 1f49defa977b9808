"""Families of claims, units, conditions, placebos and what was stated later."""

import json
import math

import numpy as np
import pytest

from search_spaces.claims import Equivalent, Greater, Less
from search_spaces.quantities import Between, Level, Metric, Twins
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from study.answer.deciding import verdicts
from study.answer.holm import Decision, holm
from study.answer.standing import Standing
from tests.unit.claim_studies import M, claim, decide, spread, study
from tests.unit.report_frames import Recipe, make


def test_a_description_gets_no_verdict_and_a_failing_placebo_stands_first() -> None:
    stated = (
        claim(M, Greater(), "a"),
        claim(M, Equivalent(matters=0.05), "p", role="placebo"),
        claim(M, Greater(), "d", role="description"),
    )
    found = decide(stated, study(spread(0.3)))
    assert found.finding_of("d").verdict == "described"
    assert [one.claim for one in found.failed_placebos] == ["p"]
    assert found.headlines[0].claim == "p"
    assert found.as_text().startswith("A placebo fails")
    assert found.family == 1, "placebos are a family of their own"
    json.dumps(found.as_dict(), allow_nan=False)


def test_exploratory_claims_stand_apart_with_how_many_were_tried() -> None:
    later = (claim(M, Greater(), "e"), claim(M, Less(), "f"))
    found = decide(claim(M, Greater(), "a"), study(spread(0.3)), exploratory=later)
    assert found.family == 1
    assert "(2 claims tried)" in found.as_text()


def test_conditions_and_pooled_share_the_family_and_holm_spares_those_decided() -> None:
    _, trials, networks = make(Recipe(noise=(0.25, 0.5, 1.0)))
    stated = claim(Twins(metric="compressibility/auc"), Greater(matters=0.05), by="data.label_noise")
    space = SearchSpace(span={"data.label_noise": Choices(values=(0.25, 0.5, 1.0))}, claims=(stated,))
    plan = trials[trials["state"] == "COMPLETE"]
    found = verdicts(space, trials, networks, plan=plan, standing=Standing(24, 24, 24))
    assert found.family == 4
    assert [one.condition for one in found.findings] == ["noise 0.25", "noise 0.5", "noise 1.0", "pooled"] or [
        one.condition for one in found.findings
    ] == ["noise 0.25", "noise 0.5", "noise 1", "pooled"]
    assert all(one.verdict == "supported" for one in found.findings)
    assert found.finding_of("x").n == 24


def test_networks_are_the_unit_where_few_trials_are_planned() -> None:
    _, trials, networks = make(Recipe(noise=(1.0,), widths=(64,), criteria=("random",), failed=0))
    stated = claim(Twins(metric="compressibility/auc"), Greater(matters=0.05))
    space = SearchSpace(base={"data.label_noise": 1.0}, claims=(stated,))
    found = verdicts(space, trials, networks, plan=trials, standing=Standing(1, 1, 1)).finding_of("x")
    assert (found.n, found.planned, found.unit) == (5, 5, "network")
    assert found.estimate == pytest.approx(trials["contrast/auc"].iloc[0])
    gap = claim(Metric(metric="gap/accuracy"), Greater(), "gap")
    level = claim(Level(column="test_accuracy", level=-1), Greater(), "last")
    both = verdicts(space.model_copy(update={"claims": (gap, level)}), trials, networks, plan=trials,
                    standing=Standing(1, 1, 1))  # fmt: skip
    assert both.finding_of("gap").estimate == pytest.approx(trials["gap/accuracy"].iloc[0])
    deepest = networks[(networks["arm"] == "replicate") & (networks["level"] == networks["level"].max())]
    assert both.finding_of("last").estimate == pytest.approx(deepest["test_accuracy"].mean())


def test_trials_that_had_nothing_to_memorise_do_not_dilute_a_claim() -> None:
    trials = study([*spread(0.3, 12), *spread(0.0, 12, deviation=0.03)])
    trials["data.noise_kind"] = ["uniform"] * 12 + ["renamed"] * 12
    trials["contrast/auc"] = trials["measure/x/y"]
    stated = (
        claim(Twins(metric="compressibility/auc"), Greater(matters=0.05), "a"),
        claim(
            Twins(metric="compressibility/auc"),
            Equivalent(matters=0.2),
            "p",
            role="placebo",
            where={"data.noise_kind": "renamed"},
        ),
    )
    found = decide(stated, trials)
    assert (found.finding_of("a").n, found.finding_of("p").n) == (12, 12)
    assert (found.finding_of("a").verdict, found.finding_of("p").verdict) == ("supported", "supported")
    alone = decide(stated, trials[12:])
    assert alone.finding_of("a").verdict == "refuted", "a study of nothing else is asked all the same"


def test_holm_by_hand() -> None:
    alpha = 0.025
    logs = np.log([[100, 1, 1], [100, 70, 1], [100, 70, 41]]).astype(float)
    never = np.full((3, 3), -math.inf)
    # thresholds: 120 for three, 80 for two, 40 for the last
    assert holm(logs, never, alpha) == [None, None, None]
    logs[1, 0] = logs[2, 0] = math.log(121)
    assert holm(logs, never, alpha) == [Decision(True, 1), None, None]
    logs[2, 1] = math.log(81)
    assert holm(never, logs, alpha) == [Decision(False, 1), Decision(False, 2), Decision(False, 2)]


def test_holm_rejects_what_statsmodels_does() -> None:
    from tests.unit.test_evidence import ORACLES

    case = ORACLES["holm"]
    strengths = -np.log(np.array(case["p"]))[None]
    found = holm(strengths, np.full_like(strengths, -math.inf), case["alpha"])
    assert [decision is not None for decision in found] == case["rejected"]


def test_networks_that_met_both_settings_are_paired_one_by_one() -> None:
    _, trials, networks = make(Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2", "random"), failed=0))
    trials["cell"] = networks["cell"] = "cell 0"
    criterion = "compression.criterion"
    stated = claim(
        Between(
            of=Metric(metric="compressibility/auc"), first={criterion: "magnitude_l2"}, second={criterion: "random"}
        ),
        Greater(matters=0.02),
    )
    space = SearchSpace(
        base={"data.label_noise": 1.0}, span={criterion: Choices(values=("magnitude_l2", "random"))}, claims=(stated,)
    )
    found = verdicts(space, trials, networks, plan=trials, standing=Standing(2, 2, 2)).finding_of("x")
    means = trials.set_index(criterion)["compressibility/auc"]
    assert (found.n, found.unit) == (5, "network")
    assert found.estimate == pytest.approx(means["magnitude_l2"] - means["random"])
    assert (found.verdict, found.by) == ("supported", "planned n")


def test_what_holms_steps_decide_before_the_interval_does_is_said() -> None:
    """t = 2.23 with 23 degrees of freedom: p = .018 lies between .025/2, at which intervals are drawn, and .025."""
    weak = Metric(metric="measure/x/z", bounds=(-2, 2))
    values = spread(2.23 * 0.1 / math.sqrt(24), seed=1)
    found = decide(
        (claim(M, Greater(), "a"), claim(weak, Greater(), "b")), study(spread(0.3), **{"measure/x/z": values})
    )
    strong, second = found.finding_of("a"), found.finding_of("b")
    assert (second.verdict, second.by) == ("supported", "planned n")
    assert second.shown_interval[0] is not None
    assert second.shown_interval[0] < 0
    assert second.stepped
    assert not strong.stepped
    assert "its interval, drawn for all claims at once, alone would not decide it yet" in second.sentence
    assert "alone would not" not in strong.sentence
    turned = decide(
        (claim(M, Greater(), "a"), claim(weak, Less(matters=0.01), "b")),
        study(spread(0.3), **{"measure/x/z": [value - 0.01 for value in values]}),
    ).finding_of("b")
    assert (turned.verdict, turned.stepped) == ("refuted", True)
