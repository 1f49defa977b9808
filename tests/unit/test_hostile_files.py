"""Files and names that somebody else wrote: refused in one sentence that names them, before they cost anything."""

import ast
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from study.cli import main
from study.config.prices import read_prices
from study.config.yaml_files import read_yaml
from study.errors import UsageError
from study.ledger import tables
from study.ledger.gathered import read_table
from study.operations.adding import read_configurations
from study.printable import printable
from study.settings.study_file import read_study_file
from trainables.compression.tickets import Tickets
from trainables.opening import NotReadable, read_file, require_file_target

pytestmark = pytest.mark.slow

REPO = Path(__file__).parents[2]
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
READERS: dict[str, Callable[[Path], object]] = {
    "study file": read_study_file,
    "price file": read_prices,
    "configurations": read_configurations,
    "ticket": Tickets.read,
}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOMB, "more than 500,000 values"),
        ("a: &a [*a]", "an alias stands for what it is a part of"),
        ("a: &a {b: *a}", "an alias stands for what it is a part of"),
        (f"trials: {'9' * 5000}", "a number of 5,000 digits"),
        (f"lr: 0.{'9' * 5000}", "a number of 5,002 digits"),
        ("[" * 100_000 + "]" * 100_000, "nested more than 50 levels"),
        ("when: 2020-99-99", "month must be in"),
        ("a: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
        ("? [a]\n: b", "unhashable key"),
    ],
)
def test_a_small_file_that_stands_for_something_huge_or_dangerous(text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / "hostile.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=says) as refused:
        read_yaml(file)
    assert str(file) in str(refused.value)


def test_aliases_are_of_use_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text("a: &x {b: 1}\nc: *x\nd: {<<: *x, e: 2}\n")
    assert read_yaml(file) == {"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1, "e": 2}}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_ordinary_file_is_not_waited_for(reader: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").touch()
    os.truncate(tmp_path / "large", 1 << 40)  # takes no room on the disk
    for name, says in (("pipe", "it is a pipe"), ("large", "bytes"), ("none", "no such file"), (".", "it is a folder")):
        with pytest.raises(ValueError, match=says) as refused:
            READERS[reader](tmp_path / name)
        assert str(tmp_path / name) in str(refused.value)
    with pytest.raises(ValueError, match="it is a device"):
        READERS[reader](Path("/dev/zero"))


def test_a_file_that_is_longer_than_it_says_is_read_no_further(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotReadable, match="more than 3 bytes"):
        read_file(Path("/proc/self/status"), largest=3)  # says 0 bytes


def test_a_pipe_is_not_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is a pipe"):
        require_file_target(tmp_path / "pipe")
    require_file_target(tmp_path / "new")


def test_too_many_configurations_are_refused_at_once(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text("- {model.width: 64}\n" * 10_001)
    with pytest.raises(UsageError, match="10,001 configurations; at most 10,000"):
        read_configurations(file)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "nl\n"],
        ["--name", "a b"],
        ["--set", "training.lr=1..2\n"],
        ["--set", f"model.width={'9' * 5000}"],
        ["--set", f"training.lr={'9' * 5000}..{'9' * 5001}"],
        ["--ledger", "postgresql://db:port/x"],
        ["--tracking-uri", "http://host:port"],
        ["--tracking-uri", "http://host:99999999"],
        ["--storage", "s3://bucket:port/x?endpoint_override=a"],
        ["--address", "ray://head:port"],
    ],
)
def test_names_numbers_and_ports_that_are_none(
    arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["launch", "redundancy", "--home", str(tmp_path), "--dry-run", *arguments]) == 2
    said = capsys.readouterr().err
    assert arguments[0].removeprefix("--") in said, said
    assert not list(tmp_path.iterdir())


