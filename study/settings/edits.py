"""A study's own `study.yaml` is a record: what somebody changed in it is never lost without a word."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from search_spaces.claims import Claim
from study.config import StudyConfig
from study.config.yaml_files import read_yaml
from study.errors import StudyMismatch, UsageError
from trainables.dotted import flatten

_SHOWN = 12
_CLAIMS = "space.claims"
_IDENTITY = ("name", "sampler", "scheduler", "stopping", "objectives", "constraints", "warm_start", "seed")
_OF_THE_SPACE = ("space.base.", "space.span.")
_FOLLOWS_ITS_PLACE = ("run.home", "run.data_dir", "run.ledger", "run.tracking_uri", "run.storage")


def check_study_file(path: Path, stored: StudyConfig, asked: StudyConfig, message: Callable[[str], None]) -> None:
    """Compares the file with the ledger, before a run writes it anew.

    Args:
        path: Of the file; nothing is said where there is none.
        stored: The study as its ledger has it.
        asked: The study as this run wants it: what it changes itself was no edit.
        message: Hears of what is written over.
    Raises:
        StudyMismatch: The file says another study: its space, sampler, goals, seed or explicit trials differ.
    """
    if not path.exists():
        return
    try:
        content = read_yaml(path)
    except UsageError as error:
        message(f"{error} It is written anew from the ledger.")
        return
    there = flatten(dict(content)) if isinstance(content, Mapping) else {}
    there.pop("planned", None)  # remembered by the ledger alone: files of earlier versions and of new studies lack it
    if others := _claims_edited(there.pop(_CLAIMS, None), stored):
        message(
            f"{path.name} states claims otherwise than {stored.name} did ({', '.join(others)}); what was stated before "
            f"the data stays as it was, and is written there again. More claims: {stored.command('claim', 'FILE.yaml')}"
        )
    ledger, wanted = flatten(stored.public_fields()), flatten(asked.public_fields())
    edited = {name: value for name, value in there.items() if value != ledger.get(name, _Absent)}
    edited |= {name: None for name in ledger if name.startswith(_OF_THE_SPACE) and name not in there and there}
    if others := [name for name in edited if _is_identity(name)]:
        lines = [
            f"  {name}: {_text_of(there, name)} in the file, {_text_of(ledger, name)} in the study" for name in others
        ]
        more = [f"  … and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
        said = "\n".join([*lines[:_SHOWN], *more])
        raise StudyMismatch(
            f"{path} was edited, but what a study is stays as it was launched; these fields differ:\n{said}\n"
            "put them back (or remove the file: it is written anew), or make another study of a copy: change its name "
            "and ockham launch COPY.yaml"
        )
    for name in edited:
        if name not in _FOLLOWS_ITS_PLACE and there[name] != wanted.get(name, _Absent):
            message(
                f"{path.name} says {name}={there[name]}, which is not read from there: it is {_text_of(wanted, name)} "
                "again; options change a run, --trials the budget"
            )


def _claims_edited(written: Any, stored: StudyConfig) -> list[str]:
    """Names of claims that a file states otherwise than the study; fields that its version had not are their defaults.

    Args:
        written: The claims of the file; None: it is silent about them.
    """
    if written is None:
        return []
    there: dict[str, Claim | None] = {}
    for number, item in enumerate(written if isinstance(written, list) else [written], start=1):
        name = str(item.get("name", number)) if isinstance(item, Mapping) else str(number)
        try:
            there[name] = Claim.model_validate(item)
        except ValidationError:
            there[name] = None
    known = {claim.name: claim for claim in stored.space.claims}
    return [name for name in dict.fromkeys([*known, *there]) if there.get(name) != known.get(name, _Absent)]


def _is_identity(name: str) -> bool:
    return name.startswith(_OF_THE_SPACE) or name.partition(".")[0] in (*_IDENTITY, "configurations")


def _text_of(fields: Mapping[str, Any], name: str) -> Any:
    return fields.get(name, "(not there)")


class _Absent:
    """Equal to no value of a file."""
