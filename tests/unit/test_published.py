"""What a paper published stands on top of its study's own curve, in the units of that curve."""

import pandas as pd
import pytest

from search_spaces import catalog
from study.config import StudyConfig
from study.report.figure import Absent, Picture, figures
from study.report.material import Material
from tests.unit.report_frames import Recipe, judged, make

TICKETS = catalog.study("lottery_ticket")
PROTOCOL = {
    "compression.method": "prune",
    "compression.rate": 0.2,
    "compression.granularity": "weight",
    "compression.recovery": "rewind",
    "model.name": "lenet_300_100",
}
BLOG = {
    "data.label_noise": 1.0,
    "compression.method": "distill",
    "compression.rate": 0.2,
    "compression.transfer": "train",
}


def material(
    recipe: Recipe, base: dict[str, object], study: str
) -> tuple[StudyConfig, pd.DataFrame, pd.DataFrame, Material]:
    """A made-up study that asks what a named one asks."""
    config, trials, networks = make(recipe)
    space = config.space.model_copy(update={"title": catalog.get(study).title, "base": base})
    config = config.model_copy(update={"space": space})
    trials, networks = (frame.assign(**base) for frame in (trials, networks))
    return config, trials, networks, Material(config, trials, networks, judged(config, trials, networks))


def of_tickets(**base: object) -> tuple[pd.DataFrame, Picture | Absent]:
    recipe = Recipe(noise=(0.0,), widths=(64, 96), criteria=("magnitude_l2",), scratch=True, control=False)
    _, _, networks, shown = material(recipe, PROTOCOL | base, "lottery_ticket")
    return networks, figures()["published"].draw(shown)


def test_differences_within_networks_are_drawn_with_the_published_points() -> None:
    networks, shown = of_tickets()
    assert isinstance(shown, Picture)
    table = shown.data.set_index(["panel", "series", "level"])["mean"]
    from_dense, from_fresh = TICKETS.published
    arms = networks.pivot_table(index=["trial", "network"], columns=["arm", "level"], values="test_accuracy")
    own, fresh = arms["replicate"], arms["scratch_replicate"]
    for level in (0, 3, 6):
        dense = (own[level] - own[0]).groupby("trial").mean().mean()
        assert table[from_dense.title, "network", level] == pytest.approx(dense)
        assert table[from_fresh.title, "network", level] == pytest.approx((own[level] - fresh[level]).mean())
    for curve in TICKETS.published:
        assert [(level, table[curve.title, "published", level]) for level, _ in curve.points] == list(curve.points)
        assert curve.says in shown.caption
        assert curve.source in shown.caption
    assert "2 trials" in shown.caption


def test_a_place_without_a_number_is_drawn_where_it_was_published() -> None:
    recipe = Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2",))
    *_, networks, shown = material(recipe, BLOG, "blog")
    picture = figures()["published"].draw(shown)
    assert isinstance(picture, Picture)
    assert len(picture.panels) == 1, "the study has one kind of inputs"
    rows = picture.data[picture.data["series"] == "published"]
    assert rows["level"].tolist() == [10]
    assert rows["mean"].isna().all()
    twins = networks[networks["arm"] == "control"].groupby("level")["train_accuracy"].mean()
    clean = picture.data[picture.data["series"] == "clean twin"].set_index("level")["mean"]
    assert clean.tolist() == pytest.approx(twins.tolist())


def test_levels_of_another_rate_are_not_the_papers() -> None:
    assert of_tickets(**{"compression.rate": 0.5})[1] == Absent("")
    assert of_tickets(**{"compression.granularity": "unit"})[1] == Absent(""), "a level has fewer units, not weights"
    assert of_tickets(**{"model.name": "conv6"})[1] == Absent(""), "as it is at size large"
    none = of_tickets(**{"compression.recovery": "shuffled"})[1]
    assert isinstance(none, Absent)
    assert "of their kind" in none.reason, "there is nothing of tickets to show"


def test_labels_of_another_kind_or_of_several_are_not_the_papers() -> None:
    assert of_tickets(**{"data.label_noise": 0.5})[1] == Absent("")
    assert isinstance(of_tickets(**{"data.label_noise": 0.0})[1], Picture), "as where nothing is said"
    config, *_, shown = material(Recipe(noise=(0.0, 0.5), scratch=True), PROTOCOL, "lottery_ticket")
    assert "data.label_noise" in config.space.span
    assert figures()["published"].draw(shown) == Absent(""), "a mean over both would be of neither"


def test_what_was_published_is_over_no_trial_of_ours_and_the_legend_has_what_is_drawn() -> None:
    recipe = Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2",), control=False)
    *_, shown = material(recipe, BLOG, "blog")
    picture = figures()["published"].draw(shown)
    assert isinstance(picture, Picture)
    assert set(picture.data[picture.data["series"] == "published"]["over"]) == {""}
    legend = {key.text for key in picture.legend}
    assert "clean twin" not in legend
    assert ("95 % interval" in legend) == bool(picture.data["ci95"].notna().any())


def test_without_intervals_none_is_spoken_of() -> None:
    recipe = Recipe(noise=(1.0,), widths=(64,), criteria=("magnitude_l2",), replicates=2)
    *_, shown = material(recipe, BLOG, "blog")
    picture = figures()["published"].draw(shown)
    assert isinstance(picture, Picture)
    assert picture.data["ci95"].isna().all()
    assert "interval" not in picture.caption + " ".join(key.text for key in picture.legend)


def test_a_study_of_ones_own_has_none() -> None:
    config, trials, networks = make()
    assert figures()["published"].draw(Material(config, trials, networks, judged(config, trials, networks))) == Absent(
        ""
    )
