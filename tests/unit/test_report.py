"""The report: every figure drawn where there is something to draw, absences said, one file that needs nothing else."""

import re
from base64 import b64decode
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from study.report import write_report
from study.report.curves import ratio_title
from study.report.figure import Absent, Picture, figures
from study.report.material import Material
from study.report.methods import citation, methods_paragraph
from study.report.scales import Scale, ratio_label, ratio_ticks, spanning
from study.report.trial_table import trial_table
from tests.unit.report_frames import Recipe, judged, make

pytestmark = pytest.mark.slow

RECOVERY = {"compression.recovery": "finetune", "compression.recovery_epochs": 4}
STUDIES = {
    "full": Recipe(),
    "one trial": Recipe(noise=(1.0,), widths=(64,), criteria=("random",)),
    "no control": Recipe(control=False),
    "placebo": Recipe(base={"data.noise_kind": "renamed"}, effect=0.0),
    "with clean": Recipe(noise=(0.0, 0.5, 1.0)),
    "only clean": Recipe(noise=(0.0,)),
    "scratch": Recipe(scratch=True, noise=(0.5, 1.0), base=RECOVERY),
    "many panels": Recipe(noise=(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8), widths=(64, 128), failed=0),
}


def _write(recipe: Recipe, folder: Path) -> str:
    config, trials, networks = make(recipe)
    return write_report(config, trials, networks, judged(config, trials, networks), folder).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", STUDIES)
def test_every_kind_of_study_gets_a_page(name: str, tmp_path: Path) -> None:
    html = _write(STUDIES[name], tmp_path)
    assert "NaN" not in re.sub(r"<script>.*</script>", "", html, flags=re.S)
    assert not re.search(r"\bnan\b|None ±|\binf\b", re.sub(r"<script>.*|<pre>.*?</pre>", "", html, flags=re.S))
    assert len(html) < 2_000_000
    for path in (tmp_path / "figures").glob("*.svg"):
        ElementTree.parse(path)
        assert (path.with_suffix(".csv")).stat().st_size > 20


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    html = _write(Recipe(), tmp_path)
    assert not re.search(r"""(src|href)=["']?(https?:)?//|url\(|@import""", html)
    links = dict(re.findall(r'<a download="([^"]+)" href="data:[^;]+;base64,([^"]+)"', html))
    assert set(re.findall(r'href="([^,"]+,)', html)) == {
        "data:,",
        "data:text/csv;base64,",
        "data:image/svg+xml;base64,",
    }
    assert "figures/" not in html
    beside = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    assert {name: b64decode(content) for name, content in links.items()} == beside


def test_a_full_study_draws_every_figure_but_those_of_students() -> None:
    config, trials, networks = make()
    material = Material(config, trials, networks, judged(config, trials, networks))
    drawn = {name: figure.draw(material) for name, figure in figures().items()}
    absent = {name for name, shown in drawn.items() if not isinstance(shown, Picture)}
    assert absent >= {"criteria", "following", "scratch_arm"}
    assert drawn.keys() - absent >= {
        "verdicts",
        "descriptions",
        "score_curves",
        "contrast_by_noise",
        "epochs_to_fit",
        "heat_maps",
    }
    curves = drawn["score_curves"]
    assert isinstance(curves, Picture)
    assert len(curves.panels) == 6  # 3 noise levels × 2 criteria


def test_the_scratch_arm_is_drawn_beside_and_subtracted() -> None:
    config, trials, networks = make(STUDIES["scratch"])
    material = Material(config, trials, networks, judged(config, trials, networks))
    shown = figures()["scratch_arm"].draw(material)
    assert isinstance(shown, Picture)
    difference = shown.data["retained"] - shown.data["scratch"]
    assert difference.tolist() == pytest.approx(shown.data["difference"].tolist())
    assert (difference > 0.05).all()


