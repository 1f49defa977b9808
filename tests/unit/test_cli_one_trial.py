"""`ockham trials NAME NUMBER`: one trial whole, on a terminal of any width."""

from itertools import chain
from pathlib import Path

import pytest

from study.cli import main
from study.display.words import with_interval
from tests.unit.cli_ledgers import ledger
from trainables.record import Record


def test_one_trial_is_shown_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ledger(tmp_path).close()
    assert main(["trials", "small", "2", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "trial 2: RUNNING" in said
    rows = [line.split() for line in said.splitlines()]
    assert all(row in rows for row in (["level", "3"], ["ratio", "2.5"], ["train_accuracy", "0.81"]))
    assert "model.width: 32" in said
    assert main(["trials", "small", "1", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "TrialDiverged: the loss is nan" in said
    assert "log.txt" in said
    assert main(["trials", "small", "0", "--home", str(tmp_path)]) == 0
    assert "0.210 ±0.040" in capsys.readouterr().out
    for absent in ("9", "9" * 30):
        assert main(["trials", "small", absent, "--home", str(tmp_path)]) == 2
        assert "its trials are 0 to 3" in capsys.readouterr().err


def test_levels_that_do_not_fit_beside_each_other_stand_below(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    small = ledger(tmp_path)
    steps = [(level, {"level/parameters": 266_610.0 / 2**level, "level/ratio": 2.0**level}) for level in range(9)]
    for level, numbers in steps[4:]:
        small.record(2, 1, [Record("level", level, numbers | {"control/level/val_accuracy": 0.98765})])
    small.close()
    assert main(["trials", "small", "2", "--home", str(tmp_path)]) == 0
    said = capsys.readouterr().out.partition("metric")[0].splitlines()
    assert max(map(len, said)) <= 60
    rows = [line.split() for line in said]
    levels = [row[1:] for row in rows if row[:1] == ["level"]]
    assert [*chain(*levels)] == ["3", "4", "5", "6", "7", "8"]
    assert len(levels) > 1
    counts = [*chain(*(row[1:] for row in rows if row[:1] == ["parameters"]))]
    assert counts == ["–", "16,663", "8,332", "4,166", "2,083", "1,041"]
    assert ["control/val_accuracy", "–", *["0.9877"] * (len(levels[0]) - 1)] in rows


@pytest.mark.parametrize(
    ("number", "half", "said"),
    [
        (0.18714, 0.00432, "0.1871 ±0.0043"),
        (2.4744, 0.0, "2.474 ±0"),
        (11.639341, 1.8e-15, "11.64 ±0"),
        (0.0, 2e-17, "0 ±2e-17"),
        (4.127e-06, 1e-07, "4.127e-06 ±1e-07"),
        (-0.0001, 0.02, "0.000 ±0.020"),
        (-0.5, 0.02, "-0.500 ±0.020"),
        (-0.0, None, "0"),
        (999.96, None, "1,000"),
        (1000.0, None, "1,000"),
        (-12345.6, None, "-12,346"),
        (3.2e30, None, "3.2e+30"),
        (3.2e30, 1e29, "3.2e+30 ±1e+29"),
        (266610.0, None, "266,610"),
        (12345.6, 321.0, "12,346 ±321"),
        (4.127e-06, None, "4.127e-06"),
        (1.0, float("nan"), "1"),
    ],
)
def test_numbers_are_written_as_far_as_they_are_known(number: float, half: float | None, said: str) -> None:
    assert with_interval(number, half) == said
