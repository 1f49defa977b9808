"""Sets of trial numbers as short text: what an adaptive sampler had seen is nearly everything before it."""

from collections.abc import Iterable


def compact(numbers: Iterable[int]) -> str:
    """{0, 1, 2, 5} → "0-2,5"."""
    parts: list[str] = []
    start = end = -2
    for number in [*sorted(set(numbers)), -1]:
        if number == end + 1:
            end = number
            continue
        if start >= 0:
            parts.append(f"{start}-{end}" if end > start else f"{start}")
        start = end = number
    return ",".join(parts)


def expand(text: str) -> list[int]:
    """The numbers of `compact`, ascending."""
    numbers: list[int] = []
    for part in text.split(",") if text else []:
        first, _, last = part.partition("-")
        numbers += range(int(first), int(last or first) + 1)
    return numbers
