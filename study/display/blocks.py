"""Tables that fit the terminal whatever it is: columns that do not fit beside each other stand below."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

_GAP = 2


@dataclass(frozen=True)
class Column:
    """One column: its head, which may fold between words, and its cells as text.

    Args:
        is_text: Whether it begins at the left; numbers end at the right.
    """

    head: str
    cells: Sequence[str]
    is_text: bool = False

    def width(self, *, folds: bool = True) -> int:
        """The least at which no cell is folded, nor the head, or if it folds none of its words."""
        return max(map(cell_len, (*self.cells, *(self.head.split() if folds else [self.head]))), default=1)


def fitting_tables(keys: Sequence[Column], columns: Sequence[Column], width: int) -> Iterator[Table]:
    """As many tables as it takes, each with the keys at its left; at least one column goes into each.

    Heads fold where all would not fit beside each other else.

    Args:
        keys: Say what a row is of.
        width: Of the terminal.
    """
    folds = _total([*keys, *columns], folds=False) > width
    block = [*keys]
    for column in columns:
        if len(block) > len(keys) and _total([*block, column], folds=folds) > width:
            yield _table(block, folds)
            block = [*keys]
        block.append(column)
    yield _table(block, folds)


def _total(columns: Sequence[Column], *, folds: bool) -> int:
    return sum(column.width(folds=folds) + _GAP for column in columns) - _GAP


def _table(columns: Sequence[Column], folds: bool) -> Table:
    table = Table(box=None, padding=(0, _GAP, 0, 0), header_style="dim", pad_edge=False)
    for column in columns:
        justify: Literal["left", "right"] = "left" if column.is_text else "right"
        table.add_column(column.head, justify=justify, overflow="fold", width=column.width(folds=folds))
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*map(Text, row))
    return table
