"""Claims that somebody states once there are data: kept beside the study, shown apart, with how many were tried."""

import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from search_spaces.carrying import refusals
from search_spaces.claims import Claim
from study.config import StudyConfig
from study.config.yaml_files import read_yaml
from study.errors import Damaged, UsageError
from study.ledger.remains import COPIES
from study.private import private_below
from study.settings.goals import check_claims
from study.storing.safekeeping import CLAIMS
from trainables.opening import read_file
from trainables.storage import LocalFolder


def claims_added(config: StudyConfig) -> tuple[Claim, ...]:
    """Those of a study, in the order in which they were stated.

    Raises:
        UsageError: Its file is not what was written.
    """
    wrong: list[UsageError] = []
    for path in _claim_files(config):
        try:
            if path.exists():
                return _sound(config, path)
        except UsageError as error:
            wrong.append(error)
    if wrong:
        raise wrong[0]
    return ()


def _claim_files(config: StudyConfig) -> tuple[Path, Path]:
    """The file and its copy: were it gone, nobody would know how many claims have been tried."""
    return config.directory / CLAIMS, config.directory / COPIES / CLAIMS


def _sound(config: StudyConfig, path: Path) -> tuple[Claim, ...]:
    found = read_claims(path)
    first, _, text = read_file(path).decode("utf-8").partition("\n")
    # Files of an earlier version have no such line.
    if first.startswith("#") and first != _seal(config, text):
        raise Damaged(
            f"{path} is not what was written, and with it the claims that {config.name} was asked after its data",
            config.name,
            "Put it back from a copy or the study's --storage; or move it away, and state them again: ockham claim",
        )
    return found


def _seal(config: StudyConfig, text: str) -> str:
    """The first line of the file: damaged YAML may well be YAML, of other claims or fewer."""
    digest = hashlib.sha256(f"{config.name}\n{config.seed}\n{text}".encode()).hexdigest()[:16]
    return f"# claims of {config.name}, checksum {digest}; more are added by: ockham claim"


def add_claims(config: StudyConfig, path: Path, known: Collection[str] = ()) -> tuple[Claim, ...]:
    """Keeps the claims of a file as exploratory ones of the study, and returns them.

    Args:
        known: Metrics that its trials have, beside those that they report by themselves.
    Raises:
        UsageError: The file holds no claims, one has a name that is taken, or the study can't decide it.
    """
    new, there = read_claims(path), claims_added(config)
    taken = [claim.name for claim in (*config.space.claims, *there)]
    for claim in new:
        if claim.name in taken:
            raise UsageError(f"{path}: {config.name} has a claim {claim.name} already; what was stated is not restated")
        taken.append(claim.name)
        if reasons := refusals(claim, config.space):
            raise UsageError(f"{path}: the claim {claim.name} can't be decided by {config.name}: {'; '.join(reasons)}.")
    try:
        check_claims(config, new, known)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    said = [claim.model_dump(mode="json", exclude_defaults=False) for claim in (*there, *new)]
    text = yaml.safe_dump(said, sort_keys=False, allow_unicode=True)
    for kept in _claim_files(config):
        with private_below(config.run.home, kept):
            LocalFolder(kept.parent).write(kept.name, [f"{_seal(config, text)}\n{text}".encode()])
    return new


def read_claims(path: Path) -> tuple[Claim, ...]:
    """A YAML file with a list of claims, perhaps under `claims:`.

    Raises:
        UsageError: It can't be read, or an entry is no claim; says which, and what is wrong.
    """
    content = read_yaml(path)
    found = content.get("claims") if isinstance(content, dict) and len(content) == 1 else content
    if not isinstance(found, list) or not found:
        raise UsageError(f"{path} must hold a list of claims; `ockham claim --help` shows one")
    return tuple(_claim(path, number, item) for number, item in enumerate(found, start=1))


def _claim(path: Path, number: int, item: Any) -> Claim:
    name = item.get("name", number) if isinstance(item, dict) else number
    try:
        return Claim.model_validate(item)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        said = str(first["msg"]).removeprefix("Value error, ")
        where = "" if not field or said.startswith(field) else f"{field}: "
        raise UsageError(f"{path}: claim {name}: {where}{said}") from None
