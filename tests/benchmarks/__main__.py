"""`make bench`: run the benchmarks of this folder and keep what they measured.

Each module with a `measure() -> dict[str, float]` is a benchmark; its docstring says what its figures mean and their
budget; `BUDGETS`, where it is there, has the largest values allowed. `python -m tests.benchmarks training` runs one.
Results go to `results/<date>-<module>.json` with the machine and the versions they were measured on.
"""

import datetime
import importlib
import json
import os
import pkgutil
import platform
import sys
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names: list[str]) -> None:
    """Run the benchmarks called `names`, all without any."""
    for name in names or sorted(m.name for m in pkgutil.iter_modules([str(FOLDER)]) if not m.name.startswith("_")):
        module = importlib.import_module(f"tests.benchmarks.{name}")
        print(f"\n{name}: {(module.__doc__ or '').strip().splitlines()[0]}", flush=True)
        figures = module.measure()
        print(table(figures), flush=True)
        for figure, most in getattr(module, "BUDGETS", {}).items():
            verdict = "within" if figures[figure] <= most else "OVER"
            print(f"  {verdict} the budget of {most:,}: {figure}", flush=True)
        keep(name, figures)


def table(figures: dict[str, float]) -> str:
    """Figures called `row: column` as a table, where rows share columns; else one a line."""
    rows: dict[str, dict[str, float]] = {}
    for figure, value in figures.items():
        row, _, column = figure.partition(": ")
        rows.setdefault(row, {})[column] = value
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    # Some cells of a table may be empty, not most of them.
    if not len(rows) * len(columns) / 2 < len(figures) <= len(rows) * len(columns) or len(rows) == 1:
        return "\n".join(f"  {figure:<62}{value:>12,.3f}" for figure, value in figures.items())
    lines = ["  " + " " * 28 + "".join(f"{column:>22}" for column in columns)]
    for row, values in rows.items():
        cells = "".join(f"{_cell(values.get(column)):>22}" for column in columns)
        lines.append(f"  {row:<28}{cells}")
    return "\n".join(lines)


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:,.{0 if value > 1000 else 3}f}"


def keep(name: str, figures: dict[str, float]) -> None:
    """Write the figures beside those of other days and machines."""
    packages = ("torch", "ray", "optuna", "mlflow", "numpy")
    record = {
        "figures": figures,
        "machine": {"processor": processor(), "cores": os.cpu_count(), "system": platform.platform()},
        "versions": {"python": platform.python_version(), **{p: version(p) for p in packages}},
    }
    folder = FOLDER / "results"
    folder.mkdir(exist_ok=True)
    (folder / f"{datetime.date.today()}-{name}.json").write_text(json.dumps(record, indent=1) + "\n")


def processor() -> str:
    """The processor's name, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


if __name__ == "__main__":
    main(sys.argv[1:])
