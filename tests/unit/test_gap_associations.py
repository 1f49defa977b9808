"""Which measure tracks the gap: by other packages on the same numbers, and what can't be said is not said."""

import itertools
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from study.answer.associating import rank_within_strata, two_sided_ps
from study.answer.gap_associations import associations, e_values_q, gap_table
from study.answer.gap_units import Units, merge_units, units_of
from study.answer.pairwise import Configurations, psi
from study.report.figure import Absent, Picture, figures
from tests.unit.report_frames import Recipe, make

pytestmark = pytest.mark.slow


def frames(**recipe: Any) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    """A study of 24 trials in which `norms/path` follows the gap inside strata, `margins/mean` does not, and
    `spectrum/alpha` follows the label noise alone."""
    config, trials, networks = make(Recipe(**recipe))
    random = np.random.default_rng(3)
    done = trials[trials["state"] == "COMPLETE"]
    gap = done.set_index("number")["gap/accuracy"]
    noise = done.set_index("number")["data.label_noise"].astype(float)
    dense = networks["level"] == 0
    numbers = {
        "norms/path": 10 * gap + random.normal(0, 0.02, len(gap)),
        "margins/mean": pd.Series(random.normal(size=len(gap)), gap.index),
        "spectrum/alpha": noise + 1e-3 * random.normal(size=len(gap)),
        "norms/frobenius": pd.Series(random.normal(size=len(gap)), gap.index),
    }
    for name, values in numbers.items():
        spread = 0.001 * random.normal(size=len(networks))
        networks[f"measure/{name}"] = (networks["trial"].map(values) + spread).where(dense)
    networks["measure/overlaps/best"] = np.nan
    return config, trials, networks


def units(values: np.ndarray[Any, Any], gap: np.ndarray[Any, Any], strata: list[Any], **more: Any) -> Units:
    """Units of one study."""
    names = tuple(f"m{place}" for place in range(len(values)))
    nothing = np.full(len(gap), np.nan)
    return Units(names, values, gap, np.zeros(len(gap), dtype=np.int64), tuple(strata), **{"noise": nothing, **more})


