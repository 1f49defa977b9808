"""Which files a trial reads, and what they hold: what must stay the same for its numbers to mean the same."""

import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from trainables.config import TrialConfig
from trainables.data.digests import content_digests
from trainables.data.identity import dataset_digests
from trainables.data.interfaces import dataset_of
from trainables.errors import DataUnavailable
from trainables.parts import NAMED_FILE, ConfigSection, EntrySection

# The name of the revision of the code that makes examples, among the names of files.
CODE = "(code)"
# More files than this are recorded by folder, so that a ledger does not fill up with names.
_MOST_FILES = 10_000


def input_digests(config: TrialConfig, data_dir: Path, *, fresh: bool = True) -> dict[str, dict[str, str]]:
    """What names an input (`data.name=mnist`, `compression.ticket=/home/me/t.safetensors`) → file → digest.

    Of a data set also the revision of the code that makes examples of its files, under the name `(code)`. The data set
    has to be there. Costs a look at each file; contents are read where size or times are new.

    Args:
        fresh: See `dataset_digests`.
    Raises:
        DataUnavailable: A file can't be read.
    """
    dataset = dataset_of(config.data)
    fields = dataset.model_dump(mode="json", exclude_defaults=True)
    name = config.data.name
    said = " ".join([f"data.name={name}", *(f"data.{name}.{field}={value}" for field, value in fields.items())])
    files = dataset_digests(dataset, data_dir, fresh=fresh)
    named = {f"{field}={path}": content_digests({path.name: path}) for field, path in named_files(config)}
    return {said: {CODE: f"revision {dataset.revision}", **files}, **named}


def named_files(config: ConfigSection, prefix: str = "") -> Iterator[tuple[str, Path]]:
    """Every field of a configuration and of its selected entries that names a file, dotted, and the file.

    A field says so by `Annotated[…, NAMED_FILE]`.
    """
    for field, about in type(config).model_fields.items():
        value = getattr(config, field)
        if isinstance(value, ConfigSection):
            yield from named_files(value, f"{prefix}{field}.")
        elif value is not None and NAMED_FILE in about.metadata:
            yield f"{prefix}{field}", Path(value)
    if isinstance(config, EntrySection):
        for name, package in config.entries().items():
            entry = importlib.import_module(f"{package}.{name}").ENTRY.model_validate(config.options(name))
            for field, about in type(entry).model_fields.items():
                value = getattr(entry, field)
                if value is not None and NAMED_FILE in about.metadata:
                    yield f"{prefix}{name}.{field}", Path(value)


def to_record(files: Mapping[str, str]) -> dict[str, str]:
    """What is kept of an input: its files, or where they are very many its folders (`train/cat/`)."""
    return dict(files) if len(files) <= _MOST_FILES else by_folder(files)


def by_folder(files: Mapping[str, str]) -> dict[str, str]:
    """Folder → how many files and the digest of all of them; folders among `files` stay as they are."""
    folders: dict[str, dict[str, str]] = {}
    for name, digest in files.items():
        stays = name == CODE or name.endswith("/")
        folders.setdefault(name if stays else f"{PurePosixPath(name).parent}/", {})[name] = digest
    return {folder: there.get(folder) or f"{len(there)} files, {_digest(there)}" for folder, there in folders.items()}


def whole_digest(files: Mapping[str, str]) -> str:
    """16 hex digits of all files of an input together, the same whether they are given singly or by folder."""
    return _digest(by_folder(files))


def require_inputs(config: TrialConfig, data_dir: Path, recorded: Mapping[str, str]) -> None:
    """Refuses a trial that would read something else than the study was launched with.

    Args:
        recorded: What names an input → its `whole_digest`; inputs that are not in it are not compared.
    Raises:
        DataUnavailable: It would.
    """
    if not recorded:
        return
    for name, files in input_digests(config, data_dir, fresh=False).items():
        if recorded.get(name, whole_digest(files)) != whole_digest(files):
            raise DataUnavailable(
                f"{name}: its files here are not those that the study was launched with; `ockham resume` says which. "
                "Nothing was trained on them."
            )


def _digest(content: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(sorted(content.items())).encode()).hexdigest()[:16]
