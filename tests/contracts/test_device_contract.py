"""Every entry of every kind through a whole trial on a GPU that counts, with the numbers of a CPU."""

import gc
import logging
import traceback
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.counting_device import counting_device
from tests.engine import config
from trainables import convolving
from trainables.compression.interfaces import CRITERIA, METHODS
from trainables.compression.tickets import winning_tickets
from trainables.config import TrialConfig
from trainables.export.checking import compare_outputs
from trainables.export.files import plain
from trainables.looking.measure import MEASURES
from trainables.pausing import finish
from trainables.record import Record
from trainables.stack.interfaces import MODELS
from trainables.trial import TrialContext, run_to_level, run_trial

TINY: dict[str, Any] = {
    "data__split": (40, 20, 20),
    "model__width": 6,
    "training__epochs": 2,
    "training__batch_size": 20,
    "compression__depth": 1,
    "replicates": 2,
}
TRAINED = ("carry", "distill", "hypernet", "group_sparse", "hashed_trained", "dct_trained", "subspace")
SHORT: dict[str, dict[str, Any]] = {name: {"epochs": 1} for name in TRAINED}
WEIGHTS = {"compression__granularity": "weight"}
RECOVERY = {"compression__recovery_epochs": 1}
OTHERS: dict[str, dict[str, Any]] = {
    "one network": {"replicates": 1, "control": False},
    "one network, convolutions": {"replicates": 1, "control": False, "model__name": "conv2"},
    "masks": {**WEIGHTS, "compression__recovery": "finetune", **RECOVERY},
    "units over all layers": {"compression__scope": "global"},
    "rewind": {
        **WEIGHTS,
        "compression__recovery": "rewind",
        "compression__rewind_to": 0.5,
        "training__stop_at_train_loss": None,
        **RECOVERY,
    },
    "reinit": {**WEIGHTS, "compression__recovery": "reinit", **RECOVERY},
    "shuffled": {**WEIGHTS, "compression__recovery": "shuffled", **RECOVERY},
    "regression": {
        "data__name": "teacher",
        "data__teacher": {"task": "regression"},
        "data__noise_kind": "permuted",
        "training__lr": 0.01,
    },
    "xor": {"data__name": "xor", "data__noise_kind": "wrong"},
    "renamed labels": {"data__noise_kind": "renamed"},
    "subsets": {"data__subset": 0.6, "data__noise_draw": "study"},
    "shuffled pixels": {"data__inputs": "shuffled_pixels"},
    "adam": {"training__optimizer": "adam", "training__clip_norm": 0.5, "training__l1": 0.001},
    "adamw": {"training__optimizer": "adamw", "training__label_smoothing": 0.1, "training__weight_decay": 0.01},
    "nesterov": {"training__nesterov": True, "training__schedule": "cosine", "training__warmup_epochs": 1.0},
    "dropout": {"model__dropout": 0.3},
    "dropout of channels": {"model__name": "wide_resnet", "model__dropout": 0.3},
    "augmented": {"data__label_noise": 0.0, "training__augment": "flip+crop"},
    "rate": {"compression__rate": 0.3},
    "distilled on the training inputs": {
        "compression__method": "distill",
        "compression__transfer": "train",
        "compression__distill": {"epochs": 1, "temperature": 2.0},
    },
    "update from the start": {"compression__method": "low_rank", "compression__low_rank": {"of": "update"}},
    "k-means": {"compression__method": "quantize", "compression__quantize": {"codebook": "kmeans", "bits": 2}},
    "deep compression": {"compression__method": "prune+share", **WEIGHTS},
    "stops early": {"training__stop_at_train_loss": 2.28, "training__epochs": 6},
    "an hypernetwork of convolutions": {
        "compression__method": "hypernet",
        "compression__hypernet": {"epochs": 1},
        "model__name": "conv2",
    },
    "normalised and quantized": {"model__name": "resnet20", "compression__method": "quantize"},
}
FEW = {"products": 4, "signs": 2, "halvings": 3, "draws": 1}
MEASURED: dict[str, dict[str, Any]] = {
    "overlaps": {"data__name": "teacher"},
    "ticket_structure": WEIGHTS,
    "sharpness": {f"measures.sharpness.{name}": few for name, few in FEW.items()},
}
CASES: dict[str, dict[str, Any]] = {
    **{f"criterion {name}": {"compression__criterion": name} for name in CRITERIA.names()},
    **{
        f"criterion {name}, weights": {"compression__criterion": name, **WEIGHTS}
        for name in CRITERIA.names()
        if CRITERIA.get(name).scores_weights
    },
    **{
        f"method {name}": {
            "compression__method": name,
            **({f"compression__{name}": SHORT[name]} if name in SHORT else {}),
        }
        for name in METHODS.names()
    },
    **{f"model {name}": {"model__name": name} for name in MODELS.names()},
    **{f"measure {name}": {"measures": name, **MEASURED.get(name, {})} for name in MEASURES.names()},
    **OTHERS,
}
RESIDUAL = ("resnet18", "resnet20", "wide_resnet")
# What takes seconds, or asks what its twin over units asks, and is seen among the ends.
COSTLY = ("model resnet18", "model wide_resnet", "dropout of channels", "normalised and quantized")
NEEDS_NORMALISED = {"criterion batch_norm_scale": {"model__name": "resnet20"}}


