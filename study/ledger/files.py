"""Results that lie in files beside the ledger: each is listed with size and checksum."""

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, insert, select

from study.errors import Damaged
from study.ledger.schema import files
from trainables.opening import LARGEST, NotReadable, open_file, read_file

NETWORKS, LAYERS, ARRAYS, EXAMPLES = "networks.parquet", "layers.parquet", "arrays.npz", "examples.parquet"
# A trial with the last of these has all that it left.
RESULTS = (LAYERS, ARRAYS, EXAMPLES, NETWORKS)
_IS_RESULT = re.compile(rf"trials/\d{{4,}}/({'|'.join(map(re.escape, RESULTS))})")
# What is about to be replaced, in a study's folder.
_ASIDE = "replaced"
_REMOVAL = delete(files).where(files.c.study == bindparam("of_study"), files.c.name == bindparam("of_name"))
_INSERTION = insert(files)


@dataclass(frozen=True)
class ListedFile:
    """A file as the ledger knows it.

    Attributes:
        name: Relative to the study's folder, e.g. `trials/0007/networks.parquet`.
        number: Of its trial.
        size: In bytes.
        sha256: Of its content, in hex.
    """

    name: str
    number: int
    size: int
    sha256: str

    @classmethod
    def from_content(cls, name: str, number: int, content: bytes) -> "ListedFile":
        """A file with that content."""
        return cls(name, number, len(content), hashlib.sha256(content).hexdigest())

    def trouble(self, content: bytes | None) -> str:
        """What is wrong with `content` (None: there is no file), "" if it is what was written."""
        if content is None:
            return "is missing"
        if len(content) != self.size:
            return f"has {len(content)} bytes instead of {self.size}"
        return "" if hashlib.sha256(content).hexdigest() == self.sha256 else "is not what was written"

    def trouble_in(self, directory: Path) -> str:
        """The same of the file in a study's folder."""
        return self.content_in(directory)[1]

    def content_in(self, directory: Path) -> tuple[bytes, str]:
        """The content of the file in a study's folder, and what is wrong with it; no more is read than was written."""
        try:
            with open_file(directory / self.name) as file:
                if (size := os.fstat(file.fileno()).st_size) != self.size:
                    return b"", f"has {size} bytes instead of {self.size}"
                content = b"" if self.size > LARGEST else file.read(self.size + 1)
        except FileNotFoundError:
            return b"", self.trouble(None)
        except OSError as error:
            return b"", f"can't be read ({error.strerror or error})"
        return content, self.trouble(content)


def read_result(path: Path, known: ListedFile | None) -> tuple[bytes, str]:
    """The content of a file of results, and what is wrong with it; `known` is None where the ledger lists none."""
    if known is not None:
        return known.content_in(path.parents[known.name.count("/")])
    try:
        return read_file(path), ""
    except NotReadable:
        return b"", "can't be read"


@dataclass(frozen=True)
class NewFile:
    """A file that is written and has no name yet; `place` gives it its own, in the ledger's transaction."""

    listed_file: ListedFile
    place: Callable[[], None]


def networks_of(number: int) -> str:
    """Name of the file with the networks of a trial."""
    return result_of(number, NETWORKS)


def result_of(number: int, kind: str) -> str:
    """Name of one of the files of results of a trial, e.g. `trials/0007/layers.parquet`."""
    return f"trials/{number:04d}/{kind}"


def is_result(name: str) -> bool:
    """Whether a path in a study's folder is that of a file of results, and of nothing else anywhere."""
    return _IS_RESULT.fullmatch(name) is not None


def put(connection: Connection, study: str, new: NewFile) -> None:
    """Places and lists a file."""
    new.place()
    own = new.listed_file
    connection.execute(_REMOVAL, {"of_study": study, "of_name": own.name})
    row = {"study": study, "name": own.name, "number": own.number, "size": own.size, "sha256": own.sha256}
    connection.execute(_INSERTION, row)


def set_aside(directory: Path, new: Sequence[NewFile]) -> None:
    """Keeps copies of the files whose place others are about to take, until `put_back`."""
    for name in [own.listed_file.name for own in new]:
        path, copy = directory / name, directory / _ASIDE / name
        if path.is_file() and not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def put_back(directory: Path, listed_now: Callable[[], Sequence[ListedFile]]) -> None:
    """Files that were set aside come back if they are what is listed: what was to replace them came to nothing."""
    if not (directory / _ASIDE).is_dir():
        return
    for known in listed_now():
        copy = directory / _ASIDE / known.name
        if copy.is_file() and known.trouble_in(directory) and not known.trouble_in(directory / _ASIDE):
            copy.replace(directory / known.name)
    shutil.rmtree(directory / _ASIDE)


def read(connection: Connection, study: str, numbers: Iterable[int] | None = None) -> list[ListedFile]:
    """Files that hold results of ended trials, of all or of some, by name. Trials of an earlier version list none."""
    query = select(files).where(files.c.study == study).order_by(files.c.name)
    if numbers is not None:
        query = query.where(files.c.number.in_(list(numbers)))
    found = [ListedFile(row.name, row.number, row.size, row.sha256) for row in connection.execute(query)]
    for file in found:
        if not is_result(file.name):  # somebody else's ledger could name any file of this user
            raise Damaged(f"the ledger of {study!r} is damaged: it lists {file.name!r} among results", study)
    return found


def damaged_files(files: Iterable[ListedFile], directory: Path) -> dict[str, tuple[int, str]]:
    """Name → (trial, what is wrong) of those in a study's folder that are not what was written. Reads them all."""
    looked_at = {file.name: (file.number, file.trouble_in(directory)) for file in files}
    return {name: wrong for name, wrong in looked_at.items() if wrong[1]}


def forget(connection: Connection, study: str, numbers: Iterable[int]) -> None:
    """Lists nothing of some trials any more."""
    connection.execute(delete(files).where(files.c.study == study, files.c.number.in_(list(numbers))))
