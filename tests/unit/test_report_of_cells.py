"""The report of a study whose instruments meet the same dense networks."""

from pathlib import Path

from study.report import write_report
from tests.unit.report_frames import Recipe, judged, make


def test_a_study_whose_instruments_share_dense_networks_gets_a_page(tmp_path: Path) -> None:
    config, trials, networks = make(Recipe())
    trials["cell"] = [
        f"{width} {noise}" for width, noise in zip(trials["model.width"], trials["data.label_noise"], strict=True)
    ]
    networks = networks.merge(trials[["number", "cell"]], left_on="trial", right_on="number").drop(columns="number")
    write_report(config, trials, networks, judged(config, trials, networks), tmp_path)
    drawn = (tmp_path / "figures" / "gap_against_compressibility.svg").read_text(encoding="utf-8")
    assert "width 64" in drawn
    assert "criterion" not in drawn, "a cell has met both"