def test_no_pattern_takes_a_newline_for_the_end() -> None:
    """`$` matches before a last newline as well; \\Z and fullmatch do not."""
    found = []
    for folder in ("study", "trainables", "search_spaces", "infra"):
        for file in (REPO / folder).rglob("*.py"):
            for call in ast.walk(ast.parse(file.read_text())):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and isinstance(call.func.value, ast.Name)
                    and call.func.value.id == "re"
                    and call.args
                ):
                    text = [part.value for part in ast.walk(call.args[0]) if isinstance(part, ast.Constant)]
                    if text and str(text[-1]).endswith("$"):
                        found.append(f"{file.relative_to(REPO)}:{call.lineno}")
    assert found == []


def test_commands_to_a_terminal_are_spelled_out() -> None:
    assert printable("a\x1b]0;title\x07b\x9b2J\rc\u202ed\n\te\r\n") == (
        "a\\x1b]0;title\\x07b\\x9b2J\\rc\\u202ed\n\te\r\n"
    )


def test_nothing_that_is_printed_commands_the_terminal(tmp_path: Path) -> None:
    """In a real process: through errors, plain lines and rich's tables alike."""
    evil = "\x1b]52;c;ZXZpbA==\x07\x1b[2J"
    file = tmp_path / "evil.yaml"
    escaped = evil.encode("unicode_escape").decode().replace("\\x1b", "\\e").replace("\\x07", "\\a")
    file.write_text(f'name: evil\nspace: {{title: "{escaped}", base: {{"model.{escaped}": 1}}}}\n')
    show = (
        "import sys\nfrom study.cli import main, _printable\nfrom study.display import terminal\n"
        f"main(['launch', {str(file)!r}, '--home', {str(tmp_path)!r}])\n"
        "with _printable(colours=False, lasting=False):\n"
        f"    print({evil!r})\n    terminal().print({evil!r}, style='bold', markup=False)\n"
    )
    ended = subprocess.run([sys.executable, "-c", show], capture_output=True, check=True, timeout=120)
    assert b"\x1b]" not in ended.stdout + ended.stderr
    assert b"\x1b[2J" not in ended.stdout + ended.stderr
    assert ended.stdout.count(rb"\x1b]52;c;ZXZpbA==") == 2
    assert rb"\x1b]52" in ended.stderr


def test_what_nobody_sees_is_spelled_out() -> None:
    assert printable("pay\u200bload \ufeffa\u2028b\U000e0041 \xadc") == (
        "pay\\u200bload \\ufeffa\\u2028b\\U000e0041 \\xadc"
    )
    assert printable("\U0001f469\u200d\U0001f52c می\u200cخواهم") == "\U0001f469\u200d\U0001f52c می\u200cخواهم"


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, store_schema=False)
    return buffer.getvalue()


def test_small_tables_that_stand_for_something_huge_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 1 << 20)
    zeros = _parquet(pa.table({"ratio": np.zeros(1 << 18)}))
    one = pa.DictionaryArray.from_arrays(np.zeros(10_000, dtype=np.int32), ["x" * 100_000])
    texts = _parquet(pa.table({"arm": one}))
    lists = _parquet(pa.table({"widths": [[0] * (1 << 18)]}))
    for content in (zeros, texts, lists):
        assert len(content) < 200_000
        (tmp_path / "networks.parquet").write_bytes(content)
        table, _, trouble = read_table(tmp_path / "networks.parquet", None)
        assert table is None
        assert trouble.startswith("stands for ")
    many = pa.table({"arm": [f"arm {number % 9}" for number in range(20_000)], "ratio": np.arange(20_000.0)})
    assert tables.table_in(_parquet(many)).equals(many), "and nothing is lost of what is not"


def test_small_archives_that_stand_for_something_huge_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_BYTES", 1 << 20)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, vectors=np.zeros(1 << 20, dtype=np.float32))
    with pytest.raises(ValueError, match="stands for 4,194,"):
        tables.arrays_in(buffer.getvalue())
    buffer = io.BytesIO()
    np.savez(buffer, evil=np.array([lambda: 0, 1], dtype=object)[1:])
    with pytest.raises(ValueError, match="pickle"):
        tables.arrays_in(buffer.getvalue())
