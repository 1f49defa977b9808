"""A home whose files are damaged for real, one at a time, and what the commands make of each.

    python -m tests.torture.damage [--commands status,trials,report,export,resume]

prints the matrix: every file of a home × gone, empty, cut off, flipped, of another study × commands. A cell is
`healed` (the command says what it says of the undamaged home), `refused` (with the file's name, exit code 2 or 130), or
what must not be: `silent` (other numbers, and no word about it) or `crashed`.
"""

import argparse
import contextlib
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from rich.console import Console
from rich.table import Table

from study.cli import main as ockham
from study.config import StudyConfig
from study.execution.driver import run
from study.execution.results import result_files
from study.ledger import Ledger, Proposal, gathered
from study.proposing import Proposer
from study.settings.creation import open_or_create
from tests.integration import driving
from trainables.trial import TrialContext, run_trial

NAME, TRIALS = "whole", 4
COMMANDS = ("status", "trials", "verdicts", "measures", "examples", "report", "export", "resume")
FILES = (
    "whole/study.db",
    "whole/study.db-wal",
    "whole/study.db-shm",
    "whole/study.yaml",
    "whole/claims.yaml",
    "whole/networks.gathered",
    "whole/layers.gathered",
    "whole/trials/0001/networks.parquet",
    "whole/trials/0001/layers.parquet",
    "whole/trials/0001/arrays.npz",
    "whole/trials/0001/examples.parquet",
    "whole/trials/0001/log.txt",
    "whole/report/index.html",
    "whole/snapshots",
    "whole/study.db.optuna.lock",
    "whole/.publisher.lock",
    "mlflow.db",
    ".mlflow.lock",
)


def build(home: Path, name: str = NAME, noise: float = 0.5) -> None:
    """A study that has ended and been published, then was extended by a trial under a driver that was killed: the last
    results are in the log of its ledger."""
    config = _config(home, name, noise)
    with contextlib.redirect_stdout(io.StringIO()):
        ledger, _ = open_or_create(config, lambda _: None)
        ledger.acquire()
        _fill(ledger, TRIALS - 1)
        ledger.release()
        ledger.close()
        if run(config).exit_code:
            raise RuntimeError("the study to be damaged did not end well")
    (home / "asked.yaml").write_text(_CLAIM.format(field="model.width" if noise < 1 else "data.label_noise"))
    with contextlib.redirect_stdout(io.StringIO()):
        if ockham(["claim", name, str(home / "asked.yaml"), "--home", str(home)]):
            raise RuntimeError("the claim about the study to be damaged was not taken")
    (home / "asked.yaml").unlink()
    for command in ("verdicts", "measures"):  # which write what is read fast
        said(command, home)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.torture.damage", "--extend", str(home), name], cwd=driving.ROOT, check=False
    )
    if killed.returncode != -signal.SIGKILL:
        raise RuntimeError(f"the driver that was to be killed ended with {killed.returncode}")


_CLAIM = """- name: afterwards
  says: It is so.
  quantity: {{kind: slope, over: {field}, of: {{kind: metric, metric: compressibility/auc}}}}
  comparison: {{kind: greater}}
"""


def extend_and_die(home: Path, name: str) -> None:
    """One trial more, and the end."""
    ledger = Ledger.open(f"sqlite:///{home / name / 'study.db'}", name)
    ledger.acquire()
    ledger.set_trials(TRIALS)
    _fill(ledger, TRIALS)
    os.kill(os.getpid(), signal.SIGKILL)


def _config(home: Path, name: str, noise: float) -> StudyConfig:
    config = driving.config(home, name, TRIALS - 1, progress=False)
    small: dict[str, Any] = {"data.split": (200, 100, 100), "replicates": 2, "training.epochs": 3}
    # All kinds of files: layers and arrays of measures, examples of a draw that networks share.
    small |= {"compression.depth": 2, "measures": "norms+spectrum", "data.subset": 0.7, "data.noise_draw": "study"}
    space = config.space.model_copy(update={"base": {**config.space.base, **small}})
    return config.model_copy(update={"seed": int(10 * noise), "space": space})


def _fill(ledger: Ledger, until: int) -> None:
    config = ledger.config
    proposer = Proposer(config)
    for number in range(ledger.next_number(), until):
        proposal: Proposal = proposer.propose(number, [], added=0)
        ledger.propose([proposal])
        attempt = ledger.start_attempt(number)
        trial = config.space.config(proposal.params, config.seed)
        context = TrialContext(number, config.run.data_path, cell=ledger.trial(number).cell)
        records = [record for record in run_trial(trial, context) if record is not None]
        with result_files(config.directory, number, records) as files:
            ledger.finish(number, attempt, "COMPLETE", records=records, results=files)
        (config.directory / "trials" / f"{number:04d}" / "log.txt").write_text(f"trial {number}\n")


# Damages: of one file, given the same file of another study


def gone(path: Path, _other: Path) -> None:
    """It is not there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def empty(path: Path, _other: Path) -> None:
    """It has no bytes."""
    for file in _files(path):
        file.write_bytes(b"")


def cut_off(path: Path, _other: Path) -> None:
    """The second half is missing."""
    for file in _files(path):
        os.truncate(file, file.stat().st_size // 2)


def flipped(path: Path, _other: Path) -> None:
    """Bits are other ones, at several places."""
    for file in _files(path):
        content = bytearray(file.read_bytes())
        for tenth in range(1, 10, 2):
            if content:
                content[len(content) * tenth // 10] ^= 0x15
        file.write_bytes(bytes(content))


def foreign(path: Path, other: Path) -> None:
    """It is another study's."""
    if other.is_dir():
        shutil.rmtree(path)
        shutil.copytree(other, path)
    else:
        shutil.copy(other, path)


