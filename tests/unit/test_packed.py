"""Networks in exactly the bits of their description, read again: every method, every way of writing numbers down."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.engine import config
from trainables.compression.description import description_lengths
from trainables.compression.interfaces import METHODS
from trainables.config import TrialConfig
from trainables.export.packed import KIND, described_network, load_packed, pack
from trainables.opening import NotReadable
from trainables.storage import seal
from trainables.trial import TrialContext, run_to_level
from trainables.workspace import Workspace

pytestmark = pytest.mark.slow

LEVEL = 2
QUICK = {"training__epochs": 1, "replicates": 2}
_EPOCHS = {"distill", "group_sparse", "hypernet", "hashed_trained", "dct_trained", "subspace"}
WAYS: dict[str, dict[str, Any]] = {
    **{name: {"compression__method": name} for name in METHODS.names()},
    "dense": {},
    "masked weights": {"compression__granularity": "weight"},
    "units of all layers": {"compression__scope": "global"},
    "updates of low rank": {"compression__method": "prune+low_rank", "compression__low_rank": {"of": "update"}},
    "updates along directions": {"compression__method": "sketch", "compression__sketch": {"of": "update"}},
    "lowest coefficients": {"compression__method": "dct", "compression__dct": {"keep": "lowest"}},
    "all three": {"compression__method": "prune+low_rank+quantize"},
    "masked and shared": {"compression__method": "prune+share", "compression__granularity": "weight"},
    "small and quantized": {"compression__method": "prune+quantize", "compression__scope": "global"},
    "convolutions": {"model__name": "resnet20", "model__width": 4, "compression__method": "prune+quantize"},
}


def trial(name: str) -> TrialConfig:
    fields = QUICK | WAYS[name]
    if name in _EPOCHS:
        fields[f"compression__{name}"] = {"epochs": 1}
    return config(**fields)


def run(asked: TrialConfig, level: int = LEVEL) -> Workspace:
    running = run_to_level(asked, TrialContext(0, Path("unused"), cell="trial 0"), level)
    while True:
        try:
            next(running)
        except StopIteration as end:
            workspace: Workspace = end.value
            return workspace


@pytest.fixture(scope="module")
def pruned() -> Workspace:
    return run(trial("masked weights"))


@pytest.mark.parametrize("name", WAYS)
def test_a_network_is_read_from_exactly_its_bits(name: str, tmp_path: Path) -> None:
    workspace = run(trial(name), 0 if name == "dense" else LEVEL)
    made = workspace.compressed
    lengths = description_lengths(made.stack, made.writing(), made.unit_masks())
    inputs = workspace.train_inputs.images[0, :5]
    for k in (0, workspace.networks - 1):
        path = tmp_path / f"{k}.packed"
        bits, size = pack(workspace, k, path, {"trial": 0})
        assert bits == lengths[k]
        header = path.read_bytes().split(b"\n", 2)[:2]
        assert size == path.stat().st_size == sum(len(line) + 1 for line in header) + math.ceil(bits / 8)
        found = load_packed(path)
        one = described_network(made, k)
        assert {name: tuple(t.shape) for name, t in found.tensors.items()} == {
            name: tuple(t.shape) for name, t in one.tensors().items()
        }
        assert all(torch.equal(found.tensors[name], tensor) for name, tensor in one.tensors().items())
        said = one.unstack(0)((inputs.float() - workspace.train_inputs.shift[:, None, None]) / 255)
        assert torch.allclose(found.network(inputs), said, atol=1e-5)


def test_every_way_of_writing_is_tried() -> None:
    assert set(METHODS.names()) <= set(WAYS)
    assert {"all three", "small and quantized"} <= set(WAYS)


def test_what_is_damaged_or_of_another_kind_is_refused_by_name(pruned: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "net.packed"
    pack(pruned, 0, path, {})
    whole = path.read_bytes()
    for place in (5, len(KIND) + 20, 120, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(NotReadable, match=r"net\.packed is no network that this version packed"):
            load_packed(path)
    for cut in (b"", whole[:10], whole[:-1], b"PK\x03\x04" + whole, whole.replace(b"network 1", b"network 2", 1)):
        path.write_bytes(cut)
        with pytest.raises(NotReadable, match=r"net\.packed is no network that this version packed"):
            load_packed(path)
    with pytest.raises(NotReadable, match="nowhere"):
        load_packed(tmp_path / "nowhere.packed")


@pytest.mark.parametrize(
    "change",
    [
        {"widths": [10**9, 10**9]},
        {"widths": [12]},
        {"widths": [-1, 12]},
        {"network": 10**6},
        {"networks": 10**9},
        {"model": {"name": "os"}},
        {"model": {"name": "mlp", "width": 10**12}},
        {"parts": []},
        {"seeds": 3},
        {"bits": 7},
        {"expansion": {"kind": "buckets", "counts": {"layers.0.weight": 10**15}}},
        {"expansion": {"kind": "generated", "method": "prune", "options": {}, "level": 1, "allowed": 5, "kept": []}},
        {"expansion": {"kind": "pickle"}},
        {"units": [[5, 10**9], [0]]},
        {"inputs": {"shape": [1, 10**6, 10**6], "mean": [0.0], "scale": 1.0}},
        {"more": 1},
    ],
    ids=str,
)
def test_what_somebody_wrote_with_a_checksum_costs_little(
    change: dict[str, Any], pruned: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "net.packed"
    pack(pruned, 0, path, {})
    _, line, message = path.read_bytes().split(b"\n", 2)
    content = json.dumps(json.loads(line) | change).encode() + b"\n" + message
    path.write_bytes(seal(KIND, content) + content)
    with pytest.raises(NotReadable, match=r"net\.packed has a checksum and is no network all the same"):
        load_packed(path)
