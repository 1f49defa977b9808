"""What somebody changed in a study's own file is said; what an earlier version wrote there is no change."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from study.config import StudyConfig
from study.errors import StudyMismatch
from study.settings.edits import check_study_file


def said_of(edit: Any, tmp_path: Path) -> list[str]:
    """What is said of a file once `edit` has changed its content."""
    config = StudyConfig(space="redundancy", run={"home": tmp_path})
    content = config.public_fields()
    edit(content)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    said: list[str] = []
    check_study_file(path, config, config, said.append)
    return said


def test_claims_of_a_version_that_had_fewer_fields_are_the_same_claims(tmp_path: Path) -> None:
    def earlier(content: dict[str, Any]) -> None:
        for claim in content["space"]["claims"]:
            del claim["otherwise"]

    assert said_of(earlier, tmp_path) == []


def test_claims_that_somebody_edited_are_named(tmp_path: Path) -> None:
    def bolder(content: dict[str, Any]) -> None:
        content["space"]["claims"][0]["comparison"]["matters"] = 0.5
        content["space"]["claims"].append("more")

    (said,) = said_of(bolder, tmp_path)
    name = StudyConfig(space="redundancy").space.claims[0].name
    assert f"study.yaml states claims otherwise than redundancy did ({name}, " in said
    assert "ockham claim redundancy" in said
    assert len(said) < 400


def test_another_space_is_refused(tmp_path: Path) -> None:
    def wider(content: dict[str, Any]) -> None:
        content["seed"] = 7

    with pytest.raises(StudyMismatch, match="seed: 7 in the file, 0 in the study"):
        said_of(wider, tmp_path)
