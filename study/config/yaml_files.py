"""YAML as everybody means it: no key twice, and no, yes, on and off are words, not booleans."""

import re
from pathlib import Path
from typing import Any

import yaml

from study.errors import UsageError

_BOOLEAN = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML 1.1 with the booleans of YAML 1.2 (true and false), refusing a mapping that names a key twice."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (PyYAML's own attribute)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As PyYAML's, which lets the last of two values stand without a word."""
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                at = node.value[index][0].start_mark
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} is there twice, again in line {at.line + 1}; write it once", None
                )
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(_BOOLEAN, re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def read_yaml(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        UsageError: It can't be read, is no YAML, or names a key twice.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except OSError as error:
        raise UsageError(f"{path} can't be read: {(error.strerror or str(error)).lower()}.") from None
    except yaml.constructor.ConstructorError as error:
        raise UsageError(f"{path}: {error.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is no YAML file: {error}") from None
