"""Names are nouns for things and verbs for acts; the first line of a docstring is a sentence that stands alone."""

import ast
from collections.abc import Iterator

from tests.contracts.test_import_rules import MODULES, name_of

_IRREGULAR = """
begun bound brought built caught chosen done drawn felt forgotten formed found frozen given gone grown heard held hidden
kept known laid learnt left lost made meant met mine paid said seen sent shown sold spent spun stolen struck swept taken
taught there told torn understood wanted won written
"""
_VERBS = "embed exceed feed need proceed seed shed speed succeed"  # they end as participles do
PARTICIPLES, VERBS = frozenset(_IRREGULAR.split()), frozenset(_VERBS.split())
TREES = {name_of(path): ast.parse(path.read_text()) for path in MODULES}


def bare(name: str) -> bool:
    """Whether a name is a participle and nothing else: `found`, `_kept`, `trained`; `trained_numbers` is not."""
    word = name.strip("_").lower()
    return word in PARTICIPLES or (word.endswith("ed") and "_" not in word and word not in VERBS)


def documented() -> Iterator[tuple[str, ast.FunctionDef | ast.ClassDef, str]]:
    """Where it stands, the node, and the first line of its docstring, of every function and class that has one."""
    for place, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and (text := ast.get_docstring(node)):
                yield f"{place}:{node.lineno} {node.name}", node, text.splitlines()[0]


def test_participles_are_told_from_other_names() -> None:
    assert all(bare(name) for name in ("found", "_kept", "trained", "_said"))
    assert not any(bare(name) for name in ("trained_numbers", "find", "seed", "_masked_weights", "red_line"))


def test_no_function_of_a_module_is_a_bare_participle() -> None:
    functions: list[tuple[str, ast.FunctionDef]] = [
        (place, node) for place, tree in TREES.items() for node in tree.body if isinstance(node, ast.FunctionDef)
    ]
    assert len(functions) > 1000
    assert [f"{place}:{node.lineno} {node.name}" for place, node in functions if bare(node.name)] == []


def functions_everywhere() -> list[tuple[str, ast.FunctionDef]]:
    """All functions with where they stand, methods and those inside others included."""
    return [
        (place, node) for place, tree in TREES.items() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]


def test_no_method_says_nothing_even_with_its_class() -> None:
    """Events that something is told of are `on_start`, `on_end`; numbers `ended_count`; `Shelf.mine` said nothing."""
    functions = functions_everywhere()
    assert len(functions) > 2500
    assert [f"{place}:{node.lineno} {node.name}" for place, node in functions if bare(node.name)] == []


def test_other_ways_to_make_an_object_say_from_what() -> None:
    assert [
        f"{place}:{node.lineno} {node.name}"
        for place, node in functions_everywhere()
        if node.name == "of" or (node.name.startswith("of_") and node.decorator_list)
    ] == []


def test_no_docstring_begins_in_the_middle_of_a_sentence() -> None:
    first = [(place, line) for place, _, line in documented()]
    assert len(first) > 1000
    assert [place for place, line in first if line.startswith("Of ")] == []
