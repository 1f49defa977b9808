"""Dense networks count once, however many instruments they met."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from study.answer import answer
from study.answer.contrast import CONTRAST, effect
from study.answer.pairs import count_pairs, network_areas
from study.answer.ranking import ranking, ranking_sentence
from study.answer.tracking import track
from study.answer.units import averaged, per_unit, row_units, unit_word
from study.report.curves import mean_curve
from tests.unit.report_frames import Recipe, make
from trainables.statistics import mean_ci95

NO_AREAS = pd.DataFrame({"trial": [], "arm": [], "network": [], "interpolated": [], "auc": []})
FOUR = ("magnitude_l1", "magnitude_l2", "fpgm", "random")


def crossed(cells: int, instruments: int, rng: np.random.Generator, spread: float = 0.02) -> pd.DataFrame:
    """Contrasts without an effect: a cell's own luck, which all instruments share, and a little of each."""
    luck = rng.normal(0, 0.1, cells)
    rows = [
        {
            "number": cell * instruments + instrument,
            "cell": f"cell {cell}",
            "state": "COMPLETE",
            "role": "design",
            "data.label_noise": 1.0,
            "compression.criterion": FOUR[instrument % 4],
            CONTRAST: luck[cell] + rng.normal(0, spread),
        }
        for cell in range(cells)
        for instrument in range(instruments)
    ]
    return pd.DataFrame(rows)


def test_four_instruments_on_the_same_networks_are_not_four_units() -> None:
    trials = crossed(6, 4, np.random.default_rng(0))
    found = effect("all", trials, NO_AREAS)
    means = trials.groupby("cell")[CONTRAST].mean().tolist()
    assert (found.trials, found.unit) == (6, "dense cell")
    assert (found.mean, found.ci95) == pytest.approx(mean_ci95(means)[:2])
    alone = effect("all", trials.drop(columns="cell"), NO_AREAS)
    assert (alone.trials, alone.unit) == (24, "trial")
    assert alone.ci95 is not None
    assert found.ci95 is not None
    assert found.ci95 > 1.9 * alone.ci95, "the interval of four times as many units is half as wide"


def test_false_alarms_come_as_often_as_they_may() -> None:
    rng, studies = np.random.default_rng(1), 300
    alarms = {"cells": 0, "trials": 0}
    for _ in range(studies):
        trials = crossed(6, 4, rng)
        for name, frame in (("cells", trials), ("trials", trials.drop(columns="cell"))):
            values = per_unit(frame, CONTRAST).tolist()
            mean, half, _ = mean_ci95(values)
            alarms[name] += half is not None and abs(mean) > half
    assert alarms["cells"] / studies < 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
    assert alarms["trials"] / studies > 0.2, "what counting instruments as units would do"


def test_an_instrument_by_itself_has_one_value_a_cell() -> None:
    trials = crossed(6, 4, np.random.default_rng(2))
    mine = trials[trials["compression.criterion"] == "fpgm"]
    assert per_unit(mine, CONTRAST).tolist() == mine[CONTRAST].tolist()
    assert unit_word(mine) == "trial"


def test_a_cell_that_lacks_instruments_is_not_set_apart_by_which() -> None:
    trials = crossed(3, 4, np.random.default_rng(3), spread=0.0)
    levels = dict(zip(FOUR, (0.3, 0.1, -0.1, -0.3), strict=True))
    trials[CONTRAST] += trials["compression.criterion"].map(levels)
    whole = per_unit(trials, CONTRAST)
    cut = per_unit(trials.drop(trials.index[-3:]), CONTRAST)
    spread_of_cells = float(whole.max() - whole.min())
    assert len(cut) == 3
    assert abs(cut.iloc[-1] - whole.iloc[-1]) < 0.1 + spread_of_cells, "0.3 higher without the correction"
    assert cut.iloc[0] - cut.iloc[1] == pytest.approx(whole.iloc[0] - whole.iloc[1])


