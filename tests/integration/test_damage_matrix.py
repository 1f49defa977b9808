"""Every file that holds results, damaged in every way: each command says what it says of the whole home, or refuses.

`python -m tests.torture.damage` does it to all files, with all commands.
"""

from pathlib import Path

import pytest

from tests.torture.damage import build, matrix

pytestmark = [
    pytest.mark.slow,
    pytest.mark.ends,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning"),
]
FILES = ("whole/study.db", "whole/study.db-wal", "whole/trials/0001/networks.parquet")


def test_no_damage_changes_a_number(tmp_path: Path) -> None:
    build(tmp_path / "home")
    build(tmp_path / "other", noise=1.0)
    cells = {
        (file, damage, command): verdict
        for file, damage, row in matrix(
            tmp_path / "home", tmp_path / "other", tmp_path / "scratch", ("status", "report"), FILES
        )
        for command, verdict in row.items()
    }
    assert len(cells) == 5 * 2 * len(FILES)
    assert {cell: verdict for cell, verdict in cells.items() if verdict not in ("healed", "refused")} == {}
    refused = {cell[:2] for cell, verdict in cells.items() if verdict == "refused"}
    assert {("whole/study.db", "gone"), ("whole/study.db-wal", "flipped"), (FILES[2], "foreign")} <= refused
