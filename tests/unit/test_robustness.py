"""What turns a verdict: stored curves summed up another way, and the claims asked again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from search_spaces.space import SearchSpace
from search_spaces.usual import usual_claims
from study.answer.deciding import verdicts
from study.answer.resummarising import Summing
from study.answer.robustness import Robustness, robustness
from study.answer.standing import Standing
from study.report import write_report
from tests.unit.report_frames import CHANCE, Recipe, auc, judged, make

pytestmark = pytest.mark.slow

EARLIER = "memorising_breaks_earlier"
Made = tuple[SearchSpace, pd.DataFrame, pd.DataFrame]


def made(recipe: Recipe | None = None) -> Made:
    config, trials, networks = make(recipe or Recipe(failed=0))
    return config.space.model_copy(update={"claims": usual_claims(config.space)}), trials, networks


def asked(space: SearchSpace, trials: pd.DataFrame, networks: pd.DataFrame) -> Robustness:
    return robustness(space, trials, networks, plan=trials, standing=Standing(*[len(trials)] * 3))


def test_with_the_choices_of_the_study_it_sums_up_what_the_trials_said() -> None:
    _, trials, networks = made(Recipe(failed=0, scratch=True, base={"compression.recovery": "none"}))
    trials["contrast/retained"] = np.nan
    again = Summing(trials, networks).trials(networks=networks)
    for name in (
        "compressibility/auc",
        "control/compressibility/auc",
        "contrast/auc",
        "baseline/scratch_auc",
        "gap/accuracy",
        "control/gap/accuracy",
        "train/accuracy",
        "control/test/accuracy",
    ):
        assert again[name].tolist() == pytest.approx(trials[name].tolist(), abs=1e-12), name
    curves = dict(iter(networks[networks["trial"] == 3].groupby("arm")))
    left = [
        sum(
            sign * auc(rows[rows["network"] == network].sort_values("level").to_dict("records"))
            for arm, sign in (("control", 1), ("replicate", -1), ("scratch_control", -1), ("scratch_replicate", 1))
            for rows in [curves[arm]]
        )
        for network in range(5)
    ]
    assert again["contrast/retained"].iloc[3] == pytest.approx(np.mean(left))


def test_other_choices_are_other_numbers() -> None:
    _, trials, networks = made()
    summing = Summing(trials, networks)
    half = summing.trials(reach=0.5)["compressibility/auc"].iloc[0]
    first = networks[(networks["trial"] == 0) & (networks["arm"] == "replicate")]
    curves = [rows.sort_values("level").to_dict("records") for _, rows in first.groupby("network")]
    assert half == pytest.approx(np.mean([auc(curve[:4], length=2.0) for curve in curves])), "levels 0 to 3 of 6"
    kept = summing.trials(share=0.5)["compressibility/auc"].iloc[0]
    crossings = []
    for curve in curves:
        share = [(row["train_accuracy"] - CHANCE) / (curve[0]["train_accuracy"] - CHANCE) for row in curve]
        below = next(place for place, value in enumerate(share) if value < 0.5)
        step = (share[below - 1] - 0.5) / (share[below - 1] - share[below])
        crossings.append((below - 1 + step) * 4 / 6 / 4)
    assert kept == pytest.approx(np.mean(crossings))


def test_a_large_effect_is_turned_by_nothing() -> None:
    found = asked(*made())
    mine = [check for check in found.checks if check.claim == EARLIER]
    assert {check.kind for check in mine} == {
        "as stated",
        "reach",
        "accuracy kept",
        "replicates",
        "instrument",
    }
    assert {check.verdict for check in mine} == {"supported"}
    assert f"no choice of {len(mine) - 1} turns it" in found.sentence(EARLIER)
    assert "with networks that did not fit: these are the same networks." in found.absent
    assert [check.n for check in mine if check.kind == "instrument"] == [12, 12]
    json.dumps(found.as_dict(), allow_nan=False)


def test_a_verdict_that_hangs_on_an_instrument_says_on_which() -> None:
    space, trials, networks = made()
    other = trials["compression.criterion"] == "random"
    trials.loc[other, "contrast/auc"] = np.linspace(-0.06, -0.04, 12)
    trials.loc[~other, "contrast/auc"] = np.linspace(0.4, 0.5, 12)
    found = {check.choice: check for check in asked(space, trials, networks).checks if check.claim == EARLIER}
    assert found["as stated"].verdict == "supported"
    assert found["without criterion magnitude_l2"].is_reversed
    assert found["without criterion random"].verdict == "supported"
    assert "turned without criterion magnitude_l2" in asked(space, trials, networks).sentence(EARLIER)


def test_networks_that_count_as_fitted_can_turn_it() -> None:
    """Pairs of which one twin did not fit are left out; with them the contrast is the other way round."""
    space, trials, networks = made(Recipe(failed=0, noise=(1.0,), widths=(64, 80, 96, 128, 160, 200, 256)))
    unfit = networks["network"] < 3
    flipped = {"replicate": "control", "control": "replicate"}
    networks.loc[unfit, "arm"] = networks.loc[unfit, "arm"].map(flipped)
    networks["interpolated"] = ~unfit
    trials["contrast/auc"] = Summing(trials, networks).trials()["contrast/auc"]
    trials["train/interpolated"] = trials["control/train/interpolated"] = 0.4
    found = {check.choice: check for check in asked(space, trials, networks).checks if check.claim == EARLIER}
    assert found["as stated"].verdict == "supported"
    everything = found["with networks that did not fit"]
    assert (everything.verdict, everything.is_reversed, everything.kind) == ("refuted", True, "exclusion")
    assert everything.estimate is not None
    assert everything.estimate < 0


def test_stopping_rules_are_asked_about_where_they_differ() -> None:
    space, trials, networks = made()
    late = networks["network"] == 0
    networks.loc[late, "stop_reason"] = ""
    found = [check for check in asked(space, trials, networks).checks if check.kind == "stop rule"]
    assert {check.choice for check in found} == {"with networks alone that a stopping rule ended"}
    fewer = Summing(trials, networks).trials(networks=networks[~late])["contrast/auc"]
    (one,) = [check for check in found if check.claim == EARLIER]
    assert one.estimate == pytest.approx(fewer.mean())


def test_without_networks_curves_are_not_asked_and_without_claims_nothing_is() -> None:
    space, trials, networks = made()
    found = asked(space, trials, networks.iloc[:0])
    assert found.absent == ("other summaries of curves: no networks are stored.",)
    assert {check.kind for check in found.checks} == {"as stated", "instrument"}
    nothing = asked(space.model_copy(update={"claims": ()}), trials, networks)
    assert nothing == Robustness(())
    assert nothing.as_text() == "No claim to hold against other choices."


def test_the_page_has_a_section_of_it(tmp_path: Path) -> None:
    config, trials, networks = make(Recipe(failed=0))
    space = config.space.model_copy(update={"claims": usual_claims(config.space)})
    checks = asked(space, trials, networks)
    page = write_report(config, trials, networks, judged(config, trials, networks), tmp_path, robustness=checks)
    html = page.read_text(encoding="utf-8")
    assert '<section id="robustness">' in html
    assert "no choice of" in html
    assert len(html) < 5_000_000
    table = pd.read_csv(tmp_path / "figures" / "robustness.csv")
    assert len(table) == len(checks.checks)


@pytest.mark.parametrize("more", [0, 6])
def test_verdicts_in_brief_are_the_verdicts(more: int) -> None:
    """As planned, where t is asked as well, and extended."""
    for recipe in (Recipe(failed=0), Recipe(effect=0.0), Recipe(effect=0.15, spread=0.3, noise=(0.5,))):
        space, trials, networks = made(recipe)
        standing = Standing(len(trials) - more, len(trials), len(trials))
        whole, brief = (
            verdicts(space, trials, networks, plan=trials, standing=standing, brief=brief) for brief in (False, True)
        )
        assert not any(found.stepped for found in whole.findings if found.verdict == "open")
        asked_for = [found for found in whole.headlines if found.role != "description"]
        for found in asked_for:
            short = brief.finding_of(found.claim)
            for name in ("verdict", "by", "estimate", "shown_interval", "n", "unit", "reason", "excluded"):
                assert getattr(short, name) == getattr(found, name), (found.claim, name)
        assert len(asked_for) >= 2
        assert [found.verdict for found in brief.findings] == [found.verdict for found in whole.findings]


def test_what_is_undefined_under_a_choice_says_why() -> None:
    space, trials, networks = made()
    checks = [check for check in asked(space, trials, networks).checks if check.verdict == "undefined"]
    assert checks
    assert all(check.reason and check.reason in check.brief for check in checks)
