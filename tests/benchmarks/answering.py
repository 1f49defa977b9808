"""Answering a study of thousands of trials: seconds of commands that read all networks, and their memory.

    python -m tests.benchmarks.answering STUDY_FOLDER [--trials 1000 10000] [--commands verdicts report measures]

The study is a real one, its trials copied under new numbers with their files of results, in a home of its own. Each
command is run three times: with no file of gathered results, so that it reads every trial's file (and leaves the
gathered one); with it; and after one trial more has ended. Wall and processor time: on a machine that others use
the latter compares. Budget for 10,000 trials: 10 s, 2 GB.
"""

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import Table, create_engine, insert, select

from study.ledger.files import LAYERS, NETWORKS, result_of
from study.ledger.schema import attempts, files, trials
from study.ledger.sealing import with_seal

COMMANDS = {
    "verdicts": ("verdicts", "--json"),
    "report": ("report",),
    "measures": ("measures", "--format", "json"),
}


def grow(source: Path, home: Path, count: int, first: int = 0) -> Path:
    """A study in `home` with trials up to `count`: those of `source`, all COMPLETE, again and again.

    Args:
        first: The trials that are there already; 0 starts anew.
    """
    folder = home / source.name
    if not first:
        folder.mkdir(parents=True)
        for path in [*source.glob("study.*"), *source.glob("claims.yaml")]:
            shutil.copy(path, folder / path.name)
    engine = create_engine(f"sqlite:///{folder / 'study.db'}")
    there = create_engine(f"sqlite:///{source / 'study.db'}")
    with there.connect() as reading, engine.begin() as writing:
        for table in (trials, attempts, files):
            rows = [dict(row._mapping) for row in reading.execute(select(table))]
            own = max(row["number"] for row in rows) + 1
            of: dict[int, list[dict[str, object]]] = {}
            for row in rows:
                of.setdefault(row["number"], []).append(row)
            added = [_as(table, row, number) for number in range(max(own, first), count) for row in of[number % own]]
            if added:
                writing.execute(insert(table), added)
    engine.dispose()
    there.dispose()
    for number in range(first, count):
        for kind in (NETWORKS, LAYERS):
            path = source / result_of(number % own, kind)
            if path.is_file():
                (folder / result_of(number, kind)).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / result_of(number, kind))
    return folder


def _as(table: Table, row: dict[str, object], number: int) -> dict[str, object]:
    """The row of another trial."""
    old, new = f"{row['number']:04d}", f"{number:04d}"
    changed: dict[str, object] = {**row, "number": number}
    if table is trials:
        changed |= {"uid": f"{row['uid']}+{number}", "cell": f"trial {number}"}
    if table is files:
        return changed | {"name": str(row["name"]).replace(f"trials/{old}/", f"trials/{new}/")}
    return with_seal(table, {name: value for name, value in changed.items() if name != "seal"})


def run(command: tuple[str, ...], name: str, home: Path) -> dict[str, float]:
    """Wall and processor seconds of a command, and MB of its process."""
    begun = time.monotonic()
    verb, *options = command
    called = [sys.executable, "-m", "tests.benchmarks.answering", "--inside", verb, name, *options]
    done = subprocess.run(
        [*called, "--home", str(home)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    memory, processor = map(float, done.stderr.split()[-2:])
    return {"s": time.monotonic() - begun, "processor s": processor, "MB": memory}


def measure(source: Path, count: int, commands: list[str]) -> dict[str, dict[str, float]]:
    """Figures of one size."""
    found: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory(prefix="ockham-bench-") as place:
        home = Path(place)
        folder, there = grow(source, home, count), count
        for command in commands:
            for path in folder.glob("*.gathered"):
                path.unlink()
            figures: dict[str, float] = {}
            for state in ("not gathered", "gathered", "one trial more"):
                if state == "one trial more":
                    grow(source, home, there + 1, there)
                    there += 1
                found_now = run(COMMANDS[command], source.name, home)
                figures |= {f"{what}, {state}": round(value, 1) for what, value in found_now.items()}
            figures["MB of gathered files"] = round(sum(p.stat().st_size for p in folder.glob("*.gathered")) / 1e6, 1)
            found[f"{command}, {count:,} trials"] = figures
            print(f"{command}, {count:,} trials: {json.dumps(figures)}", flush=True)
    return found


def main() -> int:
    """Measures and prints."""
    if "--inside" in sys.argv:
        from study.cli import main as ockham

        code = ockham(sys.argv[2:])
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, file=sys.stderr)
        return code
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.answering", description=__doc__.split("\n", 1)[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--trials", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--commands", nargs="+", default=[*COMMANDS])
    asked = parser.parse_args()
    for count in asked.trials:
        measure(asked.study, count, asked.commands)
    return 0


if __name__ == "__main__":
    sys.exit(main())
