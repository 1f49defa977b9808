"""Dotted names of nested fields: `{"data": {"name": "digits"}}` and `{"data.name": "digits"}`. Torch-free."""

from typing import Any

# Sections that are named by a value: `measures=norms` says what `measures.names` is, and fields of entries lie below.
_NAMED = {"measures": "measures.names"}
_SHORT = {long: short for short, long in _NAMED.items()}


def short_name(name: str) -> str:
    """How users write a dotted field, e.g. `measures` for `measures.names`; most as they are."""
    return _SHORT.get(name, name)


def flatten(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"a": {"b": 1}} → {"a.b": 1}."""
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        flat.update(flatten(value, f"{name}.") if isinstance(value, dict) else {short_name(name): value})
    return flat


def unflatten(flat: dict[str, Any]) -> dict[str, Any]:
    """{"a.b": 1} → {"a": {"b": 1}}; refuses a name that is both a value and a section."""
    tree: dict[str, Any] = {}
    for name, value in flat.items():
        *path, last = (name if isinstance(value, dict) else _NAMED.get(name, name)).split(".")
        node = tree
        for key in path:
            node = node.setdefault(key, {})
            if not isinstance(node, dict):
                raise ValueError(f"{name!r}: {key!r} is a value, it has no fields")
        node[last] = value
    return tree
