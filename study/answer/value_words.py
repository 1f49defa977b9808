"""Values of what compresses networks, in words and in an order for people."""

from collections.abc import Sequence

from trainables.compression.interfaces import RECOVERIES, TRANSFERS, Recovery, Transfer
from trainables.registry import Registry

# Fields whose entries have words for themselves; a value means one of the first that has it.
_WORDED: dict[str, Registry[Recovery] | Registry[Transfer]] = {
    "compression.transfer": TRANSFERS,
    "compression.recovery": RECOVERIES,
}
_LAST = 9


def label(values: Sequence[str]) -> str:
    """`uniform noise`; several fields: `prune, no recovery`."""
    known = [_entry_of(value, *_WORDED) for value in values]
    return ", ".join(value if entry is None else entry.label for value, entry in zip(values, known, strict=True))


def in_order(values: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Sorts the values of instruments: as entries rank themselves, others behind them by name."""
    known = [_entry_of(value, *_WORDED) for value in values]
    return tuple((_LAST if entry is None else entry.rank, value) for value, entry in zip(values, known, strict=True))


def _entry_of(value: str, *fields: str) -> type[Recovery] | type[Transfer] | None:
    registries = [_WORDED[field] for field in fields if field in _WORDED]
    return next((registry.get(value) for registry in registries if value in registry.names()), None)
