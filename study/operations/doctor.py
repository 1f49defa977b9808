"""Is this machine fit to run studies? One finding per line, with what to do about what is not."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from study.display import terminal
from study.ledger.place import Place
from study.passwords import mask_passwords
from study.private import open_to_others
from study.tracking.mlflow_store import client_of

if TYPE_CHECKING:
    from trainables.data.interfaces import Dataset

Health = Literal["ok", "note", "broken"]
_MARKS = {"ok": ("✓", "green"), "note": ("–", "yellow"), "broken": ("✗", "red")}
_PACKAGES = ("ockham", "ray", "optuna", "mlflow", "torch", "torchvision", "pydantic", "sqlalchemy")
_RAY_S = 90
_RAY_PROBE = """
import tempfile
from pathlib import Path
import ray
from study.config import RunConfig
from study.execution.on_ray.session import ray_session
with tempfile.TemporaryDirectory() as home, ray_session(RunConfig(home=Path(home))) as session:
    @ray.remote
    def answer():
        return 42
    assert ray.get(answer.remote(), timeout=60) == 42
    print(f"{session.cpus:g} CPUs, {session.gpus:g} GPUs")
"""


@dataclass(frozen=True)
class CheckResult:
    """Something looked at: what was found, and what to do if it is not fine."""

    what: str
    verdict: Health
    finding: str
    fix: str = ""


def examine(place: Place, *, start_ray: bool) -> Iterator[CheckResult]:
    """Looks at one thing after the other, the slow ones last."""
    yield _python()
    yield _packages()
    yield from _hardware()
    yield from _gpu()
    yield _home(place)
    yield _disk(place.home)
    yield from _data_sets(place.home / "data")
    yield _port()
    yield _tracking_store(place)
    if start_ray:
        yield _ray()


def show(findings: Iterator[CheckResult], *, well: str = "Ready: ockham launch") -> int:
    """Prints findings as they come, and `well` if nothing is broken; 1 if anything is, else 0."""
    console = terminal()
    broken = 0
    for finding in findings:
        mark, colour = _MARKS[finding.verdict]
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_column(width=1)
        line.add_column(width=14)
        line.add_column()
        said = Text(finding.finding)
        if finding.fix:
            said.append(f"\n{finding.fix}", style=colour)
        line.add_row(Text(mark, style=colour), finding.what, said)
        console.print(line)
        broken += finding.verdict == "broken"
    if broken:
        console.print(f"\n{broken} thing{'s are' if broken > 1 else ' is'} broken.", style="red")
    else:
        console.print(f"\n{well}", style="green")
    return 1 if broken else 0


def _python() -> CheckResult:
    return CheckResult("Python", "ok", f"{platform.python_version()} in {sys.prefix}")


def _packages() -> CheckResult:
    versions, missing = [], []
    for name in _PACKAGES:
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        return CheckResult("Packages", "broken", ", ".join(versions), f"Missing: {', '.join(missing)}. Run: make setup")
    return CheckResult("Packages", "ok", ", ".join(versions))


def _hardware() -> Iterator[CheckResult]:
    import psutil

    from study.settings.machine import cpus

    yield CheckResult("CPUs", "ok", f"{cpus()} to use: as many trials at once by default")
    memory = psutil.virtual_memory()
    found = f"{memory.available / 2**30:.1f} of {memory.total / 2**30:.1f} GiB free"
    if memory.available < 2 * 2**30:
        yield CheckResult("Memory", "note", found, "Each trial needs about 0.5 GiB; lower --max-concurrent.")
    else:
        yield CheckResult("Memory", "ok", found)


def _gpu() -> Iterator[CheckResult]:
    """Which GPUs there are, and whether each computes what trials ask of it."""
    import torch

    if not torch.cuda.is_available():
        if torch.version.cuda and shutil.which("nvidia-smi"):
            fix = (
                f"Compare the driver that nvidia-smi shows with CUDA {torch.version.cuda}, which PyTorch was built for."
            )
            yield CheckResult("GPU", "broken", "there, but PyTorch can't use it", fix)
        else:
            yield CheckResult(
                "GPU", "ok", "none; trials run on CPUs, which is enough for the studies that ship with Ockham"
            )
        return
    from trainables.device import description, shares_by_mps
    from trainables.probing import probe

    for index in range(torch.cuda.device_count()):
        device = torch.device("cuda", index)
        results = probe(device)
        wrong = [f"{kind}: {said}" for kind, said in results.items() if said]
        name = description(device)
        if wrong:
            fix = "Is it in use by others, or its driver too old for this PyTorch? See nvidia-smi."
            yield CheckResult("GPU", "broken", f"{name}; {'; '.join(wrong)}", fix)
            continue
        use = "use with --gpus-per-trial 1, or 0.25 for four trials on one"
        if shares_by_mps():
            use += ", which then compute at the same time (NVIDIA's MPS runs)"
        else:
            use += ", which take turns on it unless NVIDIA's MPS runs (nvidia-cuda-mps-control -d)"
        old = "" if "bf16 products" in results else "; too old for training.precision=tf32 and bf16"
        yield CheckResult("GPU", "ok", f"{name}: {', '.join(results)} are right{old}; {use}")


def _home(place: Place) -> CheckResult:
    from study.ledger.connection import network_filesystem

    home = _nearest(place.home)
    if not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        return CheckResult(
            "Home", "broken", f"{home} can't be written to", "Choose another --home, or set OCKHAM_HOME."
        )
    if place.ledger is None and (kind := network_filesystem(place.home)):
        fix = "SQLite loses data there; use a local --home, or PostgreSQL: --ledger URL."
        return CheckResult("Home", "broken", f"{place.home} lies on {kind}", fix)
    if may := open_to_others(place.home):
        said = f"other users of this machine may {may} {place.home}"
        return CheckResult("Home", "note", said, f"Homes of today are their user's alone: chmod 700 {place.home}")
    return CheckResult("Home", "ok", f"{place.home.absolute()}, {len(place.studies())} studies")


def _disk(home: Path) -> CheckResult:
    free = shutil.disk_usage(_nearest(home)).free / 2**30
    if free < 1:
        return CheckResult("Disk", "broken", f"{free:.2f} GiB free", "Make room, or choose another --home.")
    if free < 5:
        return CheckResult("Disk", "note", f"{free:.1f} GiB free", "Enough for MNIST-sized studies.")
    return CheckResult("Disk", "ok", f"{free:.0f} GiB free")


def _nearest(folder: Path) -> Path:
    """`folder`, or the deepest of its parents that exists."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    return folder


