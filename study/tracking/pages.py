"""What MLflow's pages show of a study at first: its runs, with the columns and words that its question needs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from study.config import StudyConfig

VIEW = "ockham"
# MLflow's own names: of a view that a link can ask for (as its Share button makes), of the kind that opens with runs.
_VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
_KIND, _NOTE = "mlflow.experimentKind", "mlflow.note.content"


def experiment_tags(config: StudyConfig) -> dict[str, str]:
    """Tags with which MLflow opens the study's trials, describes it, and shows condition, instrument, key numbers."""
    score = config.task.score
    metrics = (f"train/{score}", f"test/{score}", f"gap/{score}", "compressibility/auc", "contrast/auc")
    columns = [f"params.`{name}`" for name in config.space.span]
    columns += [f"metrics.`{name}`" for name in metrics]
    # In its usual order, by time, MLflow folds trials up below the study's own run, and shows nothing of them.
    by_number = {"orderByKey": "tags.`mlflow.runName`", "orderByAsc": True}
    view = {"selectedColumns": columns, "searchFilter": "tags.`ockham.trial` != ''", **by_number}
    return {_KIND: "custom_model_development", _NOTE: note(config), _VIEW_TAG: json.dumps(view)}


def note(config: StudyConfig) -> str:
    """The study's question, and what is expected of it."""
    space = config.space
    said = [space.title, f"Expected (not the result): {space.claim}" if space.claim else "", space.source]
    return "\n\n".join(part for part in said if part)


def runs_page(experiment: str) -> str:
    """Where the runs of an experiment are, below the server's address."""
    return f"/#/experiments/{experiment}/runs?viewStateShareKey={VIEW}"


def pages(store: Path) -> list[tuple[str, str]]:
    """Name and page of each study in a home's own store, the newest first."""
    query = (
        "SELECT name, experiments.experiment_id FROM experiments"
        " JOIN experiment_tags ON experiment_tags.experiment_id = experiments.experiment_id AND key = ?"
        " WHERE lifecycle_stage = 'active' ORDER BY last_update_time DESC"
    )
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as connection:
        return [(str(name), runs_page(str(number))) for name, number in connection.execute(query, (_VIEW_TAG,))]