def costs(name: str) -> bool:
    return name in COSTLY or name.endswith(", weights")


def trial(fields: dict[str, Any]) -> TrialConfig:
    small = {"data__split": (20, 20, 20)} if fields.get("model__name") in RESIDUAL else {}  # a step an epoch
    return config(**{**TINY, **small, **fields})


def records(trial: TrialConfig, device: str) -> list[Record]:
    context = TrialContext(0, Path("unused"), device)
    return [record for record in run_trial(trial, context) if record is not None]


class Memory:
    """Notes which lines of the engine take memory, and their functions; runs out once at each line that is chosen."""

    def __init__(self, chosen: Iterable[str] = ()) -> None:
        self.lines: dict[str, str] = {}
        self.chosen = set(chosen)

    def __call__(self, _operation: str) -> None:
        for frame, number in traceback.walk_stack(None):
            code = frame.f_code
            if "/trainables/" in code.co_filename:
                line = f"{code.co_filename}:{number}"
                self.lines[line] = f"{code.co_filename}:{code.co_qualname}"
                if line in self.chosen:
                    self.chosen.remove(line)
                    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
                return


def case(name: str) -> TrialConfig:
    return trial({**CASES[name], **NEEDS_NORMALISED.get(name, {})})


def networks(name: str) -> int:
    return case(name).networks


class Warnings(logging.Handler):
    """Keeps what the engine warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


@cache
def on_the_device(name: str) -> tuple[list[Record], Memory, list[str]]:
    """What a case reports there, which lines took memory, and what it warned of."""
    logger, warnings = logging.getLogger("trainables"), Warnings()
    logger.addHandler(warnings)
    try:
        with counting_device() as device:
            device.allocating = memory = Memory()
            there = records(case(name), "cuda")
    finally:
        logger.removeHandler(warnings)
    assert device.counts.total > 0, "it was used"
    return there, memory, warnings.said


@cache
def new_lines(every: bool) -> dict[str, list[str]]:
    """Case → lines that take memory in no case before it, or one line of each function that does so in none.

    There are none where a single network leaves nothing to halve. Residual networks come last, and have what no smaller
    network runs through: a trial of theirs takes ten times as long.
    """
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for name in sorted(CASES, key=lambda name: case(name).model.name in RESIDUAL):
        lines = on_the_device(name)[1].lines if networks(name) > 1 else {}
        new = {line if every else function: line for line, function in reversed(lines.items())}
        found[name] = [line for what, line in reversed(new.items()) if what not in seen]
        seen |= new.keys()
    return found


@pytest.fixture(autouse=True)
def _the_same_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of convolving are timed and one is taken: else a line that takes memory is met today, not tomorrow."""
    monkeypatch.setattr(convolving, "_CLEARLY", 0.0)