def test_criteria_stand_beside_random_removal_best_first() -> None:
    config, trials, networks = make(Recipe(noise=(1.0,), criteria=("magnitude_l2", "random", "taylor", "fpgm")))
    better = networks["compression.criterion"] == "taylor"
    networks = networks.assign(test_accuracy=0.3 + 0.2 * better)
    networks["compression.direction"], trials["compression.direction"] = "lowest", "lowest"
    shown = figures()["criteria"].draw(Material(config, trials, networks, judged(config, trials, networks)))
    assert isinstance(shown, Picture)
    assert next(panel.label.rpartition(" ")[2] for panel in shown.panels) == "taylor"
    assert len(shown.panels) == 3, "random is the baseline of each, not one of them"
    assert {key.text for key in shown.legend} >= {"lowest scores removed first", "removed at random"}
    assert "highest removed first" not in {key.text for key in shown.legend}
    assert shown.data[shown.data["panel"] == "taylor"]["mean"].tolist() == pytest.approx([0.5] * 33)


def test_bands_are_t_intervals_over_trials() -> None:
    config, trials, networks = make()
    material = Material(config, trials, networks, judged(config, trials, networks))
    shown = figures()["score_curves"].draw(material)
    assert isinstance(shown, Picture)
    row = shown.data[(shown.data["panel"] == "noise 1 · random") & (shown.data["series"] == "replicate")].iloc[-1]
    last = networks[
        (networks["data.label_noise"] == 1)
        & (networks["compression.criterion"] == "random")
        & (networks["arm"] == "replicate")
        & (networks["level"] == 6)
    ]
    means = last.groupby("trial")["train_accuracy"].mean()
    assert row["n"] == 4
    assert row["log2_ratio"] == 4
    assert row["mean"] == pytest.approx(means.mean())
    assert row["ci95"] == pytest.approx(3.182446 * means.std(ddof=1) / 2, rel=1e-5)


def test_heat_maps_take_the_two_telling_fields_where_width_and_noise_do_not_both_vary() -> None:
    config, trials, networks = make(Recipe(noise=(1.0,)))
    material = Material(config, trials, networks, judged(config, trials, networks))
    shown = figures()["heat_maps"].draw(material)
    assert isinstance(shown, Picture)
    assert {"magnitude_l2", "random"} <= {*shown.data["row"].astype(str), *shown.data["column"].astype(str)}


def test_only_gaps_at_equal_fit_are_set_against_compressibility() -> None:
    config, trials, networks = make()
    first = int(trials.loc[trials["state"] == "COMPLETE", "number"].iloc[0])
    for interpolated, shows in ((1.0, True), (0.8, False)):
        trials.loc[trials["number"] == first, "train/interpolated"] = interpolated
        material = Material(config, trials, networks, judged(config, trials, networks))
        shown = figures()["gap_against_compressibility"].draw(material)
        assert isinstance(shown, Picture)
        assert (first in set(shown.data["trial"])) == shows
        assert ("1 trial without a comparable gap" in shown.caption) != shows


def test_nothing_of_a_study_becomes_markup(tmp_path: Path) -> None:
    html = _write(Recipe(), tmp_path)
    assert "<ActorDiedError>" not in html
    assert "&lt;ActorDiedError&gt; &amp; no more" in html


def test_a_page_without_trials_says_so(tmp_path: Path) -> None:
    config, trials, networks = make()
    trials, networks = trials.iloc[:0, :0], pd.DataFrame({"trial": pd.Series(dtype="int64")})
    html = write_report(config, trials, networks, judged(config, trials, networks), tmp_path).read_text(
        encoding="utf-8"
    )
    assert "No trial has been recorded yet" in html
    assert "Not drawn" in html


def test_a_second_report_replaces_the_first(tmp_path: Path) -> None:
    _write(Recipe(), tmp_path)
    assert (tmp_path / "figures" / "heat_maps.csv").exists()
    _write(STUDIES["one trial"], tmp_path)
    assert not (tmp_path / "figures" / "heat_maps.csv").exists()


