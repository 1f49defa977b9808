"""Maps from data to drawing coordinates, and where the ticks go."""

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A linear map of [low, high] onto [start, end] (drawing units; `start` > `end` turns the axis round)."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def onto(self, start: float, end: float) -> "Scale":
        """The same range on another stretch of the drawing."""
        return Scale(self.low, self.high, start, end)

    def ticks(self, about: int = 5) -> list[float]:
        """Round values inside the range, about as many as asked for."""
        step = _round_step((self.high - self.low) / max(about, 1))
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(i * step, 12) for i in range(first, last + 1)]


def spanning(
    values: Iterable[float], *, include: Iterable[float] = (), margin: float = 0.06, least: float = 1e-3
) -> Scale:
    """A scale on 0…1 around finite values, with a margin; never narrower than `least`."""
    finite = [value for value in [*values, *include] if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(finite), max(finite)
    spread = max(high - low, least)
    middle = (low + high) / 2
    low, high = min(low, middle - spread / 2), max(high, middle + spread / 2)
    return Scale(low - margin * spread, high + margin * spread, 0.0, 1.0)


def log2_scale(top: float) -> Scale:
    """Compression ratios 1× to 2^top, in log2 units."""
    return Scale(0.0, max(top, 1.0), 0.0, 1.0)


def ratio_ticks(top: float) -> list[float]:
    """Whole powers of two up to 2^top, at most seven."""
    step = max(1, math.ceil(top / 6))
    return [float(i) for i in range(0, math.floor(top + 1e-9) + 1, step)]


def ratio_label(log2_ratio: float) -> str:
    """4 → `16×`."""
    ratio = 2**log2_ratio
    return f"{ratio:,.0f}×" if ratio >= 10 or abs(ratio - round(ratio)) < 0.005 else f"{ratio:.1f}×"


def number_label(value: float) -> str:
    """A tick: no trailing zeros, a true minus sign."""
    return f"{value:g}".replace("-", "−")


def _round_step(raw: float) -> float:
    power = 10.0 ** math.floor(math.log10(raw))
    return next((factor * power for factor in (1, 2, 2.5, 5) if raw <= factor * power * 1.0001), 10 * power)
