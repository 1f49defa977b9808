"""What claims compare is held against what trials report, before anything runs; what was claimed later is not lost."""

from pathlib import Path
from typing import Any

import pytest

from search_spaces import catalog
from search_spaces.claims import Claim, Greater
from search_spaces.quantities import AboveScratch, Association, Difference, KeptOverChanged, Level, Metric, Twins
from search_spaces.space import SearchSpace
from study import cli
from study.config import StudyConfig
from study.errors import UsageError
from study.settings.exploratory import add_claims, claims_added
from study.settings.goals import check_claims, check_goals
from study.settings.loading import LaunchOptions, load_study
from study.storing.restoring import restore_claims
from study.storing.safekeeping import keep_claims, study_folder
from tests import engine
from tests.studies_for_tests import LISTS, a_ledger, a_study
from trainables.summary.expected import expected_columns

BASE = {"data.name": "digits", "data.label_noise": 0.5}
FINETUNED = {"compression.recovery": "finetune", "compression.recovery_epochs": 2}


def config(quantity: Any, home: Path, **base: Any) -> StudyConfig:
    stated = Claim(name="mine", says="So.", quantity=quantity, comparison=Greater())
    space = SearchSpace(base=BASE | base, span={"model.width": [16, 32]}, claims=(stated,))
    return StudyConfig.model_validate({"name": "tiny", "space": space, "run": {"home": home}})


@pytest.mark.parametrize(
    ("quantity", "said"),
    [
        (
            Metric(metric="val/los"),
            "the claim mine: val/los: no trial of this study reports that. Did you mean val/loss",
        ),
        (Twins(metric="gap/acuracy"), "Did you mean control/gap/accuracy"),
        (AboveScratch(metric="compressibility/auc"), "fresh networks, and none are trained"),
        (KeptOverChanged(metric="train/acuracy"), "the claim mine: train/kept_acuracy"),
        (Level(column="tests_accuracy", level=-1), "the claim mine: column tests_accuracy"),
        (Level(column="tests_accuracy", level=-1), "Did you mean test_accuracy"),
        (Difference(first=Metric(metric="val/loss"), second=Metric(metric="val/lost")), "the claim mine: val/lost"),
        (Association(first=Metric(metric="compressibility/ouc"), second=Metric(metric="gap/accuracy")), "/auc"),
        (Metric(metric="measure/spectrum/alpha"), "--set measures=spectrum does"),
        (Level(column="measure/norms/path", level=0), "--set measures=norms does"),
        (Metric(metric="measure/spectra/alpha"), "no trial of this study reports that"),
    ],
)
def test_a_number_that_no_trial_has_is_refused_before_launch(quantity: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises((UsageError, ValueError)) as refused:
        check_goals(config(quantity, tmp_path, measures="none"))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("quantity", "base"),
    [
        (Metric(metric="val/loss"), {}),
        (Twins(metric="compressibility/auc"), {}),
        (KeptOverChanged(metric="compressibility/auc"), {}),
        (KeptOverChanged(metric="train/accuracy"), {}),
        (AboveScratch(metric="compressibility/auc"), FINETUNED),
        (Level(column="changed_accuracy", level=0), {}),
        (Level(column="parameters", ratio=4), {}),
        (Metric(metric="measure/norms/path"), {"measures": "norms"}),
        (Twins(metric="measure/norms/path"), {"measures": "norms"}),
        (Level(column="measure/norms/path", level=0), {"measures": "norms"}),
    ],
)
def test_what_trials_have_is_taken(quantity: Any, base: dict[str, Any], tmp_path: Path) -> None:
    check_goals(config(quantity, tmp_path, **base))


@pytest.mark.parametrize("name", catalog.names())
def test_the_claims_of_named_studies_are_about_what_their_trials_report(name: str) -> None:
    study = load_study(LaunchOptions(name)).config
    check_claims(study, study.space.claims)


