"""One network of a finished trial as an ordinary PyTorch network in files.

Checkpoints of trials that ended are dropped, so the trial is run again up to the level asked for: every draw of it is
named, and on the same machine and versions its networks come out bit for bit. What was recorded of the network is
compared with what the file says.
"""

import importlib.util
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from study.errors import UsageError
from study.ledger.frames import results_damaged
from study.operations.running_again import Say, run_again, silent
from study.settings.inputs import compare_inputs
from trainables.again import DEVICE, elsewhere
from trainables.opening import require_file_target

if TYPE_CHECKING:
    from pandas import Series

    from study.ledger import Ledger, TrialRow
    from trainables.config import TrialConfig
    from trainables.export.checking import OutputComparison
    from trainables.export.files import Plain
    from trainables.workspace import Workspace

Arm = Literal["replicate", "control"]
_BATCHES = (1, 256)
# Rounding on another machine changes a network a little over many steps; beyond this it is another network.
_FAR = 0.02


@dataclass(frozen=True)
class ExportResult:
    """What was written, and how it compares; pairs are (dense network, exported network).

    Attributes:
        files: Weights, description, and the ONNX file if one was asked for.
        parameters, bytes: Of the networks as they are in files: zeros count.
        latency_s: Batch size → seconds a call on one thread, in the fastest of several rounds.
        label: What the task's score is called for people, e.g. accuracy.
        scores: `train_accuracy` … → (recorded, of the file).
        devices: What the trial was computed on ("" if that was not recorded), and what it was run again on.
        difference: Largest difference of an output to the trial's network (in float64) on validation inputs, relative
            to the largest.
    """

    files: tuple[Path, ...]
    parameters: tuple[int, int]
    bytes: tuple[int, int]
    latency_s: dict[int, tuple[float, float]]
    label: str
    scores: dict[str, tuple[float, float]]
    difference: float
    devices: tuple[str, str]


@dataclass(frozen=True)
class NetworkChoice:
    """Which network.

    Args:
        trial: Its number.
        level: 0 (dense) … depth.
        replicate: Which of the trial's networks.
        arm: Of the replicates or of their clean twins.
    """

    trial: int
    level: int
    replicate: int = 0
    arm: Arm = "replicate"


def export(
    ledger: "Ledger", wanted: NetworkChoice, out: Path, *, onnx: bool = False, say: Say = silent
) -> ExportResult:
    """Writes the network to `out` (.safetensors) and a .json beside it, with `onnx` also an .onnx.

    Raises:
        UsageError: There is no such network, `out` can't be written, ONNX is not installed, or what the trial read is
            not what it was.
        RuntimeError: The trial run again became another network than the one that was recorded.
    """
    row, workspace = network_again(ledger, wanted, out, say, onnx=onnx)
    devices = row.notes.get(DEVICE, ""), workspace.progress.devices[-1]
    return _write(
        workspace, wanted, _recorded_metrics(ledger, row, wanted, workspace.data.task.score), devices, out, onnx=onnx
    )


def export_tickets(ledger: "Ledger", trial: int, level: int, out: Path, *, say: Say = silent) -> int:
    """Writes the tickets of a level, of all replicates, to `out` (.safetensors): for `compression.ticket`.

    Returns:
        How many weights a ticket keeps (of the first replicate), of matrices and kernels.
    Raises:
        UsageError: There is no such level or nothing is masked there, `out` can't be written, or what the trial read
            is not what it was.
    """
    wanted = NetworkChoice(trial, level)
    row = _checked_row(ledger, wanted)
    _check_out(out)
    config = _checked_config(ledger, row, wanted)
    if level == 0 or config.compression.granularity != "weight":
        raise UsageError("--ticket: tickets are masks of single weights, of a level from 1 on, granularity=weight.")
    from trainables.compression.tickets import winning_tickets

    tickets = winning_tickets(run_again(config, row, ledger.config, level, say))
    tickets.write(out)
    return sum(int(mask[0].sum()) for mask in tickets.masks.values())


