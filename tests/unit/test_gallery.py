"""The report's gallery of examples: those that it shows are those of largest score, with their own images."""

import base64
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from study.config import RunConfig
from study.execution.results import example_table
from study.report.figure import Absent, Picture, figures
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
    assert first["example"].tolist()[:5] == [0, 1, 2, 3, 4]
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
    assert [int(n) for n in re.findall(r"example (\d+):", lost.inline())][:5] == [0, 1, 2, 3, 4]


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
