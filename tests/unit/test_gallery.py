"""The report's gallery of examples: those that it shows are those of largest score, with their own images."""

import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from study.config import RunConfig
from study.execution.results import example_table
from study.report import write_report
from study.report.examples import Shown, shown_data
from study.report.figure import Absent, Picture, figures
from study.report.figures.memorised_examples import _picture
from study.report.material import Material
from tests.unit.report_frames import Recipe, judged, make
from trainables.config import TrialConfig
from trainables.data.loading import load_split

FIGURE = figures()["memorised_examples"]


def recorded(changed: int, *, own: bool = False) -> dict[str, Any]:
    """Ten networks that memorised the first examples, whose labels are changed, and know all others."""
    random, true = np.random.default_rng(0), load_split(TrialConfig().data, 7, Path("unused")).train_labels
    given, label = random.random((10, 1000)) < 0.7, np.tile(true, (10, 1))
    label[:, :changed] = (label[:, :changed] + 1) % 10
    if own:
        label[3, 500] = (label[3, 500] + 1) % 10
    known = np.arange(1000) >= changed
    return {
        "network": np.arange(10, dtype=np.int16) % 5,
        "control": np.zeros(10, dtype=bool),
        "true_label": true.astype(np.int16),
        "subset": given,
        "label": label.astype(np.int16),
        "prediction": np.where(given | known, label, true).astype(np.int16),
        "margin": np.zeros((10, 1000), dtype=np.int8),
        "lost_at": np.where(known, 5, 1).astype(np.int8) * np.ones((10, 1), dtype=np.int8),
    }


def material(home: Path, content: dict[str, Any] | None) -> Material:
    config, trials, networks = make(Recipe(noise=(0.25,), widths=(64,), criteria=("random",), failed=0))
    config = config.model_copy(update={"run": RunConfig(home=home)})
    if content is not None:
        folder = config.directory / "trials" / "0000"
        folder.mkdir(parents=True)
        (folder / "examples.parquet").write_bytes(example_table(content))
    return Material(config, trials, networks, judged(config, trials, networks))


def test_the_most_memorised_are_shown_with_their_images_and_labels(tmp_path: Path) -> None:
    found = FIGURE.draw(material(tmp_path, recorded(5)))
    assert isinstance(found, Picture)
    memorised, lost = found.panels
    first = found.data[found.data["order"] == "Most memorised"]
    assert sorted(first["example"].tolist()[:5]) == [0, 1, 2, 3, 4]
    assert first["se"].iloc[:5].is_monotonic_increasing
    assert first["memorisation"].tolist()[:5] == [1.0] * 5
    drawn = memorised.inline()
    coded = re.findall(r"base64,([^\"]+)\"", drawn)
    shown = [np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in coded]
    assert len(shown) == 12
    images = load_split(TrialConfig().data, 7, Path("unused")).train_images
    for example, pixels in zip(first["example"], shown, strict=True):
        assert (pixels == images[example, 0]).all()
    label, true = int(first["label"].iloc[0]), int(first["true_label"].iloc[0])
    assert f"{label}, truly {true}" in drawn
    earliest = [int(n) for n in re.findall(r"example (\d+):", lost.inline())]
    assert earliest[:5] == first["example"].tolist()[:5], "equally early, so by the same errors"


def test_of_equal_scores_the_surest_comes_first(tmp_path: Path) -> None:
    found = FIGURE.draw(material(tmp_path, recorded(40)))
    assert isinstance(found, Picture)
    first = found.data[found.data["order"] == "Most memorised"]
    assert first["memorisation"].tolist() == [1.0] * 12
    assert first["se"].nunique() > 1
    assert first["se"].is_monotonic_increasing


def test_influential_pairs_stand_side_by_side_and_all_scores_in_a_table(tmp_path: Path) -> None:
    shown = material(tmp_path, recorded(5))
    split = load_split(TrialConfig().data, 7, Path("unused"))
    given = recorded(5)["subset"]
    tested = np.zeros((10, len(split.test_labels)), dtype=bool)
    tested[:, 11] = given[:, 700]
    np.savez_compressed(shown.config.directory / "trials" / "0000" / "arrays.npz", **{"test/right": tested})
    ((ballot, found),) = shown.examples
    assert found is not None
    row = found.examples.loc[700]
    assert (row["influence"], row["on_test"]) == (1.0, 11)
    assert not found.examples["certain"].any(), "of ten networks, among so many pairs"
    sure = found.examples.assign(certain=found.examples["example"] == 700)
    data = shown_data(shown.config, split.train_labels)
    assert isinstance(data, Shown)
    picture = _picture(ballot, replace(found, examples=sure), data, "study")
    assert isinstance(picture, Picture)
    drawn = picture.panels[-1].inline()
    first, second = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))) for one in re.findall(r"base64,([^\"]+)\"", drawn)
    )
    assert (first == split.train_images[700, 0]).all()
    assert (second == split.test_images[11, 0]).all()
    assert "influence 1.00" in drawn


def test_the_report_keeps_all_scores_beside_the_page_which_stays_small(tmp_path: Path) -> None:
    shown = material(tmp_path, recorded(5))
    page = write_report(shown.config, shown.trials, shown.networks, shown.verdicts, tmp_path / "report")
    table = pd.read_csv(tmp_path / "report" / "examples.csv")
    assert len(table) == 1000
    assert table["arm"].unique().tolist() == ["replicate"]
    assert table.sort_values("memorisation", ascending=False)["example"].head(5).tolist() == [0, 1, 2, 3, 4]
    assert page.stat().st_size < 5_000_000
    assert 'image class="zooms"' in page.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "^$"),
        (recorded(5, own=True), "noise_draw=study"),
        (recorded(5) | {"subset": np.ones((10, 1000), bool)}, "subset below 1"),
    ],
)
def test_without_scores_there_is_no_gallery_and_it_says_why(content: Any, reason: str, tmp_path: Path) -> None:
    found = FIGURE.draw(material(tmp_path, content))
    assert isinstance(found, Absent)
    assert re.search(reason, found.reason)
