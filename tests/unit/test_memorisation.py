"""Scores of examples against their definition where the truth is known, and against scikit-learn."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from study.answer.ballots import ballots
from study.answer.memorisation import auroc, example_scores, jackknife, memorisation, precision
from study.answer.votes import Counts, Votes


def nearest_neighbours(networks: int = 400, share: float = 0.7, seed: int = 0) -> Votes:
    """Toy learners that say the label of the nearest example they were given, of four kinds of example.

    0 … 9 stand alone, far from all of another label or of none: pure memory. 10 … 29 are twins at the same place with
    the same label: right unless both are left out. 30 … 39 are of one class in a row, and 40 … 44, among the first of
    them, have a changed label.
    """
    random = np.random.default_rng(seed)
    places = np.concatenate([100.0 * np.arange(10), 5000 + 10.0 * np.repeat(np.arange(10), 2), 9000 + np.arange(10)])
    labels = np.concatenate([np.arange(10) % 2, np.repeat(np.arange(10) % 2, 2), np.zeros(10, int)])
    changed = 9000 + np.arange(5) + 0.1
    places, labels = np.concatenate([places, changed]), np.concatenate([labels, np.ones(5, int)])
    true = labels.copy()
    true[40:] = 0
    given = random.random((networks, len(places))) < share
    distance = np.abs(places[:, None] - places[None]) + 1e-9 * np.arange(len(places))
    near = np.where(given[:, None, :], distance[None], np.inf).argmin(axis=2)
    said = labels[near]
    return Votes(given, said == labels, said == true, labels, true)


def test_scores_are_those_of_the_definition() -> None:
    votes = nearest_neighbours()
    table = example_scores(votes)
    for i in range(votes.given_mask.shape[1]):
        inside, out = votes.given_mask[:, i], ~votes.given_mask[:, i]
        expected = votes.right[inside, i].mean() - votes.right[out, i].mean()
        assert table["memorisation"][i] == pytest.approx(expected)
        assert (table["given"][i], table["left_out"][i]) == (inside.sum(), out.sum())
        n1, n0 = inside.sum(), out.sum()
        p1, p0 = ((votes.right[some, i].sum() + 0.5) / (some.sum() + 1) for some in (inside, out))
        assert table["se"][i] == pytest.approx((p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0) ** 0.5)


def test_the_toys_known_scores_are_found() -> None:
    """A twin is right if left out unless its copy is left out too, so that its score is 1 − 0.7 where that costs it."""
    table = example_scores(nearest_neighbours(networks=4000))
    twins = table["memorisation"][10:30]
    assert twins.between(0.3 - 4 * 0.015, 0.3 + 4 * 0.015).all(), "neighbouring pairs have the other label"
    assert (table["memorisation"][40:] > 0.85).all(), "right without being given only where what is nearer is not"
    assert (table["memorisation"][36:40] < 0.1).all()
    assert not table["changed"][:40].any()
    assert table["changed"][40:].all()


def test_errors_are_those_of_repeated_studies() -> None:
    scores = np.stack([example_scores(nearest_neighbours(60, seed=s))["memorisation"] for s in range(200)])
    said = np.stack([example_scores(nearest_neighbours(60, seed=s))["se"] for s in range(20)])
    twins = slice(10, 30)
    assert scores[:, twins].std(axis=0).mean() == pytest.approx(said[:, twins].mean(), rel=0.15)


def test_what_no_network_was_given_or_all_were_has_no_score() -> None:
    given = np.array([[True, True, False], [True, False, False]])
    table = Counts.from_votes(given, np.ones_like(given))
    assert np.isnan(table.scores).tolist() == np.isnan(table.errors).tolist() == [True, False, True]


@pytest.mark.parametrize("seed", range(3))
def test_auroc_is_scikit_learns(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, changed = random.integers(0, 12, 300) / 12, random.random(300) < 0.2
    assert auroc(scores, changed) == pytest.approx(roc_auc_score(changed, scores))
    holes = scores.copy()
    holes[::7] = np.nan
    there = ~np.isnan(holes)
    assert auroc(holes, changed) == pytest.approx(roc_auc_score(changed[there], holes[there]))
    assert auroc(scores, np.zeros(300, dtype=bool)) is None


def test_precision_gives_ties_their_share() -> None:
    scores = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    assert precision(scores, np.array([True, True, False, False, False])) == pytest.approx((1 + 1 / 3) / 2)
    assert precision(scores, np.array([True, False, False, False, True])) == 0.5
    assert precision(scores, np.zeros(5, dtype=bool)) is None


def test_intervals_end_where_shares_do() -> None:
    random = np.random.default_rng(1)
    given, right = random.random((2, 6, 40)) < 0.6
    label = np.zeros(40, dtype=np.int64)
    found = memorisation(Votes(given, right, right, label, np.where(np.arange(40) < 4, 1, 0)))
    for one in (found.precision, found.auroc):
        assert one.low is not None
        assert one.high is not None
        assert 0 <= one.low <= one.high <= 1
    wide = jackknife(given, right, lambda scores: float(np.nanmean(scores > 0.9)))
    assert wide.low is not None
    assert wide.low < 0, "or the interval of a share would not be cut anywhere"
    assert jackknife(given, right, lambda scores: float(np.nanmean(scores > 0.9)), lowest=0.0).low == 0


def test_the_interval_of_the_memorised_share_covers_it_as_often_as_it_says() -> None:
    truth = memorisation(nearest_neighbours(4000, seed=99)).share.value
    assert truth is not None
    found = [memorisation(nearest_neighbours(30, seed=s)).share for s in range(100)]
    covered = [one.low <= truth <= one.high for one in found if one.low is not None and one.high is not None]
    assert len(covered) == 100
    assert sum(covered) >= 88


def test_one_network_has_no_interval_and_groups_stand_in_for_very_many() -> None:
    one = nearest_neighbours(1)
    assert jackknife(one.given_mask, one.right, lambda scores: 0.5).low is None
    many = nearest_neighbours(500)
    share = memorisation(many).share
    assert share.low is not None
    assert share.high is not None
    few = memorisation(nearest_neighbours(125)).share
    assert few.low is not None
    assert few.high is not None
    assert (share.high - share.low) == pytest.approx((few.high - few.low) / 2, rel=0.3)


def recorded(number: int, cell: str | None, labels: list[int], noise: float = 0.1, seed: int = 0) -> Any:
    """A trial of two replicates and their twins on four examples."""
    random = np.random.default_rng(seed)
    rows = [
        {
            "example": example,
            "network": network,
            "arm": arm,
            "subset": bool(random.integers(2)),
            "label": labels[example] if arm == "replicate" else 0,
            "true_label": 0,
            "prediction": int(random.integers(2)),
            "lost_at": [1, 2, None][int(random.integers(3))],
            "learned": [1, 5, None][int(random.integers(3))],
            "forgotten": [0, 3, None][int(random.integers(3))],
        }
        for example in range(4)
        for arm in ("replicate", "control")
        for network in range(2)
    ]
    table = pd.DataFrame(rows).assign(right=lambda t: t["prediction"] == t["label"])
    params = {"data.label_noise": noise, "data.name": "digits", "data.subset": 0.5, "compression.depth": 3}
    return SimpleNamespace(number=number, cell=cell, params=params), table


def test_arms_and_conditions_are_apart_and_a_dense_network_has_one_vote() -> None:
    labels = [0, 1, 0, 1]
    trials = [recorded(0, "cell 0", labels), recorded(1, "cell 0", labels), recorded(2, "cell 1", labels, seed=1)]
    trials.append(recorded(3, "cell 2", [1, 1, 0, 1], noise=0.3, seed=2))
    found = {(one.condition["data.label_noise"], one.arm): one.votes for one in ballots(trials)}
    assert set(found) == {(noise, arm) for noise in (0.1, 0.3) for arm in ("replicate", "control")}
    low = found[0.1, "replicate"]
    assert low is not None
    assert low.networks == 4, "two cells of two replicates; the second trial of a cell adds no vote"
    mine = trials[2][1].query("arm == 'replicate' and network == 1")
    assert low.right[3].tolist() == mine["right"].tolist()
    assert low.given_mask[3].tolist() == mine["subset"].tolist()
    assert low.has_changed_label.tolist() == [False, True, False, True]
    together = pd.concat([table for _, table in trials[:3]]).query("arm == 'replicate' and subset and right")
    share = (together["lost_at"].astype(float) / 4).fillna(1).groupby(together["example"]).mean()
    for example, mean in share.items():
        assert low.means["lost_at"][example] == pytest.approx(mean)

    forgotten = pd.concat([trials[0][1], trials[2][1]]).query("arm == 'replicate' and subset")
    assert forgotten["learned"].isna().any(), "what was never right was not forgotten either"
    forgotten = forgotten[forgotten["learned"].notna()]
    for example, mean in forgotten["forgotten"].astype(float).groupby(forgotten["example"]).mean().items():
        assert low.means["forgotten"][example] == pytest.approx(mean, nan_ok=True), "of distinct dense networks"


def test_conditions_are_in_the_order_of_their_values() -> None:
    noises = (0.25, 1.0, 0.0, 0.05)
    trials = [recorded(n, f"cell {n}", [0, 1, 0, 1], noise=noise, seed=n) for n, noise in enumerate(noises)]
    found = [(one.condition["data.label_noise"], one.arm) for one in ballots(trials)]
    assert found == [(noise, arm) for noise in sorted(noises) for arm in ("replicate", "control")]


def test_networks_with_labels_of_their_own_have_no_score_together() -> None:
    one, two = recorded(0, None, [0, 1, 0, 1]), recorded(1, None, [0, 0, 1, 1])
    found = {ballot.arm: ballot.votes for ballot in ballots([one, two])}
    assert found["replicate"] is None
    assert found["control"] is not None


def votes_of_home() -> Votes:
    return nearest_neighbours(8)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A study of four trials, the first of which recorded its examples."""
    from study.execution.results import example_table
    from tests.unit.cli_ledgers import ledger

    made = ledger(tmp_path)
    made.close()
    votes = votes_of_home()
    columns = {
        "network": np.arange(8, dtype=np.int16),
        "control": np.zeros(8, dtype=bool),
        "true_label": votes.true_label.astype(np.int16),
        "subset": votes.given_mask,
        "label": np.tile(votes.label, (8, 1)).astype(np.int16),
        "prediction": np.where(votes.right, votes.label, 1 - votes.label).astype(np.int16),
        "margin": np.full(votes.given_mask.shape, 4, dtype=np.int8),
        "lost_at": np.tile(np.arange(45) % 4 - 1, (8, 1)).astype(np.int8),
        "learned": np.tile(np.arange(45) % 5, (8, 1)).astype(np.int16),
        "forgotten": np.tile(np.arange(45) % 7, (8, 1)).astype(np.int16),
    }
    folder = tmp_path / "small" / "trials" / "0000"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.parquet").write_bytes(example_table(columns))
    return tmp_path