def network_again(
    ledger: "Ledger", wanted: NetworkChoice, out: Path, say: Say, *, ending: str = ".safetensors", onnx: bool = False
) -> tuple["TrialRow", "Workspace"]:
    """The trial run again up to the network; what can be refused is refused before. Raises as `export`."""
    row = _checked_row(ledger, wanted)
    _check_out(out, ending, onnx=onnx)
    config = _checked_config(ledger, row, wanted)
    if ending == ".packed" and config.model.tied_units:
        raise UsageError(
            f"--packed: trial {row.number} has units tied to examples (model.tied_units={config.model.tied_units:g}), "
            "and the bits of a description do not say which; leave --packed out: other files have the network "
            "without these units, as it was measured."
        )
    return row, run_again(config, row, ledger.config, wanted.level, say)


def _checked_config(ledger: "Ledger", row: "TrialRow", wanted: NetworkChoice) -> "TrialConfig":
    """The trial's configuration, if it has that network and reads what it read."""
    from trainables.config import TrialConfig
    from trainables.dotted import unflatten

    config = TrialConfig.model_validate(unflatten(row.params))
    _check_network(config, wanted)
    compare_inputs(ledger, [config])
    return config


def number_of(workspace: "Workspace", wanted: NetworkChoice) -> int:
    """Its place among the networks of the trial."""
    return wanted.replicate + (workspace.replicates if wanted.arm == "control" else 0)


def _checked_row(ledger: "Ledger", wanted: NetworkChoice) -> "TrialRow":
    """The trial, if it is complete and its files are what was written."""
    rows = {row.number: row for row in ledger.trials()}
    name = ledger.config.name
    if wanted.trial not in rows:
        raise UsageError(f"{name} has no trial {wanted.trial}; it has {len(rows)}, numbered from 0.")
    row = rows[wanted.trial]
    if row.state != "COMPLETE":
        raise UsageError(f"trial {row.number} of {name} is {row.state}; only what ended COMPLETE can be exported.")
    directory = ledger.config.directory
    wrong = [f"{file.name} {trouble}" for file in ledger.files([row.number]) if (trouble := file.trouble_in(directory))]
    if wrong:
        raise results_damaged(directory, wrong)
    return row


def _check_network(config: "TrialConfig", wanted: NetworkChoice) -> None:
    depth = config.compression.depth
    if not 0 <= wanted.level <= depth:
        raise UsageError(f"--level {wanted.level}: the trial has levels 0 (dense) to {depth}.")
    if not 0 <= wanted.replicate < config.replicates:
        raise UsageError(f"--replicate {wanted.replicate}: the trial has replicates 0 to {config.replicates - 1}.")
    if wanted.arm == "control" and not config.has_control:
        raise UsageError("--arm control: the trial has no controls, its data are clean already; use --arm replicate.")


def _check_out(out: Path, ending: str = ".safetensors", *, onnx: bool = False) -> None:
    """Refuses a file that can't be written, before anything is computed."""
    if out.suffix != ending:
        beside = "; the description goes beside it, into a .json" if ending == ".safetensors" else ""
        raise UsageError(f"--out {out}: must end in {ending}{beside}.")
    try:  # tried, since what permissions say is not all: a read-only mount, /proc
        tempfile.TemporaryFile(dir=out.parent).close()
    except OSError:
        raise UsageError(f"--out {out}: {out.parent} is no folder that can be written to.") from None
    try:
        for file in (out, out.with_suffix(".json"), out.with_suffix(".onnx")):
            require_file_target(file)
    except OSError as error:
        raise UsageError(f"--out {error.filename}: {error.strerror}.") from None
    if onnx and importlib.util.find_spec("onnxscript") is None:
        raise UsageError("--onnx needs the package onnxscript; install it with: pip install 'ockham[onnx]'")


def _recorded_metrics(ledger: "Ledger", row: "TrialRow", wanted: NetworkChoice, score: str) -> dict[str, float]:
    """Scores that networks.parquet has of the network."""
    mine = row_of(ledger, row, wanted)
    return {name: float(mine[name]) for name in (f"train_{score}", f"val_{score}", f"test_{score}")}


