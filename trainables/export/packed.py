"""A network in exactly the bits of its description, and back: the weights that the description stands for, bit for bit.

A file is two lines and a message:

    ockham packed network 1 sha256 …      of all that follows
    {…}                                   `Header`: what a decoder knows before any data are seen, in JSON
    the message                           `trainables.compression.description`, filled up to whole bytes

Of numbers that are drawn again the message has the seed. Where weights are products, their last bits are those of the
machine that multiplies. Of units that were cut before an update was written the header has the list, which the
description does not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from trainables.compression.description import SEED_BITS, Decoder, encode_network
from trainables.compression.few_numbers import Buckets, Coefficients
from trainables.compression.generating import Generated
from trainables.compression.interfaces import CompressionResult
from trainables.compression.low_rank import Directions, Factors, needs_start
from trainables.compression.masked_pruning import units_left
from trainables.compression.sensing import Measurements
from trainables.compression.writing import Stored
from trainables.config import ModelConfig
from trainables.export.loader import Pixels
from trainables.opening import NotReadable, read_file
from trainables.seeding import Key, generator
from trainables.stack.interfaces import MODELS, Model
from trainables.stack.model import StackedModel
from trainables.storage import seal, unseal, whole_file
from trainables.workspace import Workspace

KIND = b"ockham packed network 1"
LARGEST = 1 << 28
_MOST_NUMBERS, _LONGEST_HEADER = 1 << 27, 1 << 22


_Expansions = Stored | Coefficients | Buckets | Factors | Directions | Measurements | Generated


class _Json(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pictures(_Json):
    """What networks see: (x − mean)/scale of inputs of a shape [C, H, W]."""

    shape: tuple[int, ...]
    mean: list[float]
    scale: float


class Header(_Json):
    """What a decoder knows.

    Attributes:
        about: Where the network comes from; for people.
        widths: Units of each group.
        outputs: Of the classifier.
        key: Under which all draws of the trial are made, with the seed.
        networks, replicates, network: How many were made at once, and which of them this is: its draws are named so.
        parts: Names of what weights are made of, in the order of the message; everything else follows as it is.
        seeds: How many the message has.
        units: Of each group those of the dense network that are left, where weights before training take part.
        bits: Of the message.
    """

    about: dict[str, str | int]
    model: ModelConfig
    widths: tuple[int, ...]
    inputs: Pictures
    outputs: int
    key: Key
    networks: int = Field(ge=1, le=1 << 16)
    replicates: int = Field(ge=1, le=1 << 16)
    network: int = Field(ge=0)
    parts: tuple[str, ...]
    seeds: int = Field(ge=0, le=8)
    units: tuple[tuple[int, ...], ...] | None
    expansion: Annotated[_Expansions, Field(discriminator="kind")]
    bits: int = Field(ge=0)


@dataclass(frozen=True)
class Packed:
    """A network that was read.

    Attributes:
        network: Pixels [B, C, H, W] → logits, in evaluation mode.
        tensors: Name → [1, …]: its weights as a stack of one has them.
        header: What the file says of it.
    """

    network: nn.Sequential
    tensors: dict[str, Tensor]
    header: Header


class _Drawn:
    """Where a decoder draws what is drawn again."""

    def __init__(self, header: Header, model: Model, seed: int) -> None:
        self._header, self._model, self._seed = header, model, seed
        self.init_scale = header.model.init_scale

    def draws(self, *names: str | int) -> torch.Generator:
        """See `Workspace`."""
        return generator(self._seed, self._header.key, *names)

    def draws_for_networks(self, *names: str | int) -> Callable[[int], torch.Generator]:
        """See `Workspace`."""
        return lambda network: self.draws(*names, network % self._header.replicates)

    def fresh(self, widths: tuple[int, ...], *names: str | int) -> StackedModel:
        """See `Workspace`."""
        header = self._header
        draws = [self.draws(*names, replicate) for replicate in range(header.replicates)]
        made = self._model.build(header.model, widths, header.inputs.shape, header.outputs, draws)
        return made.select([n % header.replicates for n in range(header.networks)])


def pack(workspace: Workspace, network: int, path: Path, about: Mapping[str, str | int]) -> tuple[int, int]:
    """Writes a network of the level that the workspace has come to; returns the bits of its description, and bytes.

    Args:
        workspace: With `compressed`, of a trial run again.
        about: For the header.
    """
    made: CompressionResult = workspace.compressed
    written = made.writing()
    message, bits = encode_network(made.stack, written, made.unit_masks(), network, workspace.config.seed)
    inputs, units = workspace.train_inputs, None
    if needs_start(written):
        units = tuple(tuple(group[network].tolist()) for group in made.origin or ())
    header = Header(
        about=dict(about),
        model=workspace.config.model,
        widths=described_network(made, network).widths,
        inputs=Pictures(shape=workspace.input_shape, mean=inputs.shift.tolist(), scale=inputs.scale),
        outputs=workspace.data.num_classes,
        key=workspace.key,
        networks=workspace.networks,
        replicates=workspace.replicates,
        network=network,
        parts=tuple(written.parts),
        seeds=written.seed_bits // SEED_BITS,
        units=units,
        expansion=written.expansion,
        bits=bits,
    )
    content = header.model_dump_json().encode() + b"\n" + message
    with whole_file(path) as unfinished:
        unfinished.write_bytes(seal(KIND, content) + content)
    return bits, path.stat().st_size


def described_network(made: CompressionResult, network: int) -> StackedModel:
    """The network (a stack of one) that a description stands for: as small as it is when whole units are gone."""
    one, masks = made.stack.select([network]), made.unit_masks()
    if masks is None:
        return one
    return one.keep_units([units[network].nonzero().T for units in units_left(made.stack, masks)])


def load_packed(path: str | Path) -> Packed:
    """Reads a network that `ockham export --packed` wrote. Nothing of the file is executed, and little is believed.

    Raises:
        NotReadable: It is not there, too large, damaged, of another kind or version, or says what can't be.
    """
    path = Path(path)
    data = read_file(path, largest=LARGEST)
    content = unseal(KIND, data)
    if content is None:
        why = "what follows its first line is not what was written" if data.startswith(KIND) else "it is another file"
        raise NotReadable(
            f"{path} is no network that this version packed: {why}; write it again: ockham export --packed"
        )
    line = bytes(content[:_LONGEST_HEADER]).partition(b"\n")[0]
    message = bytes(content[len(line) + 1 :])
    try:
        return _read(Header.model_validate_json(line), message)
    except (ValidationError, ValueError, IndexError, KeyError, OverflowError, RuntimeError, TypeError) as error:
        said = " ".join(str(error).split())[:300]
        raise NotReadable(f"{path} has a checksum and is no network all the same: {said}") from None


def _read(header: Header, message: bytes) -> Packed:
    if len(message) != -(-header.bits // 8) or not header.network < header.networks:
        raise ValueError(f"{header.bits} bits were promised, {8 * len(message)} are there")
    model = MODELS.get(header.model.name).model_validate(header.model.options(header.model.name))
    copies = 1 if isinstance(header.expansion, Stored) else header.networks
    numbers = model.parameter_count(header.widths, header.inputs.shape, header.outputs)
    if min(header.widths, default=1) < 1 or not 0 < numbers * copies <= _MOST_NUMBERS:
        raise ValueError(f"{copies} networks of {numbers:,} parameters; at most {_MOST_NUMBERS:,} in all are made")
    _require_modest(header, numbers)
    decoder = Decoder(message, most=_MOST_NUMBERS // copies)
    drawn = _Drawn(header, model, next(iter(decoder.seeds(header.seeds)), 0))
    draws = [generator(0)] * copies  # of weights that are replaced
    shape = model.build(header.model, header.widths, header.inputs.shape, header.outputs, draws)
    start: dict[str, Tensor] = {}
    if header.units is not None:
        units = [torch.tensor(group)[None].expand(copies, -1) for group in header.units]
        start = drawn.fresh(model.widths(header.model), "init").keep_units(units).tensors()
    values = dict(zip(header.parts, decoder.parts(len(header.parts)), strict=True))
    expand = header.expansion.expander(drawn, shape, start)
    # As many at once as when it was made: one matrix by itself may be multiplied in another order.
    made = expand({name: part.expand(copies, *part.shape[1:]).contiguous() for name, part in values.items()})
    place = 0 if copies == 1 else header.network
    tensors = {name: tensor[:1].clone() for name, tensor in shape.tensors().items()}
    for name, tensor in tensors.items():
        if name in made:
            found = made[name][place : place + 1]
        elif tensor.is_floating_point():
            (found,) = decoder.parts(1)
        else:
            continue
        if found.shape != tensor.shape:
            raise ValueError(f"{name} has the shape {tuple(found.shape[1:])}, not {tuple(tensor.shape[1:])}")
        tensors[name] = found.clone()
    if decoder.place != header.bits:
        raise ValueError(f"{header.bits} bits were promised, the network ends after {decoder.place}")
    pixels = Pixels(header.inputs.mean, header.inputs.scale)
    one = shape.select([0]).with_tensors(tensors)
    return Packed(nn.Sequential(pixels, one.unstack(0)).eval(), tensors, header)


def _require_modest(header: Header, numbers: int) -> None:
    """Before anything is made that a header alone makes large."""
    expansion: Any = header.expansion
    most = max([*getattr(expansion, "counts", {}).values(), *getattr(expansion, "ranks", {}).values(), 0])
    if most > numbers or getattr(expansion, "allowed", 0) > numbers:
        raise ValueError(f"more numbers than the {numbers:,} weights that are made of them")
