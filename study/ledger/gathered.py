"""The content of all trials' files of one kind in one file of the study, so that thousands need not be opened.

`networks.gathered` and `layers.gathered` lie beside the ledger. They are copies and no more: each part names the file
that it came from, with size, time of change and checksum, and is used only while that file is there, unchanged, and the
one that the ledger lists. What is not in them is read from the trials' own files; once that is a tenth of all, they are
written anew, by whoever looks. Several may: the last one's replaces the others', whole. Where nothing can be written
(somebody else's home, a full disk) nothing is, and all is read every time.
"""

import contextlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from study.ledger.files import ListedFile, read_result
from study.ledger.tables import TooLarge, table_in
from study.private import private_below
from trainables.opening import open_file
from trainables.storage import LocalFolder, seal, unseal

if TYPE_CHECKING:
    from pyarrow import Table

WORTH = 32
"""Fewer files than this are quicker read one by one than sought in a large one."""
_SHARE = 10
_FORMAT = b"ockham gathered 1"


@dataclass(frozen=True)
class _FileRows:
    """Where the rows of a trial's file are, and which file that was."""

    sha256: str
    size: int
    changed_ns: int
    group: int
    start: int
    rows: int


@dataclass(frozen=True)
class GatheredTables:
    """Tables of several files.

    Attributes:
        rows: File → its number of rows, in the order asked for; files that are not there are left out.
        table: The rows of all of them in that order; None where there is no file.
        wrong: What is wrong with files that the ledger lists, e.g. `trials/0007/networks.parquet is missing`.
    """

    rows: dict[str, int]
    table: "Table | None"
    wrong: list[str]