def row_of(ledger: "Ledger", row: "TrialRow", wanted: NetworkChoice) -> "Series":
    """What networks.parquet says of the network."""
    from study.ledger.frames import network_frame

    frame = network_frame(ledger.config.directory, [row], ledger.files([row.number]))
    if frame.empty or "arm" not in frame.columns:
        raise UsageError(f"trial {row.number} left no networks.parquet in {ledger.config.directory}; is --home right?")
    mine = frame[
        (frame["arm"] == wanted.arm) & (frame["network"] == wanted.replicate) & (frame["level"] == wanted.level)
    ]
    return mine.iloc[0]


def _write(
    workspace: "Workspace",
    wanted: NetworkChoice,
    recorded: dict[str, float],
    devices: tuple[str, str],
    out: Path,
    *,
    onnx: bool,
) -> ExportResult:
    from trainables.export.checking import compare_outputs
    from trainables.export.files import plain
    from trainables.export.loader import load_network

    number = number_of(workspace, wanted)
    stack = workspace.networks_here()
    about = asdict(wanted) | {"fingerprint": workspace.config.fingerprint(), "model": workspace.config.model.name}
    small = plain(stack.select([number]), workspace.train_inputs, about)
    dense = plain(workspace.initial().select([number]), workspace.train_inputs, about | {"level": 0})
    files: tuple[Path, ...] = small.write(out)
    said = compare_outputs(load_network(out), workspace, stack, number)
    if why := _why_another(said, recorded, elsewhere(*devices)):
        for file in files:
            file.unlink()
        raise RuntimeError(why)
    if onnx:
        files += (small.write_onnx(out.with_suffix(".onnx")),)
    return ExportResult(
        files,
        (dense.parameters, small.parameters),
        (len(dense.content), len(small.content)),
        _latencies(workspace, dense, small),
        workspace.data.task.label,
        {name: (value, said.scores[name]) for name, value in recorded.items()},
        said.difference,
        devices,
    )


def _why_another(said: "OutputComparison", recorded: dict[str, float], moved: str | None) -> str | None:
    """Why the file is not of the network that was recorded; None where it is."""
    if not said.difference <= said.allowed_difference:
        return (
            f"the file does not say what the trial's network says: outputs differ by {said.difference:.1e} "
            f"of the largest, where rounding explains {said.allowed_difference:.1e}; the export is at fault, "
            "nothing was written"
        )
    off = {name: abs(said.scores[name] - value) for name, value in recorded.items()}
    name = max(off, key=lambda n: off[n])
    if off[name] <= _FAR:
        return None
    why = moved or "was the trial run with other versions, or on another kind of machine?"
    return f"run again, the network has {name} {said.scores[name]:.4f} where {recorded[name]:.4f} was recorded; {why}"


def _latencies(workspace: "Workspace", dense: "Plain", small: "Plain") -> dict[int, tuple[float, float]]:
    import torch

    from trainables.export.latency import latencies

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    images = workspace.data.images[0].cpu()
    found: dict[int, tuple[float, float]] = {}
    for size in _BATCHES:
        inputs = images[torch.arange(size) % len(images)]
        first, second = latencies([dense.network, small.network], inputs)
        found[size] = (first, second)
    torch.set_num_threads(threads)
    return found


def table(exported: ExportResult) -> list[tuple[str, str, str, str]]:
    """Rows for people: what, dense network, exported network, ratio."""
    rows: list[tuple[str, Any, Any, str, float]] = [
        ("parameters", *exported.parameters, ",", 1),
        ("bytes", *exported.bytes, ",", 1),
        *((f"ms for {size} {'image' if size == 1 else 'images'}", *seconds, ".3f", 1000)
          for size, seconds in exported.latency_s.items()),
    ]  # fmt: skip
    return [
        (name, format(dense * scale, form), format(small * scale, form), f"{dense / small:.1f}×")
        for name, dense, small, form, scale in rows
    ]
