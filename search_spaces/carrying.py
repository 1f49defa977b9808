"""Whether a space can carry a claim: what it asks about is spanned, and the trials have what it compares."""

import difflib
import itertools
from collections.abc import Iterator

from search_spaces.claims import Claim
from search_spaces.quantities import (
    AboveScratch,
    Between,
    FieldValue,
    KeptOverChanged,
    Level,
    Metric,
    Order,
    Slope,
    Twins,
    atoms,
)
from search_spaces.space import CONDITIONS, SearchSpace
from search_spaces.spanned import Choices, Range
from trainables.compression.interfaces import METHODS, RECOVERIES
from trainables.config import TrialConfig, defaults

_ARMING = (*CONDITIONS, "control", "compression.method", "compression.recovery")
_MOST = 200


def refusals(claim: Claim, space: SearchSpace) -> tuple[str, ...]:
    """Why the trials of a space can't decide a claim, a sentence each; () if they can.

    Metrics are not looked at: only a trial knows which it reports.
    """
    reasons = [*_of_fields(claim, space), *_of_where(claim, space)]
    return tuple(reasons) or tuple(_of_arms(claim, space))


def carry_claims(space: SearchSpace) -> tuple[SearchSpace, tuple[str, ...]]:
    """`space` with those of its claims that it can carry, and a line for each that it can't.

    A claim that is decided for each value of a field is decided once where the field is fixed. What else is left out is
    said of claims alone, and not of those that qualify others: placebos, descriptions and the fresh networks of a
    recovery are wanted only where there is what they need.
    """
    kept, notes = [], []
    for claim in space.claims:
        mine = claim.model_copy(update={"by": tuple(f for f in claim.by if isinstance(space.span.get(f), Choices))})
        reasons = refusals(mine, space)
        if not reasons:
            kept.append(mine)
        elif claim.role == "claim" and not claim.otherwise:
            notes.append(f"The claim {claim.name} is left out: {reasons[0]}.")
    return space.model_copy(update={"claims": tuple(kept)}), tuple(notes)


def _of_fields(claim: Claim, space: SearchSpace) -> Iterator[str]:
    for name in claim.by:
        if name not in space.span:
            yield f"it is decided by {name}, which {_why_unspanned(name, space)}"
        elif isinstance(space.span[name], Range):
            yield f"it is decided by {name}, which spans a range; only a list has values to decide it for"
    quantity = claim.quantity
    if isinstance(quantity, Slope):
        if quantity.over not in space.span:
            yield f"it is about a slope over {quantity.over}, which {_why_unspanned(quantity.over, space)}"
        elif unordered := [value for value in space.span[quantity.over].corners() if not _is_number(value)]:
            yield f"it is about a slope over {quantity.over}, but {unordered[0]!r} is no number to order by"
        elif quantity.scale == "log" and min(_numbers(space, quantity.over)) <= 0:
            yield f"it is about a slope over the logarithm of {quantity.over}, which must lie above 0"
    settings = quantity.settings if isinstance(quantity, Order) else ()
    for setting in (quantity.first, quantity.second) if isinstance(quantity, Between) else settings:
        for name, value in setting.items():
            if not _has(space, name, value):
                yield f"it compares trials with {name}={value}, {_what_is_spanned(space, name)}"


def _of_where(claim: Claim, space: SearchSpace) -> Iterator[str]:
    for name, values in claim.where.items():
        if not any(_has(space, name, value) for value in values):
            yield f"it is about trials with {name}={' or '.join(map(str, values))}, {_what_is_spanned(space, name)}"


def _of_arms(claim: Claim, space: SearchSpace) -> Iterator[str]:
    for part in (part for value in claim.values for part in atoms(value)):
        name = part.column if isinstance(part, Level) else part.metric
        arm = part.arm if isinstance(part, Level) else ""
        metric = name if isinstance(part, Metric) else ""
        twins = isinstance(part, Twins) or "control" in arm or metric.startswith(("contrast/", "control/"))
        fresh = isinstance(part, AboveScratch) or "scratch" in arm or metric == "contrast/retained"
        if twins and not any(config.has_control for config in _trials(claim, space)):
            yield (
                f"it compares {name} of twins, and none are trained: that needs control=true and "
                "data.label_noise above 0, or data.inputs other than true"
            )
            return
        if (fresh or "baseline/" in metric) and not any(_has_scratch(config) for config in _trials(claim, space)):
            yield (
                f"it compares {name} with that of fresh networks, and none are trained: that needs a "
                "compression.recovery, or a compression.method that trains"
            )
            return
        if isinstance(part, KeptOverChanged) and not any(t.data.label_noise > 0 for t in _trials(claim, space)):
            yield f"it compares {name} on examples with changed labels; that needs data.label_noise above 0"
            return


def _has_scratch(config: TrialConfig) -> bool:
    methods = config.compression.method.split("+")
    return RECOVERIES.get(config.compression.recovery).trains or any(METHODS.get(name).trains for name in methods)


def _trials(claim: Claim, space: SearchSpace) -> Iterator[TrialConfig]:
    """Trials that the claim is about, of all combinations of what decides which arms there are."""
    first = {name: spanned.corners()[0] for name, spanned in space.span.items()}
    names = [name for name in _ARMING if name in space.span]
    values = [[v for v in space.span[n].corners() if v in claim.where.get(n, (v,))] for n in names]
    for combination in itertools.islice(itertools.product(*values), _MOST):
        try:
            yield space.config(space.active({**first, **dict(zip(names, combination, strict=True))}))
        except ValueError:
            continue


def _has(space: SearchSpace, name: str, value: FieldValue) -> bool:
    spanned = space.span.get(name)
    if isinstance(spanned, Range):
        return isinstance(value, int | float) and spanned.low <= value <= spanned.high
    return value in (spanned.values if spanned is not None else (_fixed_value(space, name),))


def _fixed_value(space: SearchSpace, name: str) -> object:
    return space.base.get(name, defaults().get(name))


def _what_is_spanned(space: SearchSpace, name: str) -> str:
    spanned = space.span.get(name)
    if unknown := _unknown(name, space):
        return f"and {unknown}"
    if spanned is None:
        return f"and it is {_fixed_value(space, name)} in all"
    return f"and it is {' or '.join(map(str, spanned.corners()))}"


def _unknown(name: str, space: SearchSpace) -> str:
    """That no trial has such a field, and which one was probably meant; "" where they have it."""
    fields = [*space.span, *space.base, *TrialConfig().flat()]
    if name in fields:
        return ""
    close = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
    return f"no trial has such a field{f' (did you mean {close[0]}?)' if close else ''}"


def _why_unspanned(name: str, space: SearchSpace) -> str:
    if unknown := _unknown(name, space):
        return f"this study does not span: {unknown}"
    there = ", ".join(space.span) or "nothing"
    return f"this study does not span (it spans {there}; --set {name}=A,B does)"


def _numbers(space: SearchSpace, name: str) -> list[float]:
    return [float(value) for value in space.span[name].corners() if isinstance(value, int | float)]


def _is_number(value: FieldValue) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
