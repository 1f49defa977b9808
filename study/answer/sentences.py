"""What is known of a claim as a sentence."""

from study.answer.verdict import WHOLE, Finding
from study.answer.words import p_words, plural, with_half, with_sign


def sentence(found: Finding, kind: str) -> str:
    """The verdict with what it rests on, e.g. `Supported: … 0.29, between 0.21 and 0.37; 24 trials; …`.

    Args:
        kind: Of the quantity.
    """
    where = f" ({found.condition})" if found.condition not in WHOLE else ""
    start = f"{found.verdict.capitalize()}{where}: {found.says}"
    if found.verdict == "undefined":
        return f"{start} {found.reason[:1].upper()}{found.reason[1:]}."
    value = found.estimate or 0.0
    if found.verdict == "described":
        over = f"95 % interval over {plural(found.n, found.unit)}" if found.half is not None else ""
        parts = [f"{with_half(value, found.half)} ({over or f'{plural(found.n, found.unit)}, no interval'})"]
        return f"{start} {'; '.join([*parts, *_left_out(found)])}."
    what = "slope of ranks" if kind in ("association", "slope") and found.tau is not None else "estimate"
    numbers = f"{what.capitalize()} {with_sign(value)}"
    low, high = found.shown_interval
    if found.contradicts_itself:
        numbers += ", which no number fits from the first unit to the last: units changed as the study went on"
    else:
        numbers += (
            ", not bounded yet" if low is None or high is None else f", between {with_sign(low)} and {with_sign(high)}"
        )
    if found.tau is not None:
        over = "" if found.pairs is None else f" over {plural(found.pairs, 'pair')}"
        numbers += f" (Kendall τ {with_sign(found.tau)}{over})"
    units = plural(found.n, found.unit)
    if found.ahead is not None:
        count, than, up = found.ahead
        how_many = {found.n: "all", 0: "none"}.get(count, f"{count:,}")
        units += f", {how_many} of them {'above' if up else 'below'} {than:g}"
    parts = [numbers, units.replace("-", "−")]
    if found.by == "any time":
        parts.append(f"decided at any time, with {found.decided_with}")
    elif found.by:
        p = found.p_for if found.verdict == "supported" else found.p_against
        parts.append(f"decided at the planned number of {found.unit}s, {p_words(p)}")
    elif found.verdict == "open" and found.needs:
        parts.append(f"about {found.needs} more to decide it")
    if found.stepped:
        parts.append("its interval, drawn for all claims at once, alone would not decide it yet")
    parts += _left_out(found)
    if disagreement := _disagreement(found):
        parts.append(disagreement)
    if found.otherwise and found.verdict != "supported":
        parts.append(f"so {found.otherwise}")
    return f"{start} {'; '.join(parts)}."


def _left_out(found: Finding) -> list[str]:
    missing = sum(found.excluded.values())
    return [f"{missing} left out ({', '.join(found.excluded)})"] if missing else []


def _disagreement(found: Finding) -> str:
    """Where the two sequences exclude each other, which neither the mean nor any guard sees."""
    first, second = found.alone.get("anytime_t"), found.alone.get("betting")
    if first is None or second is None:
        return ""
    apart = _is_below(first[1], second[0]) or _is_below(second[1], first[0])
    return "the anytime t and betting exclude each other's intervals: look at the values" if apart else ""


def _is_below(high: float | None, low: float | None) -> bool:
    return high is not None and low is not None and high < low