@pytest.fixture
def _little_to_collect() -> Iterator[None]:
    """What is there already is not looked through whenever memory is given back, most of the time of these trials."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.ends) if costs(name) else name for name in CASES]
)
def test_a_trial_on_the_device_says_what_it_says_on_the_cpu(name: str) -> None:
    there, _, warnings = on_the_device(name)
    assert warnings == [], "a measure that fails there is told in a log alone"
    here = records(case(name), "cpu")
    assert [(r.stage, r.step) for r in there] == [(r.stage, r.step) for r in here]
    for one, other in zip(there, here, strict=True):
        assert not {name for name in one.metrics.keys() ^ other.metrics.keys() if not name.startswith("cost/")}
        for metric in ("train/loss", "val/loss", "level/train_loss"):
            if metric in other.metrics:
                assert one.metrics[metric] == pytest.approx(other.metrics[metric], rel=0.05, abs=1e-3), metric


@pytest.mark.slow
@pytest.mark.ends
@pytest.mark.usefixtures("_little_to_collect")
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.kills)], ids=["functions", "lines"])
@pytest.mark.parametrize("name", CASES)
def test_wherever_memory_runs_out_a_trial_goes_on_with_half(
    name: str, every: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every function of the engine that takes memory in any case, or every line, two a trial: 4 networks, 2, 1."""
    expected = on_the_device(name)[0]
    lines, times = new_lines(every)[name], 2 if networks(name) >= 4 else 1
    for both in (lines[start : start + times] for start in range(0, len(lines), times)):
        monkeypatch.setattr(convolving, "_found", {})  # the first trial of its kind
        with counting_device() as device:
            device.allocating = memory = Memory(both)
            # Without a store it starts again, and reports again.
            found = records(case(name), "cuda")[-len(expected) :]
        # Fewer networks take other ways, some without the second line.
        left = networks(name) // 2 ** (len(both) - len(memory.chosen))
        assert found[-1].notes["cost/memory"].endswith(f"went on with {left}"), both
        assert [(r.stage, r.step) for r in found] == [(r.stage, r.step) for r in expected]
        for one, other in zip(found, expected, strict=True):
            if "level/train_loss" in other.metrics:
                loss = one.metrics["level/train_loss"]
                assert loss == pytest.approx(other.metrics["level/train_loss"], rel=5e-2), both


@pytest.mark.parametrize("model", ["mlp", "conv2", "resnet20"])
def test_an_exported_network_says_what_the_devices_own_says(model: str, tmp_path: Path) -> None:
    chosen = trial({"model__name": model})
    with counting_device():
        workspace = finish(run_to_level(chosen, TrialContext(0, Path("unused"), "cuda"), 1))
        stack = workspace.networks_here()
        small = plain(stack.select([1]), workspace.train_inputs, {})
        small.write(tmp_path / "small.safetensors")
        assert compare_outputs(small.network, workspace, stack, 1).difference <= 1e-5


def test_tickets_found_and_given_on_the_device(tmp_path: Path) -> None:
    fields = {**WEIGHTS, "compression__recovery": "rewind", **RECOVERY, "data__label_noise": 0.0}
    path = tmp_path / "tickets.safetensors"
    with counting_device():
        tickets = winning_tickets(finish(run_to_level(trial(fields), TrialContext(0, Path("unused"), "cuda"), 1)))
        tickets.write(path)
        taken = trial({**fields, "compression__ticket": str(path)})
        workspace = finish(run_to_level(taken, TrialContext(5, Path("unused"), "cuda"), 1))
        masks = {name: mask.cpu() for name, mask in workspace.progress.kept_values["masks"].items()}
        assert all(torch.equal(mask, tickets.masks[name].cpu()) for name, mask in masks.items())
