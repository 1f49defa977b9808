"""`ockham spaces --methods`: every criterion, and every refusal with a reason of its own."""

import pytest

from study.cli import main
from study.commands.methods_table import _REFUSED, refusal
from trainables.compression.interfaces import CRITERIA, METHODS


def test_every_criterion_is_listed_and_every_refusal_says_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["spaces", "--methods"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in CRITERIA.names():
        row = [line.split() for line in lines if line.split()[:1] == [name]][-1]  # a method may have that name as well
        weights = ["yes"] * 2 if CRITERIA.get(name).scores_weights else ["–"] * 2
        assert row[1:] == ["yes", "yes", *weights]
    for name in METHODS.names():
        (line,) = [line for line in lines if line.split()[:2] == [name, METHODS.get(name).stage]]
        assert ("description_length" in line) == (METHODS.get(name).stage == "code")
        assert line.split()[-1] == ("yes" if METHODS.get(name)().trains else "–")


def test_the_examples_are_refused_each_for_its_own_reason() -> None:
    reasons = [refusal(fields) for fields in _REFUSED]
    assert all(reasons)
    assert len(set(reasons)) == len(reasons)
    assert refusal({}) is None