@pytest.mark.parametrize("name", STUDIES)
def test_figures_are_ordered_and_one_stands_beside_the_answer(name: str) -> None:
    orders = [figure.order for figure in figures().values()]
    assert orders == sorted(orders)
    config, trials, networks = make(STUDIES[name])
    material = Material(config, trials, networks, judged(config, trials, networks))
    beside = [figure.draw(material) for figure in figures().values() if figure.order == 0]
    assert len([shown for shown in beside if shown != Absent("")]) >= 1, "other figures may stand there too"


def test_scales_map_ends_and_tick_at_round_values() -> None:
    scale = Scale(0.0, 0.32, 100.0, 200.0)
    assert (scale(0.0), scale(0.32)) == (100.0, 200.0)
    assert scale.ticks(4) == pytest.approx([0.0, 0.1, 0.2, 0.3])
    assert spanning([0.2, 0.2], least=0.1).high > 0.2
    assert ratio_ticks(4.2) == [0, 1, 2, 3, 4]
    assert [ratio_label(x) for x in (0, 0.5, 4)] == ["1×", "1.4×", "16×"]


def test_where_nothing_is_noisy_nothing_is_called_so(tmp_path: Path) -> None:
    html = _write(Recipe(noise=(0.0,), scratch=True, control=False, base=RECOVERY), tmp_path)
    body = html.partition("<main>")[2].partition('<section id="provenance">')[0]
    assert "Along compression" in body
    assert re.findall(r"[^.<>]*\bnoisy\b[^.<>]*", re.sub(r'base64,[^"]*', "", body)) == []


def test_ways_that_differ_share_no_band() -> None:
    criteria = ("magnitude_l2", "random", "taylor", "fpgm", "snip", "cosine", "apoz")
    config, trials, networks = make(Recipe(noise=(0.0,), criteria=criteria))
    material = Material(config, trials, networks, judged(config, trials, networks))
    shown = figures()["score_curves"].draw(material)
    assert isinstance(shown, Picture)
    assert all("band" not in panel.inner(tips_as_titles=False) for panel in shown.panels)
    assert "compressed in different ways" in shown.caption
    assert "95 % interval" not in {key.text for key in shown.legend}


def test_heat_maps_hold_their_labels_and_colour_only_what_differs() -> None:
    config, trials, networks = make(Recipe(noise=(0.0,), criteria=("distance_from_initialisation", "magnitude_l2")))
    trials["gap/accuracy"] = 0.0545 + 0.0002 * trials["number"]
    shown = figures()["heat_maps"].draw(Material(config, trials, networks, judged(config, trials, networks)))
    assert isinstance(shown, Picture)
    gap = shown.panels[0].inner(tips_as_titles=False)
    colours = [bytes.fromhex(colour) for colour in re.findall(r"fill:#(\w+)\"", gap)]
    assert max(max(channel) - min(channel) for channel in zip(*colours, strict=True)) < 8, "all look alike"
    longest = re.search(r'x="([\d.]+)"[^>]*>distance from initialisation<', gap)
    assert longest is not None
    assert float(longest[1]) > 6 * len("distance from initialisation")
    trials["gap/accuracy"] = 0.05 + 0.0001 * trials["number"]
    fewer = figures()["heat_maps"].draw(Material(config, trials, networks, judged(config, trials, networks)))
    assert isinstance(fewer, Picture)
    assert len(fewer.panels) == len(shown.panels) - 1
    assert "No map of the generalization gap (train − test accuracy): it is 0.05 in all cells." in fewer.caption