def test_the_command_shows_writes_and_refuses(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from study.cli import main

    at = ["--home", str(home)]
    assert main(["examples", "small", "--top", "3", *at]) == 0
    said = capsys.readouterr().out
    assert "8 networks, 45 examples" in said
    assert "5 changed labels: AUROC 0." in said
    assert main(["examples", "small", "--format", "json", "--top", "2", *at]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    expected = example_scores(nearest_neighbours(8)).sort_values(["memorisation", "se"], ascending=[False, True])
    assert [row["example"] for row in found["top"]] == expected["example"].head(2).tolist()
    assert found["memorised_share"]["low"] < found["memorised_share"]["value"] < found["memorised_share"]["high"]
    assert main(["examples", "small", "--by", "forgotten", "--format", "json", "--top", "45", *at]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert [row["forgotten"] for row in found["top"][:6]] == [6.0] * 5 + [5.0], "one of six was never right"
    assert {row["learned"] for row in found["top"] if row["example"] % 5 == 0} == {None}
    out = home / "all.csv"
    assert main(["examples", "small", "--by", "lost_at", "--out", str(out), *at]) == 0
    written = pd.read_csv(out)
    assert len(written) == 45
    assert written["lost_at"].dropna().is_monotonic_increasing
    assert main(["examples", "small", "--by", "size", *at]) == 2
    assert "memorisation, forgotten, learned, lost_at, influence" in " ".join(capsys.readouterr().err.split())
    assert main(["examples", "small", "--by", "influence", *at]) == 2
    assert "--by influence was not recorded" in capsys.readouterr().err
    tested = np.stack([votes_of_home().given_mask[:, 3], np.arange(8) % 2 == 0], axis=1)
    np.savez_compressed(home / "small" / "trials" / "0000" / "arrays.npz", **{"test/right": tested})
    assert main(["examples", "small", "--by", "influence", "--format", "json", *at]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    (row,) = [row for row in found["top"] if row["example"] == 3]
    assert (row["on_test"], row["influence"]) == (0, 1.0)
    assert main(["examples", "small", "--influence", *at]) == 0
    assert "by more than chance makes of 90 pairs" in capsys.readouterr().out
    (home / "small" / "trials" / "0000" / "examples.parquet").unlink()
    assert main(["examples", "small", *at]) == 2
    assert "data.subset=0.7" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["gone", "another's"])
def test_the_figure_shows_nothing_of_examples_that_are_not_what_was_written(home: Path, damage: str) -> None:
    from study.answer.verdict import Verdicts
    from study.ledger.files import ListedFile
    from study.report.figure import Absent
    from study.report.figures.memorised_examples import _draw
    from study.report.material import Material

    file = home / "small" / "trials" / "0000" / "examples.parquet"
    listed = ListedFile.from_content("trials/0000/examples.parquet", 0, file.read_bytes())
    if damage == "gone":
        file.unlink()
    else:
        pd.read_parquet(file).iloc[::2].to_parquet(file)  # readable, and other numbers
    trials = pd.DataFrame({"number": [0], "cell": ["a cell"], "data.name": ["digits"]})
    config: Any = SimpleNamespace(directory=home / "small")
    shown = _draw(Material(config, trials, pd.DataFrame(), Verdicts((), (), "any time", "", 0), [listed]))
    assert isinstance(shown, Absent)
    assert "trials/0000/examples.parquet" in shown.reason