def gathered_tables(
    directory: Path, names: Sequence[str], listed: Mapping[str, ListedFile], kind: str
) -> GatheredTables:
    """The tables in some files of a study, from its gathered file where they are in it unchanged.

    Args:
        directory: Of the study.
        names: Of the files in it.
        listed: What the ledger knows of them.
        kind: What the files are called, e.g. `networks.parquet`.
    """
    path = directory / f"{Path(kind).stem}.gathered"
    gathered = _read(path) if len(names) >= WORTH else _Gathered()
    wrong, new = [], 0
    wanted: dict[str, _FileRows] = {}
    for name in names:
        known, status = listed.get(name), _status(directory / name)
        if status is None:
            wrong += [f"{name} is missing"] if known is not None else []
            continue
        part = gathered.part(name, status, known)
        if part is None:
            table, digest, trouble = read_table(directory / name, known)
            if table is None:
                wrong.append(f"{name} {trouble}")
                continue
            part, new = gathered.add(name, table, digest, status), new + 1
        wanted[name] = part
    found = GatheredTables(
        {name: part.rows for name, part in wanted.items()}, gathered.rows_of([*wanted.values()]), wrong
    )
    if new >= max(WORTH, len(gathered.parts) // _SHARE):
        with contextlib.suppress(OSError), private_below(directory.parent, path):
            LocalFolder(directory).write(path.name, gathered.pieces())
    return found


def read_table(path: Path, known: ListedFile | None) -> tuple["Table | None", str, str]:
    """The table in a file and its checksum; or None, and what is wrong with it."""
    import pyarrow as pa

    content, trouble = read_result(path, known)
    if trouble:
        return None, "", trouble
    try:
        table = table_in(content)
    except TooLarge as error:
        return None, "", str(error)
    except (pa.ArrowException, OSError):
        return None, "", "is no readable table"
    return table, known.sha256 if known is not None else sha256(content).hexdigest(), ""


class _Gathered:
    """Parts of files, those with the same columns in one table: nothing is converted until it is asked for."""

    def __init__(self, parts: dict[str, _FileRows] | None = None, groups: "list[Table] | None" = None) -> None:
        self.parts = parts or {}
        self._groups: list[list[Table]] = [[table] for table in groups or []]
        self._sizes = [table.num_rows for table in groups or []]
        self._schemas = {_columns(table): place for place, table in enumerate(groups or [])}

    def part(self, name: str, status: os.stat_result, known: ListedFile | None) -> _FileRows | None:
        """The part of a file, if it is still the one that was gathered."""
        part = self.parts.get(name)
        if part is None or (part.size, part.changed_ns) != (status.st_size, status.st_mtime_ns):
            return None
        return part if known is None or known.sha256 == part.sha256 else None

    def add(self, name: str, table: "Table", digest: str, status: os.stat_result) -> _FileRows:
        """Takes a file in, in the place of what it was before."""
        before = self.parts.get(name)
        if before is not None and before.sha256 == digest:  # copied, or touched
            self.parts[name] = replace(before, size=status.st_size, changed_ns=status.st_mtime_ns)
            return self.parts[name]
        group = self._schemas.setdefault(_columns(table), len(self._groups))
        if group == len(self._groups):
            self._groups.append([])
            self._sizes.append(0)
        start = self._sizes[group]
        part = _FileRows(digest, status.st_size, status.st_mtime_ns, group, start, table.num_rows)
        self._groups[group].append(table)
        self._sizes[group] += table.num_rows
        if len(self._groups[group]) > 500:  # thousands of tables of few rows take more room than their content
            self._groups[group] = [_join_tables(self._groups[group])]
        self.parts[name] = part
        return part

    def rows_of(self, parts: Sequence[_FileRows]) -> "Table | None":
        """The rows of some parts in their order, as if their files had been joined."""
        import pyarrow as pa

        used = list(dict.fromkeys(part.group for part in parts))
        if not used:
            return None
        table = pa.concat_tables([self._group_table(group) for group in used], promote_options="permissive")
        begins = dict(zip(used, np.cumsum([0, *(self._sizes[group] for group in used)]), strict=False))
        counts = np.array([part.rows for part in parts])
        starts = np.array([begins[part.group] + part.start for part in parts])
        places = np.repeat(starts - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        if np.array_equal(places, np.arange(table.num_rows)):
            return table
        return table.combine_chunks().take(pa.array(places))

    def _group_table(self, group: int) -> "Table":
        """All rows of a group as one piece."""
        self._groups[group] = [_join_tables(self._groups[group])]
        return self._groups[group][0]

    def pieces(self) -> list[bytes]:
        """The file, in pieces: without the rows of files that are other ones now."""
        import pyarrow as pa

        options = pa.ipc.IpcWriteOptions(compression="zstd")
        parts: dict[str, tuple[Any, ...]] = {}
        streams: list[bytes] = []
        for group in range(len(self._groups)):
            own = {name: part for name, part in self.parts.items() if part.group == group}
            table = self.rows_of([*own.values()])
            if table is None:
                continue
            starts = np.cumsum([0, *(part.rows for part in own.values())]).tolist()
            for (name, part), start in zip(own.items(), starts, strict=False):
                parts[name] = astuple(replace(part, group=len(streams), start=start))
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
                writer.write_table(table)
            streams.append(sink.getvalue().to_pybytes())
        head = json.dumps({"parts": parts, "streams": [len(stream) for stream in streams]}).encode()
        content = b"".join([len(head).to_bytes(8, "big"), head, *streams])
        return [seal(_FORMAT, content), content]


def _read(path: Path) -> _Gathered:
    """What a gathered file holds: nothing where there is none, it is not what was written, or somebody else wrote it.

    A seal says that nothing was lost, not who wrote it.
    """
    import pyarrow as pa

    content = None
    with contextlib.suppress(OSError), open_file(path) as file:
        if not hasattr(os, "geteuid") or os.fstat(file.fileno()).st_uid == os.geteuid():
            content = unseal(_FORMAT, file.read())
    if content is None:
        return _Gathered()
    end = 8 + int.from_bytes(content[:8], "big")
    head: dict[str, Any] = json.loads(bytes(content[8:end]))
    groups = []
    try:
        for length in head["streams"]:
            with pa.ipc.open_stream(pa.py_buffer(content[end : end + length])) as reader:
                groups.append(reader.read_all())
            end += length
    except pa.ArrowException:  # written where another Arrow is installed
        return _Gathered()
    return _Gathered({name: _FileRows(*part) for name, part in head["parts"].items()}, groups)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _columns(table: "Table") -> tuple[tuple[str, str], ...]:
    return tuple((field.name, _type_name(field.type)) for field in table.schema)


@cache
def _type_name(kind: Any) -> str:
    return str(kind)


def _join_tables(tables: "list[Table]") -> "Table":
    import pyarrow as pa

    return tables[0].combine_chunks() if len(tables) == 1 else pa.concat_tables(tables).combine_chunks()
