"""The page in a real browser: no console message, every figure visible, nothing wider than the window."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from study.report import write_report
from tests.unit.report_frames import Recipe, judged, make

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=4000",
    "--dump-dom",
]
PROBE = """
<script>
  document.querySelector("#trials th:last-child button").click();
  document.getElementById("filter").value = "failed";
  document.getElementById("filter").dispatchEvent(new Event("input"));
  document.getElementById("theme").click();
  const sizes = [...document.querySelectorAll("main figure")].map((figure) => {
    const box = figure.querySelector(".panel svg").getBoundingClientRect();
    return [figure.id, Math.round(box.width), Math.round(box.height), figure.querySelectorAll("path").length];
  });
  const shown = [...document.querySelectorAll("#trials tbody tr")].filter((row) => !row.hidden).length;
  const probe = document.createElement("output");
  probe.id = "probe";
  probe.textContent = JSON.stringify({sizes, shown, theme: document.documentElement.dataset.theme,
    wide: document.documentElement.scrollWidth - innerWidth,
    answer: document.querySelector(".hero").getBoundingClientRect().bottom});
  document.body.append(probe);
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome to open the page")
@pytest.mark.parametrize("width", [1280, 600])
def test_every_figure_is_drawn_without_a_console_message(tmp_path: Path, width: int) -> None:
    config, trials, networks = make(Recipe())
    page = write_report(config, trials, networks, judged(config, trials, networks), tmp_path)
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{PROBE}</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            str(CHROMIUM),
            *FLAGS,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},900",
            probed.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "CONSOLE" not in done.stderr
    found = re.search(r'<output id="probe">(.*?)</output>', done.stdout)
    assert found is not None
    probe = json.loads(found[1])
    assert [name for name, *_ in probe["sizes"]] == [
        "verdicts",
        "descriptions",
        "score_curves",
        "contrast_by_noise",
        "epochs_to_fit",
        "kept_and_changed",
        "heat_maps",
        "gap_against_compressibility",
    ]
    for name, across, high, paths in probe["sizes"]:
        assert across > 200, name
        assert high > 100, name
        assert paths > 2 or name == "heat_maps"
    assert probe["shown"] == 1
    assert probe["theme"] in ("dark", "light")
    assert probe["wide"] <= 0
    if width == 1280:
        assert probe["answer"] < 900
