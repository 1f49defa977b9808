"""The answers of single instruments in words."""

from collections.abc import Sequence

from study.answer.model import Effect, Reading, ReadingVerdict
from study.answer.selection import short
from study.answer.words import ABOVE_SCRATCH, estimate, interval_words, level_words, listed, pair_words, plural
from trainables.compression.interfaces import RECOVERIES, TRANSFERS, Recovery, Transfer
from trainables.registry import Registry

# Fields whose entries have words for themselves; a value means one of the first that has it.
_WORDED: dict[str, Registry[Recovery] | Registry[Transfer]] = {
    "compression.transfer": TRANSFERS,
    "compression.recovery": RECOVERIES,
}
_LAST = 9
_SHORT: dict[ReadingVerdict, str] = {
    "yes": "yes",
    "no": "the other way round",
    "unclear": "can’t tell",
    "missing": "no answer",
    "collapse": "both collapse",
}


def label(values: Sequence[str]) -> str:
    """`uniform noise`; several fields: `prune, no recovery`."""
    known = [_worded(value, *_WORDED) for value in values]
    return ", ".join(value if entry is None else entry.label for value, entry in zip(values, known, strict=True))


def phrase(values: dict[str, str]) -> str:
    """`fitted on uniform noise`, `with criterion random`."""
    words = []
    for field, value in values.items():
        entry = _worded(value, field)
        words.append(f"with {short(field)} {value.replace('_', ' ')}" if entry is None else entry.phrase)
    return ", ".join(words)


def in_order(values: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Sorts the values of instruments: as entries rank themselves, others behind them by name."""
    known = [_worded(value, *_WORDED) for value in values]
    return tuple((_LAST if entry is None else entry.rank, value) for value, entry in zip(values, known, strict=True))


def _worded(value: str, *fields: str) -> type[Recovery] | type[Transfer] | None:
    registries = [_WORDED[field] for field in fields if field in _WORDED]
    return next((registry.get(value) for registry in registries if value in registry.names()), None)


def readings_sentence(readings: Sequence[Reading]) -> str:
    """The answers of all instruments, told apart: `It depends: yes, fitted on the training images; …`."""
    by_verdict: dict[ReadingVerdict, list[str]] = {}
    for reading in readings:
        by_verdict.setdefault(reading.verdict, []).append(reading.phrase)
    if len(by_verdict) == 1:
        (verdict, phrases), *_ = by_verdict.items()
        words = _SHORT[verdict]
        return f"{words[:1].upper()}{words[1:]}: {listed(phrases)} alike."
    told = "; ".join(f"{_SHORT[verdict]}, {listed(phrases)}" for verdict, phrases in by_verdict.items())
    return f"It depends: {told}."


def reading_sentence(reading: Reading) -> str:
    """The answer of one instrument, with what it rests on."""
    start = f"{reading.phrase[:1].upper()}{reading.phrase[1:]}"
    contrast, verdict = reading.contrast, reading.verdict
    if verdict == "missing":
        return f"{start}: no answer, {reading.absent}."
    evidence = f"contrast {estimate(contrast)} ({interval_words(contrast)}; {pair_words(contrast)})"
    if verdict == "collapse":
        fate = f"{_survived(reading)}{_degenerate(reading)}"
        return f"{start}: both collapse. {fate}; so the {evidence} says little{_beyond(reading.retained, 'comes out')}."
    beyond = _beyond(reading.retained, "is left")
    word = _SHORT[verdict]
    if verdict == "unclear" and contrast.verdict_as_it_is == "yes":
        word = "yes as it stands, but perhaps only because fresh networks differ as well"
    return f"{start}: {word}, {evidence}{beyond}{level_words(reading.levels)}. {_survived(reading)}."


def _beyond(retained: Effect | None, left: str) -> str:
    """The contrast above the scratch arm."""
    if retained is None or retained.mean is None:
        return ""
    budget = retained.label.removeprefix(ABOVE_SCRATCH) or " and budget"
    return f"; {estimate(retained)} {left} once fresh networks of the same sizes{budget} are subtracted"


def _survived(reading: Reading) -> str:
    """How many levels each arm lasted."""
    noisy, clean = reading.noisy, reading.clean
    if noisy is None or clean is None:
        return "How many levels they survived is not stored"
    return (
        f"Of {plural(reading.depth, 'level')} the noisy networks survive {_count(noisy.levels)} and their clean "
        f"twins {_count(clean.levels)}"
    )


def _count(mean: float) -> str:
    """`11.8`, and `12` for what is 12 in every network."""
    return f"{mean:.1f}" if mean % 1 else f"{mean:.0f}"


def _degenerate(reading: Reading) -> str:
    """Whom students follow, where teachers say one thing to nearly everything."""
    noisy, clean = reading.noisy, reading.clean
    if noisy is None or clean is None or None in (noisy.top_share, clean.top_share, noisy.agreement, clean.agreement):
        return ""
    return (
        f", yet the last students agree with their teachers on {_both(noisy.agreement, clean.agreement)} of the inputs "
        f"(noisy, clean): these teachers give {_both(noisy.top_share, clean.top_share)} of them one and the same class"
    )


def _both(first: float | None, second: float | None) -> str:
    return f"{first or 0.0:.0%} and {second or 0.0:.0%}".replace("%", " %")
