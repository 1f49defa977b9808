"""Bits one after another: counted, written and read by the same calls, so that a length is that of a real message."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.int64]
_FLOAT_BITS = 32
_LONGEST = 62  # zeros before a number that fits into 63 bits


class Counter:
    """Counts the bits of a message.

    Attributes:
        bits: So far.
    """

    def __init__(self) -> None:
        self.bits = 0

    def words(self, values: Numbers, widths: Numbers) -> None:
        """Each value in as many bits as its width says, at most 63."""
        self.bits += int(widths.sum())

    def fixed_width(self, values: npt.ArrayLike, width: int) -> None:
        """Each value in `width` bits."""
        array = np.atleast_1d(np.asarray(values, dtype=np.int64))
        self.words(array, np.full(len(array), width, dtype=np.int64))

    def unary(self, values: Numbers) -> None:
        """Each value as so many ones and a zero."""
        self.bits += int(values.sum()) + len(values)

    def gamma(self, value: int) -> None:
        """A whole number ≥ 1: as many zeros as it has binary digits after the first, then its digits (Elias 1975)."""
        digits = value.bit_length()
        self.fixed_width(0, digits - 1)
        self.fixed_width(value, digits)

    def floats(self, values: npt.NDArray[np.float32]) -> None:
        """Each value in the 32 bits of IEEE 754."""
        self.fixed_width(values.astype(np.float32).view(np.uint32).astype(np.int64), _FLOAT_BITS)


class Writer(Counter):
    """Writes the bits too."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[npt.NDArray[np.uint8]] = []

    def words(self, values: Numbers, widths: Numbers) -> None:
        """As `Counter.words`, the highest bit first."""
        super().words(values, widths)
        ends = np.cumsum(widths)
        places = np.repeat(ends, widths) - 1 - np.arange(int(widths.sum()))
        self._parts.append(((np.repeat(values, widths) >> places) & 1).astype(np.uint8))

    def unary(self, values: Numbers) -> None:
        """As `Counter.unary`."""
        super().unary(values)
        bits = np.ones(int(values.sum()) + len(values), dtype=np.uint8)
        bits[np.cumsum(values + 1) - 1] = 0
        self._parts.append(bits)

    def message(self) -> bytes:
        """Everything written, filled up with zeros to whole bytes."""
        return np.packbits(np.concatenate(self._parts or [np.zeros(0, dtype=np.uint8)])).tobytes()


class Reader:
    """Reads what `Writer` wrote, in the same order.

    Attributes:
        place: Bits read so far.
    """

    def __init__(self, message: bytes) -> None:
        self._bits = np.unpackbits(np.frombuffer(message, dtype=np.uint8))
        self.place = 0

    def fixed_width(self, count: int, width: int) -> Numbers:
        """`count` values of `width` bits."""
        taken = self._take(count * width).reshape(count, width)
        return np.asarray(taken @ (np.int64(1) << np.arange(width - 1, -1, -1, dtype=np.int64)), dtype=np.int64)

    def unary(self, count: int) -> Numbers:
        """`count` values."""
        if not count:
            return np.zeros(0, dtype=np.int64)
        rest = self._bits[self.place :]
        zeros = np.flatnonzero(rest == 0)[:count]
        if len(zeros) < count:
            raise ValueError(f"the message ends after {len(self._bits)} bits, within {count} numbers")
        self.place += int(zeros[-1]) + 1
        return np.diff(zeros, prepend=-1) - 1

    def gamma(self) -> int:
        """One value."""
        ahead = self._bits[self.place : self.place + _LONGEST]
        if not ahead.any():
            raise ValueError(f"no number begins at bit {self.place}")
        zeros = int(ahead.argmax())
        self.place += zeros
        return int(self.fixed_width(1, zeros + 1)[0])

    def floats(self, count: int) -> npt.NDArray[np.float32]:
        """`count` values."""
        return self.fixed_width(count, _FLOAT_BITS).astype(np.uint32).view(np.float32)

    def prefix_code(self, count: int, symbols: dict[tuple[int, int], int]) -> Numbers:
        """`count` symbols of a prefix-free code.

        Args:
            symbols: (length of the code word, the word) → symbol.
        """
        found = np.zeros(count, dtype=np.int64)
        for place in range(count):
            length = word = 0
            while (length, word) not in symbols:
                word = 2 * word + int(self._take(1)[0])
                length += 1
            found[place] = symbols[length, word]
        return found

    def _take(self, count: int) -> Numbers:
        if self.place + count > len(self._bits):
            raise ValueError(f"the message ends after {len(self._bits)} bits, {self.place + count} were asked for")
        self.place += count
        return self._bits[self.place - count : self.place].astype(np.int64)