def _data_sets(folder: Path) -> Iterator[CheckResult]:
    """Which data sets lie in `folder`; nothing is downloaded."""
    from trainables.data.interfaces import DATASETS

    here: list[str] = []
    absent: list[str] = []
    for name in DATASETS.names():
        (here if _at_hand(DATASETS.get(name), folder) else absent).append(name)
    yield CheckResult("Data sets", "ok", f"{', '.join(here)} at hand")
    if absent:
        fix = "Downloaded when a study asks for them; or name the folder that holds them with --data-dir."
        yield CheckResult("", "note", f"not in {folder}: {', '.join(absent)}", fix)


def _at_hand(dataset: "type[Dataset]", folder: Path) -> bool:
    """Whether a data set needs no download."""
    from trainables.errors import DataUnavailable

    try:
        return all(path.is_file() for path in dataset().files(folder).values())
    except DataUnavailable:  # it needs to be told where its files are
        return True


def _port() -> CheckResult:
    from study.errors import UsageError
    from study.tracking.tracking_server import FIRST_PORT, free_port

    try:
        port = free_port()
    except UsageError as error:
        return CheckResult("Port for UI", "note", str(error))
    taken = f" ({FIRST_PORT} is taken)" if port != FIRST_PORT else ""
    return CheckResult("Port for UI", "ok", f"{port}{taken}")


def _tracking_store(place: Place) -> CheckResult:
    uri = place.store_uri()
    shown = mask_passwords(uri)
    if (own := place.own_store) and not own.is_file():
        return CheckResult("Tracking", "ok", f"{shown}, made by the first study")
    try:
        count = len(client_of(place.home, uri).search_experiments(max_results=1000))
    except Exception as error:
        first = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        fix = "Start it, or leave --tracking-uri out. A study would run all the same, and deliver its results later."
        return CheckResult("Tracking", "broken", f"{shown}: {first}", fix)
    return CheckResult("Tracking", "ok", f"{shown}, {count} experiments")


def _ray() -> CheckResult:
    """Starts Ray as a study would, in a process of its own, and runs one task on it."""
    try:
        probe = subprocess.run(  # noqa: S603 - our own text
            [sys.executable, "-c", _RAY_PROBE], capture_output=True, text=True, timeout=_RAY_S, check=False
        )
    except subprocess.TimeoutExpired:
        return CheckResult(
            "Ray", "broken", f"did not start within {_RAY_S} s", "Is the machine overloaded, or /tmp full?"
        )
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or ["no reason given"])[-1]
        return CheckResult("Ray", "broken", last, "See what a firewall or a proxy does to connections to 127.0.0.1.")
    return CheckResult("Ray", "ok", f"starts and computes: {probe.stdout.strip()}")
