"""Commands that messages print: each names the home that it is about, because one function writes them all."""

import ast
import re
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "study"
# What stands before a study's name in a command written by hand: "… with: ockham resume ".
_BY_HAND = re.compile(r"\bockham [a-z]+ $")
# Where no home is known (errors fall back to it), or none is meant: a new one is to be given, or the usual one.
_NO_HOME = {"errors.py", "storing/claims.py", "operations/replications_page.py", "commands/catalogue.py"}


@pytest.mark.parametrize(
    "file", sorted({path.relative_to(STUDY).as_posix() for path in STUDY.rglob("*.py")} - _NO_HOME)
)
def test_a_command_about_a_study_is_written_by_the_function_that_knows_its_home(file: str) -> None:
    texts = [node for node in ast.walk(ast.parse((STUDY / file).read_text())) if isinstance(node, ast.JoinedStr)]
    parts = [part.value for text in texts for part in text.values[:-1] if isinstance(part, ast.Constant)]
    assert not [part for part in parts if _BY_HAND.search(part)], "take config.command(…) or command_line(…)"
