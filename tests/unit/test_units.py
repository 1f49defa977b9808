"""Dense networks count once, however many instruments they met."""

import math

import numpy as np
import pandas as pd
import pytest

from search_spaces.usual import MEMORISING_BREAKS_EARLIER
from study.answer.pairs import count_pairs, network_areas
from study.answer.ranking import behind_the_best
from study.answer.strata import CONTRAST
from study.answer.units import average_instruments, per_unit, row_units, unit_word
from study.report.curves import mean_curve
from tests.unit.report_frames import Recipe, judged, make
from trainables.statistics import mean_ci95

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
    means = trials.groupby("cell")[CONTRAST].mean().tolist()
    assert unit_word(trials) == "dense cell"
    mean, half, n = mean_ci95(per_unit(trials, CONTRAST).tolist())
    assert (mean, half, n) == pytest.approx((*mean_ci95(means)[:2], 6))
    alone = mean_ci95(per_unit(trials.drop(columns="cell"), CONTRAST).tolist())
    assert (unit_word(trials.drop(columns="cell")), alone[2]) == ("trial", 24)
    assert half is not None
    assert alone[1] is not None
    assert half > 1.9 * alone[1], "the interval of four times as many units is half as wide"


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
    assert found.total + found.excluded_count == 3 * 4 * 5, "noise levels, widths, replicates; not times two criteria"
    assert count_pairs(areas, trials.drop(columns="cell")).total == 2 * found.total


def test_verdicts_speak_of_cells() -> None:
    config, _, _ = make(Recipe(failed=0))
    trials, networks = shared(Recipe(failed=0))
    found = judged(config, trials, networks)
    whole = found.finding_of(MEMORISING_BREAKS_EARLIER.name)
    assert (whole.n, whole.unit, found.counted) == (12, "dense cell", 24)
    assert {one.n for one in found.conditions(MEMORISING_BREAKS_EARLIER.name)} == {4}
    assert {one.n for one in found.conditions("contrast_by_criterion")} == {12}
    assert "12 dense cells, all of them above 0" in whole.sentence
    assert "the dense cell is the unit (12 of them" in found.caveat
    apart = judged(config, trials.drop(columns="cell"), networks.drop(columns="cell"))
    alone = apart.finding_of(MEMORISING_BREAKS_EARLIER.name)
    assert (alone.n, alone.unit) == (24, "trial")
    assert alone.estimate == pytest.approx(whole.estimate)


def test_a_gap_is_associated_once_a_cell() -> None:
    config, _, _ = make(Recipe(failed=0, widths=(64, 80, 96, 160, 256)))
    trials, networks = shared(Recipe(failed=0, widths=(64, 80, 96, 160, 256)))
    found = judged(config, trials, networks).finding_of("compressibility_follows_the_gap")
    assert found.n == 15
    assert found.pairs == 3 * (5 * 4 // 2), "pairs of widths within a noise level, criteria averaged"
    assert judged(config, trials.drop(columns="cell"), networks).finding_of("compressibility_follows_the_gap").n == 30


@pytest.mark.parametrize("cells", [1, 5])
def test_instruments_are_compared_in_pairs_of_the_same_networks(cells: int) -> None:
    """What an instrument takes is nothing beside what the networks differ by."""
    rng = np.random.default_rng(4)
    luck = rng.normal(0.6, 0.08, 5 * cells)
    cost = dict(zip(FOUR, (0.0, 0.01, 0.03, 0.2), strict=True))
    values = [pd.Series(luck - cost[name] + rng.normal(0, 0.004, len(luck))) for name in FOUR]
    first, _, near, last = behind_the_best(values)
    assert first is None, "it is the best"
    assert last is not None
    assert near is not None
    assert last[0] == pytest.approx(0.2, abs=0.01)
    alone = mean_ci95(values[3].tolist())[1]
    assert alone is not None
    assert last[1] is not None
    assert near[1] is not None
    assert last[1] < alone / 4, "the luck of the networks cancels"
    assert near[0] > near[1], "told apart in pairs"
    assert abs(float(values[0].mean() - values[2].mean())) < alone, "which unpaired intervals do not"
    apart = [found.set_axis([f"{place} {name}" for name in found.index]) for place, found in enumerate(values)]
    assert behind_the_best(apart) == [None] * 4, "nothing is paired where each had networks of its own"


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
    assert average_instruments(trials, CONTRAST) is trials
    assert per_unit(trials, CONTRAST).tolist() == trials[CONTRAST].tolist()
    mixed = trials.assign(cell=[f"trial {number}" for number in trials["number"]])
    assert per_unit(mixed, CONTRAST).tolist() == trials[CONTRAST].tolist()
