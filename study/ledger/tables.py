"""Tables and arrays of a study's files, read with a limit: somebody else's file of a few kilobytes can be gigabytes."""

import io
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pyarrow import Table
    from pyarrow.parquet import ParquetFile

MOST_BYTES = 4 << 30
_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "FLOAT": 4, "INT96": 12}  # in bytes; all others: 8
_SMALL = 64 << 20


class TooLarge(ValueError):
    """What a file stands for is more than is read."""


def table_in(content: bytes) -> "Table":
    """The table of a parquet file.

    Raises:
        TooLarge: Written out it has more than `MOST_BYTES`.
        pyarrow.ArrowException, OSError: It is no table.
    """
    from pyarrow.parquet import ParquetFile

    file = ParquetFile(io.BytesIO(content))
    fixed, texts = _claimed_bytes(file)
    if fixed > MOST_BYTES:
        raise TooLarge(f"stands for {fixed:,} bytes; at most {MOST_BYTES:,} are read")
    if fixed + texts > min(_SMALL, MOST_BYTES):
        _require_short_texts(content, file)
    return file.read(use_threads=False).replace_schema_metadata()


def arrays_in(content: bytes) -> dict[str, Any]:
    """Name → array of a numpy archive; nothing in it is unpickled.

    Raises:
        TooLarge: See `table_in`.
        ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error: It is no archive of arrays.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as archive:  # which reads no more of a part than it says here
        size = sum(part.file_size for part in archive.infolist())
    if size > MOST_BYTES:
        raise TooLarge(f"stands for {size:,} bytes; at most {MOST_BYTES:,} are read")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _claimed_bytes(file: "ParquetFile") -> tuple[int, int]:
    """Bytes of all numbers, and at most of all texts, if each were as long as all that its column holds."""
    fixed = texts = 0
    for group in map(file.metadata.row_group, range(file.metadata.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.physical_type == "BYTE_ARRAY":
                fixed += 8 * column.num_values
                texts += column.num_values * column.total_uncompressed_size
            else:
                fixed += _WIDTHS.get(column.physical_type, 8) * column.num_values
    return fixed, texts


def _require_short_texts(content: bytes, file: "ParquetFile") -> None:
    """Adds up the texts of a file while each still stands there once: one of a megabyte may be in a million rows."""
    import pyarrow.compute as pc
    from pyarrow.parquet import ParquetFile

    schema = file.schema_arrow
    names = [name for name, kind in zip(schema.names, schema.types, strict=True) if str(kind) in ("string", "binary")]
    size = 0
    for name in names:
        once = ParquetFile(io.BytesIO(content), read_dictionary=[name]).read([name], use_threads=False)
        for chunk in once.column(0).chunks:
            lengths = pc.binary_length(chunk.dictionary).cast("int64")
            size += pc.sum(lengths.take(chunk.indices)).as_py() or 0
            if size > MOST_BYTES:
                raise TooLarge(f"stands for more than {MOST_BYTES:,} bytes of text; no more are read")
