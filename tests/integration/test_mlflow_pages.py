"""What MLflow shows of a study, and what becomes of it when a home is moved, copied, or a run deleted in MLflow."""

import json
import shutil
from pathlib import Path

import pytest
from mlflow.tracking._tracking_service import utils

from search_spaces.space import Choices
from study.ledger import Ledger
from study.tracking.delivering import Publisher
from study.tracking.mlflow_sink import MlflowSink
from study.tracking.pages import pages
from tests.studies_for_tests import a_ledger
from trainables.record import Record

pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")


def published(home: Path) -> tuple[Ledger, Publisher]:
    ledger = a_ledger(home, span={"data.label_noise": Choices(values=(0.5, 1))}, proposals=2)
    for number in range(2):
        ledger.finish(
            number, ledger.start_attempt(number), "COMPLETE", records=[Record("summary", 0, {"contrast/auc": 0.2})]
        )
    publisher = Publisher(ledger, lambda *_: None)
    publisher.round()
    return ledger, publisher


def test_the_runs_open_with_the_columns_of_the_question(tmp_path: Path) -> None:
    ledger, publisher = published(tmp_path)
    assert publisher._sink is not None
    experiment = publisher._sink._client.get_experiment_by_name(ledger.name)
    assert experiment is not None
    tags = experiment.tags
    assert tags["mlflow.experimentKind"] == "custom_model_development", "runs, not the page for language models"
    assert ledger.config.space.title in tags["mlflow.note.content"]
    view = json.loads(tags["mlflow.sharedViewState.ockham"])
    runs = publisher._sink._client.search_runs([experiment.experiment_id], view["searchFilter"])
    assert {run.data.tags["ockham.trial"] for run in runs} == {"0", "1"}
    columns = view["selectedColumns"]
    assert "params.`data.label_noise`" in columns
    assert {"metrics.`gap/accuracy`", "metrics.`compressibility/auc`", "metrics.`contrast/auc`"} <= {*columns}
    path = f"/#/experiments/{experiment.experiment_id}/runs?viewStateShareKey=ockham"
    assert pages(tmp_path / "mlflow.db") == [(ledger.name, path)]


@pytest.mark.parametrize("how", ["moved", pytest.param("copied", marks=pytest.mark.ends)])
def test_artifacts_of_a_home_elsewhere_are_its_own(how: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second one"
    ledger, publisher = published(first)
    assert publisher._sink is not None
    publisher._sink.put_files(_report(tmp_path / "report", "of the first"))
    name = ledger.name
    ledger.close()
    (shutil.move if how == "moved" else shutil.copytree)(first, second)
    utils._artifact_repos_cache.clear()  # as in another process, which knows nothing of the first place
    run = ledger.config.run.model_copy(update={"home": second})
    sink = MlflowSink(ledger.config.model_copy(update={"run": run}), ledger.uid)
    sink.put_files(_report(tmp_path / "report", "of the second"))
    assert {path.read_text() for path in (second / "mlartifacts" / name).rglob("page.txt")} == {"of the second"}
    kept = {path.read_text() for path in first.rglob("page.txt")}
    assert kept == (set() if how == "moved" else {"of the first"})
    assert first.exists() == (how == "copied"), "an old place is not made again"


def test_a_deleted_parent_run_comes_back_with_its_trials(tmp_path: Path) -> None:
    ledger, publisher = published(tmp_path)
    sink = publisher._sink
    assert sink is not None
    sink._client.delete_run(sink._parent)
    again = MlflowSink(ledger.config, ledger.uid)
    assert again._parent == sink._parent
    runs = again._client.search_runs([again._experiment], "tags.`ockham.trial` != ''")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {again._parent}


def test_trials_below_a_parent_that_is_gone_for_good_come_below_the_present_one(tmp_path: Path) -> None:
    ledger, publisher = published(tmp_path)
    sink = publisher._sink
    assert sink is not None
    for runs in sink.trial_runs().values():
        for run in runs:
            sink._client.set_tag(run, "mlflow.parentRunId", "0" * 32)
    sink.trial_runs()
    runs = sink._client.search_runs([sink._experiment], "tags.`ockham.trial` != ''")
    assert {run.data.tags["mlflow.parentRunId"] for run in runs} == {sink._parent}
    assert len(runs) == len(ledger.trials())


def _report(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "page.txt").write_text(text)
    return folder