DAMAGES: tuple[Callable[[Path, Path], None], ...] = (gone, empty, cut_off, flipped, foreign)


def _files(path: Path) -> list[Path]:
    return [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]


# Commands


def said(command: str, home: Path) -> tuple[int, str, str]:
    """Exit code, what it says that must not change, and its complaints."""
    out, err = io.StringIO(), io.StringIO()
    arguments = {
        "status": ["status", NAME, "--json"],
        "trials": ["trials", NAME, "--format", "json"],
        "verdicts": ["verdicts", NAME, "--json"],
        "measures": ["measures", NAME, "--layers"],
        "examples": ["examples", NAME, "--format", "csv"],
        "report": ["report", NAME, "--out", str(home / "elsewhere")],
        "export": ["export", NAME, "1", "--level", "1", "--out", str(home / "net.safetensors")],
        "resume": ["resume", NAME, "--no-progress"],
    }[command]
    with (
        mock.patch.object(gathered, "WORTH", 2),  # so few trials are otherwise read one by one
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = ockham([*arguments, "--home", str(home)])
    text = out.getvalue()
    if command == "report":
        text = text.split("Report: ")[0] + _numbers(home / "elsewhere" / "figures" / "trials.csv")
    if command == "status":
        text = text.split('"remaining_s"')[0].replace('"interrupted"', '"finished"') + text.partition('"claims"')[2]
    if command == "export":
        text = "\n".join(line for line in text.splitlines() if not line.startswith("ms for"))  # timed
    if command == "resume":
        text = text.partition(" have ended\n")[2].partition(" trials done")[0]
        text = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("MLflow has lost "))
    return code, text, err.getvalue() + out.getvalue()


def _numbers(path: Path) -> str:
    return path.read_text() if path.is_file() else ""


def verdict(command: str, file: str, expected: tuple[int, str, str], found: tuple[int, str, str]) -> str:
    """What a cell is; see the module."""
    code, text, complaints = found
    if code in (expected[0], 0) and text == expected[1]:
        return "healed"
    flat = complaints.replace("\n", " ")
    if "Ockham failed" in flat or "Traceback" in flat:
        return f"crashed: {flat[:200]}"
    names = Path(file).name
    allowed = (0, 1, 2, 130) if command == "status" else (1, 2, 130)  # it shows the rest beside what is damaged
    if code in allowed and (names in flat or names.removesuffix("-shm").removesuffix("-wal") in flat):
        return "refused"
    return f"silent: {code} {flat[:300]}"


Cells = tuple[str, str, dict[str, str]]


def matrix(
    home: Path, other: Path, scratch: Path, commands: Sequence[str], files: Sequence[str] = FILES
) -> Iterator[Cells]:
    """(file, damage, command → verdict) of every cell; each damage is done to a fresh copy of `home`."""
    expected = {}
    for command in commands:
        expected[command] = said(command, _fresh(home, scratch))
        if expected[command][0] or not expected[command][1]:
            raise RuntimeError(f"the home is damaged before anything is done to it: {expected[command]}")
    for file in files:
        if not (home / file).exists():
            raise RuntimeError(f"{file} is to be damaged, and is not there")
        for damage in DAMAGES:
            cells: dict[str, str] = {}
            for command in commands:
                damaged = _fresh(home, scratch)
                damage(damaged / file, other / file)
                cells[command] = verdict(command, file, expected[command], said(command, damaged))
            yield file, damage.__name__.replace("_", " "), cells


def _fresh(home: Path, scratch: Path) -> Path:
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(home, scratch)
    return scratch


def show(rows: Sequence[tuple[str, str, Mapping[str, str]]], commands: Sequence[str]) -> bool:
    """Prints the matrix; whether every cell is as it must be."""
    table = Table("file", "damage", *commands, title="A home, damaged")
    wrong = []
    for file, damage, cells in rows:
        table.add_row(file, damage, *(cells[command].split(":")[0] for command in commands))
        wrong += [
            f"{file}, {damage}, {name}: {cell}" for name, cell in cells.items() if cell not in ("healed", "refused")
        ]
    Console(width=120).print(table)
    for line in wrong:
        print(line)
    return not wrong


def main() -> int:
    """Prints the matrix; 1 if a cell is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.damage", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--commands", default=",".join(COMMANDS))
    parser.add_argument("--files", default=",".join(FILES))
    parser.add_argument("--extend", nargs=2, metavar=("HOME", "NAME"), help="for itself: the driver that is killed")
    options = parser.parse_args()
    if options.extend:
        extend_and_die(Path(options.extend[0]), options.extend[1])
    commands = options.commands.split(",")
    with tempfile.TemporaryDirectory(prefix="ockham-damage-") as folder:
        home, other = Path(folder) / "home", Path(folder) / "other"
        build(home)
        build(other, noise=1.0)
        rows = []
        for row in matrix(home, other, Path(folder) / "scratch", commands, options.files.split(",")):
            print(*row[:2], *row[2].values(), sep=" | ", flush=True)  # whatever becomes of the others
            rows.append(row)
    return 0 if show(rows, commands) else 1


if __name__ == "__main__":
    sys.exit(main())
