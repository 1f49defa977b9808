"""The report of a study: one HTML page that works offline, and the numbers and pictures behind it.

Each module of `figures` is one figure, found by its name; `page.py` puts them on the page.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from study.answer.robustness import Robustness
from study.answer.verdict import Verdicts
from study.config import StudyConfig
from study.errors import Damaged
from study.ledger.files import ListedFile

if TYPE_CHECKING:
    from study.report.figure import Figure, Picture
    from study.report.material import Material


_TRIALS, _ROBUSTNESS = "trials", "robustness"  # tables beside the figures


def write_report(
    config: StudyConfig,
    trials: pd.DataFrame,
    networks: pd.DataFrame,
    verdicts: Verdicts,
    out_dir: Path,
    *,
    robustness: Robustness | None = None,
    listed: Sequence[ListedFile] = (),
) -> Path:
    """Writes `index.html`, which has all of this inside too: `figures/NAME.csv` and `.svg`, `figures/trials.csv`.

    Beside it lie `verdicts.json`, for studies that claim something, `figures/robustness.csv`, and `examples.csv` with
    the scores of all training examples, where trials recorded what networks say of them.

    A study that lacks what a figure needs still gets its page, which says what is not drawn and why.

    Args:
        config: Of the study.
        trials: One row per trial, whatever its state.
        networks: One row per trial, arm, network and level; may be empty.
        verdicts: What is known of the study's claims, with their courses.
        out_dir: Made if missing; files of an earlier report are replaced.
        robustness: The same claims under other choices; None: no section of the page.
        listed: Files of results as the ledger knows them: figures show nothing of those that are not what was written.
    Returns:
        The path of the page.
    """
    from study.report.figure import Picture, figures
    from study.report.material import Material
    from study.report.page import page

    material = Material(config, trials, networks, verdicts, listed)
    drawn = {name: (figure, figure.draw(material)) for name, figure in figures().items()}
    pictures = {name: _files(figure, shown) for name, (figure, shown) in drawn.items() if isinstance(shown, Picture)}
    folder = out_dir / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*drawn, _TRIALS, _ROBUSTNESS):  # there may be files in it that no report has put there
        for ending in ("csv", "svg"):
            (folder / f"{name}.{ending}").unlink(missing_ok=True)
    (folder / f"{_TRIALS}.csv").write_text(material.trials_csv, encoding="utf-8")
    for name, contents in pictures.items():
        for ending, content in contents.items():
            (folder / f"{name}.{ending}").write_text(content, encoding="utf-8")
    if robustness is not None and robustness.checks:
        robustness.as_frame().to_csv(folder / f"{_ROBUSTNESS}.csv", index=False)
    table = out_dir / "verdicts.json"
    table.unlink(missing_ok=True)
    if verdicts.findings or verdicts.exploratory:
        table.write_text(json.dumps(verdicts.as_dict(), indent=2, allow_nan=False) + "\n", encoding="utf-8")
    _write_examples(material, out_dir / "examples.csv")
    path = out_dir / "index.html"
    path.unlink(missing_ok=True)  # it may be a link that another member of a group has laid
    path.write_text(page(material, drawn, pictures, robustness), encoding="utf-8")
    return path


def _write_examples(material: "Material", table: Path) -> None:
    from study.report.examples import examples_csv, name_files

    table.unlink(missing_ok=True)
    try:
        found = [(ballot, one) for ballot, one in material.examples if one is not None]
    except Damaged:
        return  # which the figure says
    if found:
        table.write_text(examples_csv(name_files(material.config, found)) + "\n", encoding="utf-8")


def _files(figure: "Figure", shown: "Picture") -> dict[str, str]:
    """Ending → what is in the file of that ending."""
    from study.report.drawing import picture

    svg = picture(shown.title or figure.title, shown.panels, shown.legend, shown.columns)
    return {"csv": shown.data.to_csv(index=False), "svg": svg}


__all__ = ["write_report"]
