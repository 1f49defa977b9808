"""Numbers in words."""

import math
from collections.abc import Sequence


def with_sign(value: float, digits: int = 2) -> str:
    """0.25 → `0.25`, −0.031 → `−0.03` (a true minus sign; never `−0.00`)."""
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) != 0 else text.lstrip("-")


def with_half(mean: float, half: float | None) -> str:
    """`0.25 ± 0.04`, or the mean alone where no interval exists; more digits where two would round it away."""
    if half is None:
        return with_sign(mean)
    digits = 2 if half >= 0.005 or half == 0 else 3
    return f"{with_sign(mean, digits)} ± {half:.{digits}f}"


def ends_words(low: float | None, high: float | None, *, to: str = "to") -> str:
    """`0.21 to 0.37`; "" where an end is not known."""
    return "" if low is None or high is None else f"{with_sign(low)} {to} {with_sign(high)}"


def with_ends(value: float, low: float | None, high: float | None, *, to: str = "to") -> str:
    """`0.29 (0.21 to 0.37)`, or the value alone where an end of its interval is not known."""
    ends = ends_words(low, high, to=to)
    return f"{with_sign(value)} ({ends})" if ends else with_sign(value)


def p_words(p: float | None) -> str:
    """`p = 0.012`, `p < 0.0001`."""
    if p is None or math.isnan(p):
        return "no p"
    return "p < 0.0001" if p < 1e-4 else f"p = {p:.2g}"


def bare_p(p: float | None) -> str:
    """`0.012`, `<0.001` and `–`: a p or q in a column of its own."""
    return "–" if p is None else "<0.001" if p < 0.0005 else f"{p:.3f}"


def plural(count: int, noun: str) -> str:
    """`1 trial`, `3 trials`."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def join_words(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
