"""The description of a network: a message from which its decoder makes it again, and how many bits it has.

The decoder knows the architecture and the method, which are settled before any data are seen, hence the names of the
parts and their order. Of each part follow, all of it prefix-free, so that no word tells where anything ends:

    seeds            64 bits each, first of all
    dimensions       Elias gamma each
    mask             1 bit; if there is one: kept + 1 (gamma), a Rice parameter b (5 bits), the gaps before each kept
                     number as a quotient by 2^b (unary) and a remainder (b bits)   (Golomb 1966, Rice 1979)
    format           2 bits: as it is, code book with words of one length, or with Huffman's
    as it is         32 bits a number, IEEE 754
    code book        kind (2 bits), symbols (gamma), lowest symbol (16 bits), axis (3 bits), groups and numbers a group
                     (gamma), 32 bits a number; with Huffman's code the length of each word in 6 bits; the words

Whichever format is shorter is taken, part by part. Parts are the matrices and kernels (or what they are made of:
factors, coefficients) and then biases and batch norm with its running statistics, 32 bits a number. Numbers that are
drawn again from a seed cost the seed, 64 bits. Where whole units are gone what is left is written as the smaller
network it is.

This is the code of Deep Compression (Han et al. 2016, arXiv:1510.00149: sparse, code book, Huffman) with gaps of any
length instead of 5 bits filled up with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from trainables.compression.bits import Counter, Numbers, Reader, Writer
from trainables.compression.huffman import canonical, code_lengths
from trainables.compression.writing import Book, Encoding, Part
from trainables.looking.places import module_of
from trainables.moving import to_host
from trainables.stack.model import StackedModel

SEED_BITS = 64
_HALF = 32
_MOST_AXES = 8
_PLAIN, _FIXED, _HUFFMAN = 0, 1, 2
_KINDS = ("signs", "grid", "list")
_RICE_BITS, _WORD_BITS, _LOWEST_BITS = 5, 6, 16


def description_lengths(stack: StackedModel, written: Encoding, unit_masks: Mapping[str, Tensor] | None) -> list[int]:
    """Bits of each network's description.

    Args:
        written: How its weights are written down.
        unit_masks: Of networks that have lost whole units but keep their shape: what is left of each parameter.
    """
    parts, small = _on_host(stack, written, unit_masks), unit_masks is not None
    return [_describe(Counter(), parts, _seeds(written), k, small=small).bits for k in range(stack.networks)]


def encode_network(
    stack: StackedModel, written: Encoding, unit_masks: Mapping[str, Tensor] | None, network: int, seed: int = 0
) -> tuple[bytes, int]:
    """One network's description and its length in bits (the message is filled up to whole bytes).

    Args:
        seed: Of what is drawn again, written as often as the description counts one.
    """
    sink = Writer()
    parts = _on_host(stack, written, unit_masks)
    _describe(sink, parts, _seeds(written, seed), network, small=unit_masks is not None)
    return sink.message(), sink.bits


class Decoder:
    """Reads a description, seeds first.

    Args:
        message: Perhaps somebody else's.
        most: Numbers that a part may have.
    Raises:
        ValueError: It is no description; any of the calls.
    """

    def __init__(self, message: bytes, *, most: int = 1 << 28) -> None:
        self._reader, self._most = Reader(message), most

    @property
    def place(self) -> int:
        """Bits read so far."""
        return self._reader.place

    def seeds(self, count: int) -> list[int]:
        """As many seeds."""
        return [
            (high << _HALF) | low for high, low in self._reader.fixed_width(2 * count, _HALF).reshape(-1, 2).tolist()
        ]

    def parts(self, count: int) -> list[Tensor]:
        """The numbers of so many parts, [1, …] float32."""
        return [_read(self._reader, self._most) for _ in range(count)]


def _seeds(written: Encoding, seed: int = 0) -> list[int]:
    return [seed] * (written.seed_bits // SEED_BITS)


def _describe(sink: Counter, parts: Sequence[Part], seeds: Sequence[int], network: int, *, small: bool) -> Counter:
    for seed in seeds:
        sink.fixed_width([seed >> _HALF, seed & ((1 << _HALF) - 1)], _HALF)
    for part in parts:
        _write(sink, _piece_of(part, network, small=small))
    return sink


def _on_host(stack: StackedModel, written: Encoding, unit_masks: Mapping[str, Tensor] | None) -> list[Part]:
    """All parts of all networks, copied to the host together."""
    parts = [part for _, part in parts_of(stack, written, unit_masks)]
    books = [(None, None) if part.book is None else (part.book.symbols, part.book.numbers) for part in parts]
    fields = [(part.values, part.kept_mask, *book) for part, book in zip(parts, books, strict=True)]
    copies = iter(to_host([tensor for some in fields for tensor in some if tensor is not None]))
    host_parts = []
    for part, some in zip(parts, fields, strict=True):
        values, mask, symbols, numbers = (None if tensor is None else next(copies) for tensor in some)
        book = part.book
        if book is not None and symbols is not None and numbers is not None:
            book = replace(book, symbols=symbols, numbers=numbers)
        assert values is not None
        host_parts.append(replace(part, values=values, kept_mask=mask, book=book))
    return host_parts


def parts_of(
    stack: StackedModel, written: Encoding, unit_masks: Mapping[str, Tensor] | None = None
) -> Iterator[tuple[str, Part]]:
    """All parts of the networks, with their names: what weights are made of, then everything else as it is."""
    yield from written.parts.items()
    made_names = written.weight_names()
    for name, tensor in stack.tensors().items():
        if name not in made_names and tensor.is_floating_point():
            # Statistics of batch norm go with the scale of their channel.
            mask = f"{module_of(name)}.weight" if ".running_" in name else name
            yield name, Part(tensor, None if unit_masks is None else unit_masks.get(mask))


@dataclass(frozen=True)
class _Piece:
    """A part of one network, flat."""

    shape: tuple[int, ...]
    values: npt.NDArray[np.float32]
    kept: npt.NDArray[np.bool_] | None
    symbols: Numbers | None
    book: Book | None


def _piece_of(part: Part, network: int, *, small: bool) -> _Piece:
    one = slice(network, network + 1)
    values, keep, book = part.values[one], part.kept_mask[one] if part.kept_mask is not None else None, part.book
    symbols = None if book is None else book.symbols[one]
    numbers = None if book is None else book.numbers[one]
    if small and keep is not None:
        for axis in range(1, values.ndim):
            places = keep.movedim(axis, 0).flatten(1).any(dim=1).nonzero()[:, 0]
            values, keep = values.index_select(axis, places), keep.index_select(axis, places)
            if symbols is not None and numbers is not None and book is not None:
                symbols = symbols.index_select(axis, places)
                numbers = numbers.index_select(1, places) if book.axis == axis else numbers
    if keep is not None and bool(keep.all()):
        keep = None
    if book is not None and numbers is not None and symbols is not None:
        book = Book(symbols, book.count, numbers, book.kind, book.lowest, book.axis)
    mask = None if keep is None else keep.flatten().cpu().numpy()
    some = slice(None) if mask is None else mask
    flat = None if symbols is None else symbols.flatten().cpu().numpy().astype(np.int64)[some]
    return _Piece(tuple(values.shape[1:]), values.flatten().cpu().numpy()[some], mask, flat, book)


def _write(sink: Counter, piece: _Piece) -> None:
    sink.gamma(len(piece.shape) + 1)
    for size in piece.shape:
        sink.gamma(size + 1)
    if piece.book is None or piece.symbols is None:
        _write_plain(sink, piece)
        return
    sink.fixed_width(int(piece.kept is not None), 1)
    if piece.kept is not None:
        _write_mask(sink, piece.kept)
    counts = np.bincount(piece.symbols, minlength=piece.book.count)
    lengths, width = code_lengths(counts.tolist()), _width(piece.book.count)
    book_bits = 32 * piece.book.numbers.numel()
    plain, fixed_bits = 32 * len(piece.values), width * len(piece.values) + book_bits
    huffman = int(counts @ lengths) + _WORD_BITS * len(lengths) + book_bits
    if plain <= min(fixed_bits, huffman):
        sink.fixed_width(_PLAIN, 2)
        sink.floats(piece.values)
    elif fixed_bits <= huffman:
        sink.fixed_width(_FIXED, 2)
        _write_book(sink, piece.book)
        sink.fixed_width(piece.symbols, width)
    else:
        sink.fixed_width(_HUFFMAN, 2)
        _write_book(sink, piece.book)
        sink.fixed_width(lengths, _WORD_BITS)
        sink.words(canonical(lengths)[piece.symbols], lengths[piece.symbols])


def _write_plain(sink: Counter, piece: _Piece) -> None:
    """Numbers as they are; without their mask where it costs more than zeros do."""
    values, keep = piece.values, piece.kept
    if keep is not None:
        mask = Counter()
        _write_mask(mask, keep)
        if mask.bits > 32 * (len(keep) - len(values)):
            whole = np.zeros(len(keep), dtype=np.float32)
            whole[keep] = values
            values, keep = whole, None
    sink.fixed_width(int(keep is not None), 1)
    if keep is not None:
        _write_mask(sink, keep)
    sink.fixed_width(_PLAIN, 2)
    sink.floats(values)


def _write_mask(sink: Counter, kept: npt.NDArray[np.bool_]) -> None:
    places = np.flatnonzero(kept)
    gaps = np.diff(places, prepend=-1) - 1
    most = min(int(gaps.max(initial=0)).bit_length() + 1, 1 << _RICE_BITS)
    costs = [int((gaps >> b).sum()) + len(gaps) * (1 + b) for b in range(most)]
    b = int(np.argmin(costs))
    sink.gamma(len(places) + 1)
    sink.fixed_width(b, _RICE_BITS)
    sink.unary(gaps >> b)
    sink.fixed_width(gaps & ((1 << b) - 1), b)


def _write_book(sink: Counter, book: Book) -> None:
    sink.fixed_width(_KINDS.index(book.kind), 2)
    sink.gamma(book.count)
    sink.fixed_width(book.lowest + (1 << (_LOWEST_BITS - 1)), _LOWEST_BITS)
    sink.fixed_width(book.axis or 0, 3)
    _, groups, numbers = book.numbers.shape
    sink.gamma(groups)
    sink.gamma(numbers)
    sink.floats(book.numbers.flatten().cpu().numpy())


def _width(count: int) -> int:
    return max(1, (count - 1).bit_length())


def _read(reader: Reader, most: int) -> Tensor:
    axes = reader.gamma() - 1
    shape = [reader.gamma() - 1 for _ in range(axes)] if axes <= _MOST_AXES else [most + 1]
    if (total := math.prod(shape)) > most:
        raise ValueError(f"a part of {axes} dimensions and {total} numbers; at most {_MOST_AXES} and {most} are read")
    places = np.arange(total)
    if reader.fixed_width(1, 1)[0]:
        count, b = reader.gamma() - 1, int(reader.fixed_width(1, _RICE_BITS)[0])
        gaps = (reader.unary(count) << b) + reader.fixed_width(count, b)
        places = np.cumsum(gaps + 1) - 1
        if count and places[-1] >= total:
            raise ValueError(f"number {places[-1]} of a part of {total}")
    style, values = int(reader.fixed_width(1, 2)[0]), torch.zeros(total)
    if style == _PLAIN:
        values[torch.from_numpy(places)] = torch.from_numpy(reader.floats(len(places)).copy())
        return values.view(1, *shape)
    book = _read_book(reader)
    if style == _HUFFMAN:
        lengths = reader.fixed_width(book.count, _WORD_BITS)
        words = canonical(lengths)
        table = {(int(lengths[s]), int(words[s])): int(s) for s in np.flatnonzero(lengths)}
        read = reader.prefix_code(len(places), table)
    else:
        read = reader.fixed_width(len(places), _width(book.count))
    symbols = torch.zeros(total, dtype=torch.int32)
    symbols[torch.from_numpy(places)] = torch.from_numpy(read.astype(np.int32))
    keep = torch.zeros(total, dtype=torch.bool).index_fill_(0, torch.from_numpy(places), True)
    decoded_values = Book(
        symbols.view(1, *shape), book.count, book.numbers, book.kind, book.lowest, book.axis
    ).look_up()
    return decoded_values * keep.view(1, *shape)


def _read_book(reader: Reader) -> Book:
    kind, count = int(reader.fixed_width(1, 2)[0]), reader.gamma()
    lowest = int(reader.fixed_width(1, _LOWEST_BITS)[0]) - (1 << (_LOWEST_BITS - 1))
    axis = int(reader.fixed_width(1, 3)[0]) or None
    groups, numbers = reader.gamma(), reader.gamma()
    read = torch.from_numpy(reader.floats(groups * numbers).copy()).view(1, groups, numbers)
    names = {0: "signs", 1: "grid", 2: "list"}
    return Book(torch.zeros(0), count, read, names[kind], lowest, axis)  # type: ignore[arg-type]