def test_one_stratum_is_scipys(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    x, y = random.normal(size=(2, 15))
    y = y + 0.6 * x
    (row,) = associations(units(x[None], y, [()] * 15), as_planned=True).rows
    assert row.association.value == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    assert row.tau == pytest.approx(scipy.stats.kendalltau(x, y).statistic)
    ranks = [scipy.stats.rankdata(values) for values in (x, y)]
    fit = scipy.stats.linregress(*ranks)
    half = scipy.stats.t.ppf(0.975, 13) * fit.stderr
    assert row.association.low == pytest.approx(fit.slope - half)
    said = scipy.stats.permutation_test(
        (ranks[0],), lambda one: one @ ranks[1], permutation_type="pairings", n_resamples=9_999, rng=0
    )
    assert row.p == pytest.approx(said.pvalue, abs=0.02)
    assert (row.n, row.pairs, row.strata) == (15, 105, 1)


def test_p_within_strata_is_the_share_of_all_permutations() -> None:
    random = np.random.default_rng(2)
    x, y = random.normal(size=(2, 8))
    y = y + x
    strata = [0] * 4 + [1] * 4
    first, second = rank_within_strata(x, strata)[0], rank_within_strata(y, strata)[0]
    sums = [
        first[:4] @ second[list(a)] + first[4:] @ second[[4 + place for place in b]]
        for a in itertools.permutations(range(4))
        for b in itertools.permutations(range(4))
    ]
    exact = np.mean(np.abs(sums) >= abs(first @ second) - 1e-9)
    p, mirrored = two_sided_ps(np.stack([first, -first]), second, strata)
    assert p == mirrored == pytest.approx(exact, abs=0.02)


def test_noise_that_drives_both_is_no_association() -> None:
    _, trials, networks = frames()
    found = {row.name: row for row in gap_table([(trials, networks)], as_planned=True).rows}
    assert np.corrcoef(trials["gap/accuracy"].dropna(), trials["data.label_noise"][:24].astype(float))[0, 1] > 0.9
    path, alpha = found["norms/path"], found["spectrum/alpha"]
    assert path.is_discovery
    assert path.association.value is not None
    assert path.association.value > 0.8
    assert path.partial.value is not None
    assert path.partial.value > 0.8
    assert not alpha.is_discovery
    assert not found["margins/mean"].is_discovery
    assert (path.n, path.pairs, path.strata) == (24, 36, 6)
    assert (found["overlaps/best"].q, found["overlaps/best"].reason) == (None, "no network has this number")
    assert path.psi.value is not None
    assert path.psi.value > 0.7
    assert path.says.startswith("√ of what the network with squared weights")


def test_every_test_is_listed_and_q_is_over_all_of_them() -> None:
    _, trials, networks = frames()
    table = gap_table([(trials, networks)], as_planned=True)
    assert table.num_tested == 5
    assert [row.name for row in table.rows][-1] == "overlaps/best"
    ps = [row.p for row in table.rows if row.p is not None]
    assert [row.q for row in table.rows if row.q is not None] == pytest.approx(scipy.stats.false_discovery_control(ps))
    assert table.as_frame()["measure"].tolist() == [row.name for row in table.rows]
    json.dumps(table.as_json(), allow_nan=False)


def test_who_stopped_when_it_suited_has_e_values() -> None:
    _, trials, networks = frames()
    planned, now = (
        {row.name: row for row in gap_table([(trials, networks)], as_planned=as_planned).rows}
        for as_planned in (True, False)
    )
    path, other = planned["norms/path"], now["norms/path"]
    assert path.association.low is not None
    assert other.association.low is not None
    assert other.association.low < path.association.low
    assert other.e == path.e
    assert other.e is not None
    assert other.e > 20
    assert other.is_discovery
    assert other.q != path.q
    few = frames(noise=(0.25, 0.5, 0.75, 1.0), widths=(64, 96, 160))[1:]
    unknown = {row.name: row for row in gap_table([few], as_planned=False).rows}["norms/path"]
    assert (unknown.e, unknown.q, unknown.association.low) == (None, None, None), "fewer than four units a stratum"


@pytest.mark.parametrize("es", [[5.0, 80.0, 0.5, 30.0], [1.0], [100.0, 100.0], [0.0, 12.0, 21.0]])
def test_q_of_e_values_is_their_definition(es: list[float]) -> None:
    def is_found(place: int, share: float) -> bool:
        order = sorted(es, reverse=True)
        most = max((k for k, e in enumerate(order, 1) if k * e / len(es) >= 1 / share * (1 - 1e-9)), default=0)
        return es[place] in order[:most]

    for place, q in enumerate(e_values_q(np.array(es))):
        assert is_found(place, q) or q == 1
        assert not is_found(place, q * 0.99)


def test_partial_is_what_two_regressions_leave() -> None:
    random = np.random.default_rng(4)
    norm, margin, own = random.normal(size=(3, 30))
    gap = norm + margin + 0.7 * own
    values = np.stack([norm + 0.5 * own, norm, margin, 2 * norm])
    found = units(values, gap, [0] * 15 + [1] * 15)
    found = Units(**{**vars(found), "names": ("mine", "norms/frobenius", "margins/mean", "same")})
    rows = {row.name: row for row in associations(found, as_planned=True).rows}
    ranks = [rank_within_strata(line, found.strata)[0] for line in (*values[:3], gap)]
    held = np.stack(ranks[1:3], axis=1)
    left = [line - held @ np.linalg.lstsq(held, line, rcond=None)[0] for line in (ranks[0], ranks[3])]
    partial = rows["mine"].partial
    assert partial.value == pytest.approx(np.corrcoef(*left)[0, 1])
    assert partial.low is not None
    assert partial.value is not None
    assert np.arctanh(partial.value) - np.arctanh(partial.low) == pytest.approx(
        1.96 / np.sqrt(30 - 2 - 2 - 2), abs=1e-3
    )
    assert rows["same"].partial.value is None
    assert "order the units as it does" in rows["same"].partial.reason
    assert rows["norms/frobenius"].partial.value is not None, "given the margin alone"
    assert set(associations(found, as_planned=True).alike) == {"norms/frobenius", "same"}


def test_classes_renamed_leave_no_gap_to_track() -> None:
    _, trials, networks = frames(base={"data.noise_kind": "renamed"})
    table = gap_table([(trials, networks)], as_planned=True)
    assert (table.num_tested, table.discoveries) == (0, ())
    assert {row.reason for row in table.rows} == {
        "no unit has a gap that can be compared (24 left out: its gap compares with no other’s)"
    }


def test_what_did_not_fit_and_what_is_too_little_is_said() -> None:
    _, trials, networks = frames()
    trials["train/interpolated"] = np.where(trials["number"] == 3, 0.8, 1.0)
    table = gap_table([(trials, networks)], as_planned=True)
    assert table.excluded == {"its gap compares with no other’s": 1}
    assert table.rows[0].n == 23
    few = trials[trials["number"] < 8]
    reasons = {row.reason for row in gap_table([(few, networks)], as_planned=True).rows if row.name != "overlaps/best"}
    assert reasons == {
        "9 pairs of units at equal conditions, 20 are needed (1 left out: its gap compares with no other’s)"
    }
    nothing = gap_table([(trials.head(0), networks.head(0))], as_planned=True)
    assert {row.reason for row in nothing.rows} == {"no unit has a gap that can be compared"}


def test_a_dense_cell_is_one_unit() -> None:
    _, trials, networks = frames()
    trials["cell"] = [f"cell {n % 4 + 4 * (n // 8)}" for n in trials["number"]]  # the criteria share dense networks
    found = units_of(trials, networks)
    assert (found.n, found.within) == (12, ("noise",))
    assert found.training == ("model.width",)


def test_a_field_of_a_range_sets_configurations_apart() -> None:
    _, trials, networks = frames()
    done = trials["state"] == "COMPLETE"
    trials["training.lr"] = np.where(done, 0.01 + 0.001 * trials["number"], 0.05)
    found = units_of(trials, networks)
    assert found.training == ("model.width", "training.lr")
    averages = Configurations.from_units(found.values, found.gap, found.studies, found.fields, found.training)
    assert len(averages.gap) == 24
    assert {one.reason for one in psi(averages)} == {"no two configurations differ in one training field only"}


def test_studies_together_are_compared_each_in_itself() -> None:
    _, trials, networks = frames()
    _, more, others = frames(seed=5, widths=(64, 96, 160, 256, 512))
    others["measure/margins/mean"] += 1000  # another scale, which no comparison sees
    more["gap/accuracy"] += 0.3
    other = (more, others.drop(columns="measure/spectrum/alpha"))
    table = gap_table([(trials, networks), other], as_planned=True)
    found = {row.name: row for row in table.rows}
    path = found["norms/path"]
    assert (path.n, path.strata, path.pairs) == (54, 12, 36 + 60)
    assert found["spectrum/alpha"].n == 24
    assert path.is_discovery
    assert not found["margins/mean"].is_discovery
    assert table.within == ("study", "noise", "criterion")
    alone = [units_of(*one) for one in ((trials, networks), other)]
    assert merge_units(alone).studies.tolist() == [0] * 24 + [1] * 30
    single = {row.name: row for row in associations(merge_units(alone[:1]), as_planned=True).rows}["norms/path"]
    mine = {row.name: row for row in gap_table([(trials, networks)], as_planned=True).rows}["norms/path"]
    assert single == mine


def test_continuous_noise_is_taken_out_of_both() -> None:
    random = np.random.default_rng(6)
    noise = random.uniform(0, 1, 60)
    own = random.normal(size=60)
    values = np.stack([noise**2 + 0.01 * random.normal(size=60), noise + 0.3 * own])
    found = units(values, noise + 0.3 * own, [()] * 60, noise=noise)
    driven, real = ({row.name: row for row in associations(found, as_planned=True).rows}[name] for name in ("m0", "m1"))
    assert driven.tau is not None
    assert abs(driven.tau) < 0.25
    assert not driven.is_discovery
    assert real.is_discovery
    assert real.tau is not None
    assert real.tau > 0.9
    assert (real.e, real.psi.reason) == (None, "label noise is a continuous range")


def _material(trials: pd.DataFrame, networks: pd.DataFrame) -> Any:
    """All that the figure looks at."""
    return SimpleNamespace(trials=trials, networks=networks, verdicts=SimpleNamespace(guarantee="planned"))


def test_the_figure_and_its_absence() -> None:
    _, trials, networks = frames()
    drawn = figures()["gap_measures"].draw(_material(trials, networks))
    assert isinstance(drawn, Picture)
    assert "5 measures tested" in drawn.caption
    assert "no network has this number: overlaps/best" in drawn.caption
    assert len(drawn.data) == 6
    _, renamed, same = frames(base={"data.noise_kind": "renamed"})
    absent = figures()["gap_measures"].draw(_material(renamed, same))
    assert isinstance(absent, Absent)
    assert "compares with no other" in absent.reason
    _, bare, without = make()
    assert figures()["gap_measures"].draw(_material(bare, without)) == Absent("")
