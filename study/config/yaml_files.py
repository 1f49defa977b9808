"""YAML as everybody means it: no key twice, and no, yes, on and off are words, not booleans. Read with limits.

A file of a few hundred bytes, perhaps somebody else's, can stand for gigabytes (aliases of aliases), for a tree without
end (an alias of what it stands in) or for a number that takes minutes to read.
"""

import re
from pathlib import Path
from typing import Any

import yaml

from study.errors import UsageError
from trainables.opening import NotReadable, read_file

LARGEST = 8 << 20
MOST_VALUES = 500_000
DEEPEST = 50
MOST_DIGITS = 400  # the largest float has 309
_BOOLEAN = "tag:yaml.org,2002:bool"
_Safe: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it was built


class _Loader(_Safe):
    """YAML 1.1 with the booleans of YAML 1.2 (true and false), refusing a mapping that names a key twice.

    What a file stands for is counted before it is made.
    """

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own attribute)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def get_single_node(self) -> Any:
        """The tree of the file, aliases being the same object."""
        root = super().get_single_node()
        if root is not None:
            _size(root, {}, set())
        return root

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        """As PyYAML's, which lets the last of two values stand without a word."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                at = node.value[index][0].start_mark
                raise _refusal(f"{key!r} is there twice, again in line {at.line + 1}; write it once")
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF"))


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        UsageError: It can't be read, is no YAML, names a key twice, or stands for more than is sensible.
    """
    try:
        text = read_file(path, largest=LARGEST).decode("utf-8")
        _require_flat(text)
        return yaml.load(text, _Loader)  # noqa: S506 (a SafeLoader)
    except NotReadable as error:
        raise UsageError(f"{error}.") from None
    except yaml.constructor.ConstructorError as error:
        raise UsageError(f"{path}: {error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: bytes that are no text, a date or a number that is none
        raise UsageError(f"{path} is no YAML file: {error}") from None


def _require_flat(text: str) -> None:
    """Before anything recurses into it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Safe):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise _refusal(f"it is nested more than {DEEPEST} levels deep")


def _size(node: Any, known: dict[int, int], within: set[int]) -> int:
    """Values that a tree stands for, aliases written out."""
    if isinstance(node, yaml.ScalarNode):
        if len(node.value) > MOST_DIGITS and node.tag.endswith((":int", ":float")):
            raise _refusal(f"a number of {len(node.value):,} digits; at most {MOST_DIGITS} are read")
        return 1
    if id(node) in known:
        return known[id(node)]
    if id(node) in within:
        raise _refusal(f"an alias stands for what it is a part of, in line {node.start_mark.line + 1}")
    within.add(id(node))
    inside = [part for pair in node.value for part in (pair if isinstance(pair, tuple) else (pair,))]
    size = 1 + sum(_size(part, known, within) for part in inside)
    within.discard(id(node))
    if size > MOST_VALUES:
        raise _refusal(f"with its aliases written out it has more than {MOST_VALUES:,} values")
    known[id(node)] = size
    return size


def _refusal(why: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, why, None)
