"""The table of measures: learned beside memorised, by unit; the command, and the figure of the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from study import StudyHandle, load
from study.answer.measured import as_frame, left_out, measure_rows
from study.cli import main
from study.config import StudyConfig
from study.execution.results import result_files
from study.ledger import soundness
from study.ledger.frames import layer_frame
from study.report.figure import Absent, Picture, figures
from study.report.material import Material
from tests import engine
from tests.studies_for_tests import a_ledger
from tests.unit.report_frames import judged, make

pytestmark = pytest.mark.slow


def frames() -> tuple[StudyConfig, pd.DataFrame, pd.DataFrame]:
    """A study of 24 trials: `norms/path` is larger where memorised in every pair, `margins/mean` says nothing."""
    config, trials, networks = make()
    rng = np.random.default_rng(0)
    noisy = (networks["arm"] == "replicate").to_numpy()
    width = networks["model.width"].to_numpy()
    dense = (networks["level"] == 0).to_numpy()
    networks["measure/norms/path"] = np.where(dense, width + 2.0 * noisy + rng.random(len(networks)), np.nan)
    networks["measure/margins/mean"] = np.where(dense, rng.standard_normal(len(networks)), np.nan)
    networks["measure/overlaps/best"] = np.nan
    return config, trials, networks


def test_units_are_trials_and_pairs_are_inside_them() -> None:
    _, trials, networks = frames()
    rows = {row.name: row for row in measure_rows(trials, networks)}
    path, margins, overlaps = (rows[name] for name in ("norms/path", "margins/mean", "overlaps/best"))
    # Width, which is far larger than the difference, tells nothing apart inside a trial.
    assert path.auc.mean == 0
    assert path.difference.mean == pytest.approx(-2, abs=0.1)
    assert path.difference.units == 24
    assert path.difference.ci95 is not None
    assert path.difference.ci95 < 0.2 < (path.learned.ci95 or 0)
    mine = networks[(networks["level"] == 0) & (networks["arm"] == "control")]
    assert path.learned.mean == pytest.approx(mine.groupby("trial")["measure/norms/path"].mean().mean())
    assert margins.auc.mean == pytest.approx(0.5, abs=0.1)
    assert margins.auc.ci95 is not None
    assert overlaps.learned.mean is None
    assert path.says.startswith("√ of what the network with squared weights")
    frame = as_frame([path, overlaps])
    assert frame["auc"].tolist()[0] == 0
    assert pd.isna(frame["auc"].tolist()[1])


def test_trials_of_a_cell_count_once() -> None:
    _, trials, networks = frames()
    trials["cell"] = [f"cell {number // 2}" for number in range(len(trials))]
    networks["cell"] = networks["trial"].map(lambda number: f"cell {number // 2}")
    path = next(row for row in measure_rows(trials, networks) if row.name == "norms/path")
    assert path.difference.units == 12


def test_without_twins_all_have_learned() -> None:
    _, trials, networks = frames()
    alone = networks[networks["arm"] == "replicate"]
    path = next(row for row in measure_rows(trials, alone) if row.name == "norms/path")
    assert path.learned.units == 24
    assert (path.memorised.mean, path.auc.mean) == (None, None)
    assert measure_rows(trials, networks.drop(columns=[n for n in networks if n.startswith("measure/")])) == []


def test_the_figure_shows_what_tells_apart_first() -> None:
    config, trials, networks = frames()
    drawn = figures()["measures"].draw(Material(config, trials, networks, judged(config, trials, networks)))
    assert isinstance(drawn, Picture)
    text = drawn.panels[0].svg() if hasattr(drawn.panels[0], "svg") else str(drawn.panels[0])
    assert list(drawn.data["measure"]) == ["norms/path", "margins/mean"]
    assert text
    plain, bare, without = make()
    assert isinstance(figures()["measures"].draw(Material(plain, bare, without, judged(plain, bare, without))), Absent)


def test_the_command_reads_what_a_trial_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger = a_ledger(tmp_path)
    home = ["--home", str(ledger.config.run.home)]
    assert main(["measures", ledger.name, *home]) == 2
    assert "measures=all" in capsys.readouterr().err
    from study.ledger import Proposal

    ledger.propose([Proposal({"data.label_noise": 0.5, "model.width": 16})])
    attempt = ledger.start_attempt(0)
    unfit = engine.records(engine.config(measures="norms"))
    with result_files(ledger.config.directory, 0, unfit) as results:
        ledger.finish(0, attempt, "COMPLETE", records=unfit, results=results)
    assert main(["measures", ledger.name, *home]) == 2
    assert "of the 6 dense networks of tiny none fitted its labels" in " ".join(capsys.readouterr().err.split())
    with ledger.writing("repair") as connection:
        soundness.repair(connection, ledger.config, [0])
    attempt = ledger.start_attempt(0)
    fits = {"model__width": 32, "training__epochs": 150, "training__lr": 0.1}
    found = engine.records(engine.config(measures="norms+margins", **fits))
    assert all(row["interpolated"] for row in found[-1].networks)
    with result_files(ledger.config.directory, 0, found) as results:
        ledger.finish(0, attempt, "COMPLETE", records=found, results=results)
    assert [file.name for file in ledger.files()] == [
        f"trials/0000/{name}" for name in ("arrays.npz", "layers.parquet", "networks.parquet")
    ]
    with np.load(ledger.config.directory / "trials/0000/arrays.npz") as arrays:
        assert np.array_equal(arrays["level_0/margins/margin"], found[-1].arrays["level_0/margins/margin"])
    layers = layer_frame(ledger.config.directory, ledger.trials(), ledger.files())
    assert len(layers) == len(found[-1].layers)
    assert main(["measures", ledger.name, "--format", "json", *home]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["norms/path"]["memorised"]["mean"] == pytest.approx(found[-1].metrics["measure/norms/path"])
    assert rows["norms/path"]["learned"]["mean"] == pytest.approx(found[-1].metrics["control/measure/norms/path"])
    assert main(["measures", ledger.name, "--out", str(tmp_path / "m.csv"), *home]) == 0
    assert pd.read_csv(tmp_path / "m.csv")["measure"].tolist() == list(rows)
    assert main(["measures", ledger.name, *home]) == 0
    assert "norms/path" in capsys.readouterr().out
    assert main(["measures", ledger.name, "--format", "xml", *home]) == 2
    assert main(["measures", ledger.name, "--layers", "--out", str(tmp_path / "l.csv"), *home]) == 0
    written = pd.read_csv(tmp_path / "l.csv")
    assert written["value"].tolist() == pytest.approx([row["value"] for row in found[-1].layers])
    assert set(written["layer"]) == {"layers.0", "layers.1", "layers.2", "hidden_1", "hidden_2"}
    assert main(["measures", ledger.name, "--layers", "--format", "json", *home]) == 2
    ledger.close()


def filmed(home: Path, **fields: Any) -> StudyHandle:
    """A study of one trial that was run here."""
    ledger = a_ledger(home, proposals=1)
    attempt = ledger.start_attempt(0)
    found = engine.records(engine.config(training__epochs=12, training__stop_at_train_loss=None, **fields))
    with result_files(ledger.config.directory, 0, found) as results:
        ledger.finish(0, attempt, "COMPLETE", records=found, results=results)
    ledger.close()
    return load(ledger.config.name, home=home)


def test_the_film_shows_epochs_then_levels_and_six_of_them_on_paper(tmp_path: Path) -> None:
    handle = filmed(tmp_path, measures="dynamics")
    trials, networks = handle.trials(), handle.networks()
    material = Material(handle.config, trials, networks, judged(handle.config, trials, networks))
    drawn = figures()["film"].draw(material)
    assert isinstance(drawn, Picture)
    assert drawn.moments[:3] == ["epoch 0", "epoch 1", "epoch 2"]
    assert drawn.moments[-3] == "trained"
    assert drawn.moments[-1].startswith("level 2, ")
    assert len(drawn.film) == len(drawn.moments) <= 28
    assert len(drawn.panels) == 6
    assert drawn.panels[0] is drawn.film[0]
    assert drawn.panels[-1] is drawn.film[-1]
    first = drawn.data.set_index(["moment", "arm"])
    scores = handle.networks().query("level == 0 and network == 0").set_index("arm")["measure/dynamics/score"]
    assert first.loc[("trained", "control"), "score"] == pytest.approx(scores["control"])
    html = handle.report(tmp_path / "report").read_text(encoding="utf-8")
    assert html.count('class="frame"') == len(drawn.film)
    assert 'type="range"' in html


def test_without_dynamics_there_is_no_film_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    handle = filmed(tmp_path / "plain", measures="norms")
    trials, networks = handle.trials(), handle.networks()
    material = Material(handle.config, trials, networks, judged(handle.config, trials, networks))
    assert figures()["film"].draw(material) == Absent("")
    handle = filmed(tmp_path / "torn", measures="dynamics")
    trials, networks = handle.trials(), handle.networks()
    path = handle.config.directory / "trials/0000/arrays.npz"
    path.write_bytes(path.read_bytes()[:200])
    drawn = figures()["film"].draw(Material(handle.config, trials, networks, judged(handle.config, trials, networks)))
    assert isinstance(drawn, Absent)
    assert drawn.reason.startswith("What trial 0 left of its training can't be read")


def test_a_film_that_is_not_what_was_written_is_named_and_the_report_comes_out(tmp_path: Path) -> None:
    handle = filmed(tmp_path, measures="dynamics")
    trials, networks = handle.trials(), handle.networks()
    path = handle.config.directory / "trials/0000/arrays.npz"
    whole = path.read_bytes()
    unlisted = Material(handle.config, trials, networks, judged(handle.config, trials, networks))
    for place in range(30, len(whole), len(whole) // 12):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        assert isinstance(figures()["film"].draw(unlisted), Absent | Picture)  # whatever it hit
    html = handle.report(tmp_path / "report").read_text(encoding="utf-8")
    assert "trials/0000/arrays.npz is not what was written" in html
    path.unlink()
    html = handle.report(tmp_path / "report").read_text(encoding="utf-8")
    assert "trials/0000/arrays.npz is missing" in html


def test_a_network_that_failed_is_in_no_film(tmp_path: Path) -> None:
    handle = filmed(tmp_path, measures="dynamics")
    trials, networks = handle.trials(), handle.networks()
    path = handle.config.directory / "trials/0000/arrays.npz"
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["training/dynamics/vectors"][3:, 0] = np.nan
    np.savez_compressed(path, **arrays)
    drawn = figures()["film"].draw(Material(handle.config, trials, networks, judged(handle.config, trials, networks)))
    assert isinstance(drawn, Picture)
    assert drawn.caption.startswith("Trial 0, network 1 of each arm.")
    arrays["training/dynamics/vectors"][3:] = np.nan
    np.savez_compressed(path, **arrays)
    drawn = figures()["film"].draw(Material(handle.config, trials, networks, judged(handle.config, trials, networks)))
    assert drawn == Absent("")


def test_networks_that_did_not_fit_have_neither_learned_nor_memorised() -> None:
    """They and their twins are left out, and counted."""
    _, trials, networks = frames()
    dense = networks["level"] == 0
    bad = dense & (networks["trial"] == 3) & (networks["network"] == 1) & (networks["arm"] == "replicate")
    assert bad.sum() == 1
    networks["interpolated"] = True
    networks.loc[bad, "measure/norms/path"] = 1e9
    whole = {row.name: row for row in measure_rows(trials, networks)}["norms/path"]
    networks.loc[bad, "interpolated"] = False
    assert left_out(trials, networks) == (2, int((dense & networks["arm"].isin(["replicate", "control"])).sum()))
    without = {row.name: row for row in measure_rows(trials, networks)}["norms/path"]
    assert (whole.memorised.mean or 0) > 1e6
    assert (without.memorised.mean or 1e9) < 1e3
    assert without.difference.units == 24
    networks["interpolated"] = False
    assert measure_rows(trials, networks) == []