def shared(recipe: Recipe) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A made-up study in which criteria meet the same networks: trials of one noise and width are a cell."""
    _, trials, networks = make(recipe)
    width = "model.width" in trials.columns
    cells = {
        row["number"]: f"cell {row['data.label_noise']} {row['model.width'] if width else ''}"
        for row in trials.to_dict("records")
    }
    return trials.assign(cell=trials["number"].map(cells)), networks.assign(cell=networks["trial"].map(cells))


def test_pairs_of_networks_are_counted_once() -> None:
    trials, networks = shared(Recipe(failed=0))
    areas = network_areas(trials, networks)
    found = count_pairs(areas, trials)
    assert found.total + found.excluded == 3 * 4 * 5, "noise levels, widths, replicates; not times two criteria"
    assert count_pairs(areas, trials.drop(columns="cell")).total == 2 * found.total


def test_the_answer_speaks_of_cells() -> None:
    trials, networks = shared(Recipe(failed=0))
    found = answer(trials, networks)
    assert (found.overall.trials, found.overall.unit, found.counted) == (12, "dense cell", 24)
    assert {level.trials for level in found.levels} == {4}
    assert {effect.trials for effect in found.instruments} == {12}
    assert "95 % interval over 12 dense cells" in found.sentences[0]
    assert "the dense cell is the unit (12 of them" in found.caveat
    apart = answer(trials.drop(columns="cell"), networks.drop(columns="cell"))
    assert (apart.overall.trials, apart.overall.unit) == (24, "trial")
    assert apart.overall.mean == pytest.approx(found.overall.mean)


def test_a_gap_is_tracked_once_a_cell() -> None:
    trials, _ = shared(Recipe(failed=0))
    found = track(trials)
    assert found.trials == 12
    assert found.pairs == 3 * (4 * 3 // 2), "pairs of widths within a noise level, criteria averaged"
    assert "criterion" not in found.within
    assert track(trials.drop(columns="cell")).trials == 24


def clean(cells: int, networks: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """True labels: what an instrument takes is nothing beside what the networks differ by."""
    cost = dict(zip(FOUR, (0.0, 0.01, 0.03, 0.2), strict=True))
    rows: list[dict[str, Any]] = []
    areas: list[dict[str, Any]] = []
    for cell in range(cells):
        luck = rng.normal(0.6, 0.08, networks)
        for criterion in FOUR:
            values = luck - cost[criterion] + rng.normal(0, 0.004, networks)
            mean, half, _ = mean_ci95(values.tolist())
            number = len(rows)
            metrics = {"compressibility/auc": mean, "compressibility/auc/ci95": half}
            rows.append({"number": number, "cell": f"cell {cell}", "compression.criterion": criterion, **metrics})
            areas += [
                {"trial": number, "arm": "replicate", "network": k, "interpolated": True, "auc": value}
                for k, value in enumerate(values)
            ]
    return pd.DataFrame(rows), pd.DataFrame(areas)


@pytest.mark.parametrize("cells", [1, 5])
def test_instruments_are_compared_in_pairs_of_the_same_networks(cells: int) -> None:
    trials, areas = clean(cells, 5, np.random.default_rng(4))
    ranks = {rank.label: rank for rank in ranking(trials, areas)}
    first, last = ranks["magnitude l1"], ranks["random"]
    assert (first.behind, first.behind_ci95) == (None, None)
    assert last.behind == pytest.approx(0.2, abs=0.01)
    assert last.behind_ci95 is not None
    assert last.half is not None
    assert last.behind_ci95 < last.half / 4, "the luck of the networks cancels"
    near = ranks["fpgm"]
    assert near.behind is not None
    assert near.behind_ci95 is not None
    assert near.half is not None
    assert near.behind > near.behind_ci95, "told apart in pairs"
    assert abs(first.mean - near.mean) < near.half, "which unpaired intervals do not"
    assert {rank.behind for rank in ranking(trials.drop(columns="cell"), areas)} == {None}


def test_the_sentence_of_a_ranking_goes_by_the_pairs() -> None:
    trials, areas = clean(1, 5, np.random.default_rng(5))
    named = trials.assign(state="COMPLETE", role="design", **{"data.label_noise": 0.0})
    said = ranking_sentence(ranking(named, areas), named)
    assert "over the networks of one dense cell" in said
    assert "by paired differences, each at 95 %" in said


def test_curves_are_averaged_over_instruments_first() -> None:
    _, networks = shared(Recipe(noise=(1.0,), failed=0))
    curve = mean_curve(networks, "replicate", "train_accuracy")
    assert curve is not None
    assert (curve.unit, len(curve.single)) == ("dense cell", 4)
    alone = mean_curve(networks.drop(columns="cell"), "replicate", "train_accuracy")
    assert alone is not None
    assert (alone.unit, len(alone.single)) == ("trial", 8)
    assert curve.mean == pytest.approx(alone.mean)
    one = networks[networks["cell"] == networks["cell"].iloc[0]]
    single = mean_curve(one, "replicate", "train_accuracy")
    assert single is not None
    assert (single.unit, len(single.single)) == ("network", 5)
    assert row_units(one)[0] == "network"


def test_units_without_cells_are_trials_and_nothing_changes() -> None:
    _, trials, _ = make(Recipe(failed=0))
    assert averaged(trials, CONTRAST) is trials
    assert per_unit(trials, CONTRAST).tolist() == trials[CONTRAST].tolist()
    mixed = trials.assign(cell=[f"trial {number}" for number in trials["number"]])
    assert per_unit(mixed, CONTRAST).tolist() == trials[CONTRAST].tolist()