@pytest.mark.parametrize(
    "fields",
    [{}, {"measures": "norms+margins"}, {"compression__method": "distill", "compression__distill": {"epochs": 2}}],
)
def test_expected_columns_are_those_of_the_file(fields: dict[str, Any]) -> None:
    trial = engine.config(**fields)
    (row, *_) = engine.records(trial)[-1].networks
    words = {"network", "arm", "level", "widths", "failed", "stop_reason"}
    assert set(row) - words == {name for name in expected_columns(trial) if name in row}
    assert {name for name in expected_columns(trial) if name not in row} <= {"iid_accuracy", "early_stop_epoch"}


WRONG = "- name: lower\n  says: So.\n  quantity: {kind: metric, metric: val/los}\n  comparison: {kind: less}\n"


def test_claims_stated_later_are_checked_too_by_what_trials_have(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = a_ledger(tmp_path)
    file = tmp_path / "later.yaml"
    file.write_text(WRONG)
    assert cli.main(["claim", "tiny", str(file), "--home", str(tmp_path)]) == 2
    assert "the claim lower: val/los: no trial of this study reports that. Did you mean val/loss" in " ".join(
        capsys.readouterr().err.split()
    )
    assert claims_added(ledger.config) == ()
    (added,) = add_claims(ledger.config, file, known=["val/los"])
    assert added.name == "lower", "a number that its trials have all the same, from measuring them later"


def test_claims_come_back_from_the_storage_as_the_study_does(tmp_path: Path) -> None:
    there = a_study(tmp_path / "home", run={"storage": str(tmp_path / "storage")}, span=LISTS)
    there.directory.mkdir(parents=True)
    file = tmp_path / "later.yaml"
    file.write_text(WRONG.replace("val/los", "val/loss"))
    assert keep_claims(there), "there is nothing to keep"
    (added,) = add_claims(there, file)
    assert keep_claims(there)
    elsewhere = a_study(tmp_path / "other", run={"storage": str(tmp_path / "storage")}, span=LISTS)
    restore_claims(study_folder(str(tmp_path / "storage"), "tiny"), elsewhere.directory)
    assert claims_added(elsewhere) == (added,)
    (elsewhere.directory / "claims.yaml").write_text("[]")
    restore_claims(study_folder(str(tmp_path / "storage"), "tiny"), elsewhere.directory)
    assert (elsewhere.directory / "claims.yaml").read_text() == "[]", "what is there is not replaced"


def test_a_storage_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "storage").write_text("a file")
    there = a_study(tmp_path / "home", run={"storage": str(tmp_path / "storage")}, span=LISTS)
    there.directory.mkdir(parents=True)
    file = tmp_path / "later.yaml"
    file.write_text(WRONG.replace("val/los", "val/loss"))
    add_claims(there, file)
    assert not keep_claims(there)


def _claimed(home: Path) -> tuple[StudyConfig, tuple[Claim, ...]]:
    there = a_study(home, span=LISTS)
    there.directory.mkdir(parents=True)
    (home / "later.yaml").write_text(WRONG.replace("val/los", "val/loss"))
    return there, add_claims(there, home / "later.yaml")


def _cut_off(file: Path) -> None:
    """Where YAML ends well: its last two lines are fields that have usual values."""
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-2]))


@pytest.mark.parametrize("damage", [Path.unlink, _cut_off, lambda file: file.write_bytes(b"")])
def test_claims_that_are_lost_or_other_ones_are_never_just_fewer(tmp_path: Path, damage: Any) -> None:
    there, added = _claimed(tmp_path)
    damage(there.directory / "claims.yaml")
    assert claims_added(there) == added, "there is a copy"
    if (there.directory / "claims.yaml").exists():
        damage(there.directory / "snapshots" / "claims.yaml")
        with pytest.raises(UsageError, match=r"claims\.yaml"):
            claims_added(there)


def test_claims_of_an_earlier_version_have_no_checksum(tmp_path: Path) -> None:
    there, added = _claimed(tmp_path)
    file = there.directory / "claims.yaml"
    file.write_text(file.read_text().partition("\n")[2])
    (there.directory / "snapshots" / "claims.yaml").unlink()
    assert claims_added(there) == added
