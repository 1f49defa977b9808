"""The files of results that a trial leaves beside the ledger."""

import errno
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from study.clock import WALL_CLOCK, Clock
from study.crash_points import crash_if_asked
from study.errors import NoRoom
from study.ledger.files import ARRAYS, EXAMPLES, LAYERS, NETWORKS, ListedFile, NewFile, result_of
from study.ledger.outage import AGAIN_S, ROOM_S
from trainables.record import NOT_LOST, Record

Row = Mapping[str, Any]
_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def result_files(
    directory: Path,
    number: int,
    records: Sequence[Record],
    tired: Callable[[], bool] = bool,
    *,
    clock: Clock = WALL_CLOCK,
) -> Iterator[list[NewFile]]:
    """Writes what the summary of a trial brings, under other names; yields what gives the files their own.

    They get these in the ledger's own transaction, which only the holder of the lease can make; a crash before its end
    runs the trial again.

    Args:
        directory: Of the study.
        records: Of which one may be the summary.
        tired: Whether to wait no longer for room on the disk.
        clock: That waiting for it goes by.
    Raises:
        NoRoom: There was none for long.
    """
    with ExitStack() as writing:
        new = []

        def write(kind: str, content: bytes) -> None:
            new.append(writing.enter_context(_write_file(directory, number, kind, content, tired, clock=clock)))

        for record in records:
            if record.layers:
                write(LAYERS, _table(record.layers))
            if record.arrays:
                write(ARRAYS, _archive(record.arrays))
            if record.examples:
                write(EXAMPLES, example_table(record.examples))
            if record.networks:
                new.append(writing.enter_context(networks_file(directory, number, record.networks, tired, clock=clock)))
        yield new


@contextmanager
def networks_file(
    directory: Path,
    number: int,
    rows: Sequence[Row],
    tired: Callable[[], bool] = bool,
    *,
    clock: Clock = WALL_CLOCK,
) -> Iterator[NewFile]:
    """Writes one row per network, arm and level of a trial, under another name; yields what gives the file its own."""
    with _write_file(directory, number, NETWORKS, _table(rows), tired, clock=clock) as file:
        crash_if_asked("networks written")

        def place() -> None:
            file.place()
            crash_if_asked("networks renamed")

        yield NewFile(file.listed_file, place)


@contextmanager
def _write_file(
    directory: Path, number: int, kind: str, content: bytes, tired: Callable[[], bool], *, clock: Clock
) -> Iterator[NewFile]:
    name = result_of(number, kind)
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    _write(temporary, content, tired, clock)

    def place() -> None:
        if temporary.exists():  # not if its transaction was lost and is tried again
            temporary.replace(path)

    try:
        yield NewFile(ListedFile.from_content(name, number, content), place)
    finally:
        for orphan in path.parent.glob(f"{path.stem}.*.tmp"):  # also of drivers that died
            orphan.unlink(missing_ok=True)


def _write(path: Path, content: bytes, tired: Callable[[], bool], clock: Clock) -> None:
    """Writes a file down to the disk; where that is full, waits for room as the ledger does."""
    start = clock.monotonic()
    while True:
        try:
            with path.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            return
        except OSError as error:
            if error.errno not in _FULL or tired() or clock.monotonic() > start + ROOM_S:
                raise NoRoom(str(path), error.strerror or str(error)) from None
            clock.sleep(AGAIN_S)


def _table(rows: Sequence[Row]) -> bytes:
    import pyarrow
    import pyarrow.parquet

    buffer = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([dict(row) for row in rows]), buffer)
    return buffer.getvalue()


def example_table(found: Mapping[str, Any]) -> bytes:
    """The content of `examples.parquet`: a row per example, network and arm, margins in steps of `MARGIN_STEP`.

    Args:
        found: As `Record.examples`.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet

    networks, count = found["subset"].shape
    # The networks of an example stand next to each other: they say mostly the same, which takes little room.
    columns = {name: table.T.reshape(-1) for name, table in found.items() if table.ndim == 2}
    arms = pa.DictionaryArray.from_arrays(np.tile(found["control"], count).astype(np.int8), ["replicate", "control"])
    table = pa.table(
        {
            "example": np.repeat(np.arange(count, dtype=np.int32), networks),
            "network": np.tile(found["network"], count),
            "arm": arms,
            "subset": columns["subset"],
            "label": columns["label"],
            "true_label": np.repeat(found["true_label"], networks),
            "prediction": columns["prediction"],
            "right": columns["prediction"] == columns["label"],
            "margin": columns["margin"],
            "lost_at": pa.array(columns["lost_at"], mask=columns["lost_at"] == NOT_LOST),
        }
    )
    if "learned" in columns:
        never = ~columns["subset"] | (columns["learned"] == 0)
        table = table.append_column("learned", pa.array(columns["learned"], mask=never))
        table = table.append_column("forgotten", pa.array(columns["forgotten"], mask=~columns["subset"]))
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(
        table,
        buffer,
        compression="zstd",
        write_statistics=False,
        # Numbers that only rise: a dictionary of them would be the largest part of the file where networks are few.
        use_dictionary=[name for name in table.column_names if name != "example"],
        column_encoding={"example": "DELTA_BINARY_PACKED"},
    )
    return buffer.getvalue()


def _archive(arrays: Mapping[str, Any]) -> bytes:
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()