@pytest.mark.parametrize("noise", [(0.5, 1.0), (0.0,)])
def test_labels_beside_a_plot_are_never_cut_off(noise: tuple[float, ...]) -> None:
    long = "distance_from_initialisation"
    config, trials, networks = make(Recipe(noise=noise, criteria=(long, "magnitude_l2")))
    beside = "descriptions" if noise != (0.0,) else "verdicts"  # where no claim has an estimate
    shown = figures()[beside].draw(Material(config, trials, networks, judged(config, trials, networks)))
    assert isinstance(shown, Picture)
    labels = re.findall(
        r'<text[^>]* x="([\d.]+)"[^>]*text-anchor="end"[^>]*>([^<]*)<', shown.panels[0].inner(tips_as_titles=False)
    )
    (longest,) = [(float(x), text) for x, text in labels if long in text]
    assert longest[0] > 6 * len(longest[1])


def test_each_claim_has_a_panel_with_both_intervals() -> None:
    config, trials, networks = make()
    found = judged(config, trials, networks)
    shown = figures()["verdicts"].draw(Material(config, trials, networks, found))
    assert isinstance(shown, Picture)
    labels = ["memorising_breaks_earlier by condition", "compressibility_follows_the_gap unit by unit"]
    assert [panel.label for panel in shown.panels] == labels
    by_condition = shown.panels[0].inner(tips_as_titles=False)
    assert by_condition.count("line thin") == by_condition.count('class="whisker') == 4, "three conditions and all"
    row = shown.data[(shown.data["condition"] == "noise 0.5")].iloc[0]
    one = next(one for one in found.conditions("memorising_breaks_earlier") if one.condition == "noise 0.5")
    assert (row["estimate"], row["t_low"], row["low"]) == (one.estimate, one.planned_interval[0], one.interval[0])
    course = shown.data[(shown.data["condition"] == "so far") & (shown.data["claim"].str.startswith("compress"))]
    assert course["units"].tolist() == [*range(2, 25)]
    last = found.finding_of("compressibility_follows_the_gap")
    assert course["estimate"].iloc[-1] == last.estimate
    assert (course["low"].dropna().diff().dropna() >= 0).all(), "what was excluded once stays excluded"


@pytest.mark.parametrize("missing", [0, 5])
def test_an_unfinished_study_says_so_beside_its_verdict(missing: int, tmp_path: Path) -> None:
    config, trials, networks = make(Recipe(failed=0))
    config = config.model_copy(update={"trials": len(trials) + missing})
    html = write_report(config, trials, networks, judged(config, trials, networks), tmp_path).read_text(
        encoding="utf-8"
    )
    said = f"{len(trials)} of {len(trials) + missing} planned trials have ended"
    assert (said in html.partition('class="claims')[0]) == bool(missing)


def test_methods_and_a_citation_to_copy() -> None:
    config, trials, networks = make()
    material = Material(config, trials, networks, judged(config, trials, networks))
    paragraph = methods_paragraph(material)
    for words in (
        "label noise 0.25, 0.5 or 1",
        "width 64, 96, 160 or 256",
        "magnitude l2 or random",
        f"seed {config.seed}",
        "twin",
    ):
        assert words in paragraph
    cited = citation(material, 2031)
    assert "@software{ockham," in cited
    assert "{2031}" in cited
    assert config.fingerprint() in cited


def test_the_table_of_trials_has_no_column_that_says_nothing() -> None:
    config, trials, networks = make(Recipe(failed=0))
    html = trial_table(Material(config, trials, networks, judged(config, trials, networks)))
    assert ">why<" not in html
    assert ">role<" not in html
    config, trials, networks = make(Recipe(failed=1))
    assert ">why<" in trial_table(Material(config, trials, networks, judged(config, trials, networks)))


def test_the_axis_says_which_ratio_curves_are_drawn_against() -> None:
    rows = pd.DataFrame({"ratio": [1.0, 4.0], "parameter_ratio": [1.0, 4.0]})
    assert "parameters" in ratio_title(rows)
    assert "parameters" in ratio_title(rows[["ratio"]])
    assert "description" in ratio_title(rows.assign(ratio=[1.0, 5.0]))
