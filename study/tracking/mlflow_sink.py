"""What MLflow is told: an experiment per study, a parent run for the study, a child run per trial.

Every call may be repeated: runs are found by their `ockham.uid` before they are made, and MLflow keeps one row per
(run, metric, timestamp, step, value), all of which were frozen when the result was recorded.
"""

import json
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from study.config import StudyConfig
from study.crash_points import crash_if_asked
from study.ledger import OutboxRow, TrialRow
from study.ledger.rows import RefusedValue
from study.tracking import mlflow_bulk
from study.tracking.insisting import insist
from study.tracking.messages import pending_messages
from study.tracking.mlflow_store import open_store
from study.tracking.mlflow_texts import as_param, cut, params_of, run_name, span_text
from study.tracking.pages import experiment_tags, note
from study.tracking.versions import provenance
from trainables.dotted import flatten

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run
    from mlflow.store.artifact.artifact_repo import ArtifactRepository

_STATUS = {"COMPLETE": "FINISHED", "FAILED": "FAILED", "PRUNED": "KILLED"}
_METRICS_A_CALL, _PARAMS_A_CALL = 1000, 100
_LONGEST_TAG, _LONGEST_PARAM = 5000, 6000


class RunThere(NamedTuple):
    """A run as MLflow has it.

    Attributes:
        status: MLflow's own, `deleted` if someone deleted it there.
        state: The trial's, as its tag says.
        metrics, params: Names of those that it has.
    """

    status: str
    state: str
    metrics: frozenset[str]
    params: frozenset[str]


class MlflowSink:
    """Writes one study to MLflow. Construction and every method raise whatever MLflow does when it can't.

    Args:
        uid: Of the study in its ledger.
    """

    def __init__(self, config: StudyConfig, uid: str) -> None:
        self._config, self._uid = config, uid
        self._spanned = tuple(config.space.span)
        self._tags = {"ockham.study": config.name, **provenance()}
        self._client, self._experiment = open_store(config)
        self._store = config.run.own_store
        self._parent = self._study_run()

    def find(self, uid: str) -> str | None:
        """Id of the run with that `ockham.uid`."""
        found = self._client.search_runs([self._experiment], f"tags.`ockham.uid` = '{uid}'", max_results=1)
        return str(found[0].info.run_id) if found else None

    def trial_runs(self) -> dict[str, dict[str, "RunThere"]]:
        """`ockham.uid` of each trial → its runs, by id."""
        from mlflow.entities import ViewType

        found: dict[str, dict[str, RunThere]] = {}
        token: str | None = None
        while True:
            page = self._client.search_runs(
                [self._experiment], "tags.`ockham.trial` != ''", ViewType.ALL, max_results=1000, page_token=token
            )
            for run in page:
                self._adopt(run)
                status = "deleted" if run.info.lifecycle_stage == "deleted" else run.info.status
                state, told = run.data.tags.get("ockham.state", ""), run.data
                runs = found.setdefault(told.tags.get("ockham.uid", ""), {})
                runs[run.info.run_id] = RunThere(status, state, frozenset(told.metrics), frozenset(told.params))
            token = page.token
            if not token:
                return found

    def _adopt(self, run: "Run") -> None:
        """A trial below another parent run, one that is gone for good, comes below this one."""
        if run.info.lifecycle_stage != "deleted" and run.data.tags.get("mlflow.parentRunId") != self._parent:
            self._client.set_tag(run.info.run_id, "mlflow.parentRunId", self._parent)

    def remove(self, run_id: str) -> None:
        """Deletes a run that is there twice."""
        self._client.delete_run(run_id)

    def new_runs(self, trials: Sequence[tuple[TrialRow, Sequence[OutboxRow]]]) -> dict[int, str]:
        """Trials that MLflow has never heard of, with all that their messages say, in one transaction.

        Returns:
            Trial number → run. Empty if the store can't be told in that way: then it is `new_run` and `publish`.
        """
        if self._store is None or not trials:
            return {}
        runs = []
        for row, messages in trials:
            said, start_ms = pending_messages(messages), row.started_ms or row.created_ms
            status = "RUNNING" if said.end is None else _STATUS[said.end.payload["state"]]
            tags = cut({**self._trial_tags(row), **said.tags}, _LONGEST_TAG)
            params = cut(params_of(row), _LONGEST_PARAM)
            end_ms = said.end.recorded_ms if said.end else None
            name = run_name(row, self._spanned)
            runs.append(mlflow_bulk.NewRun(name, status, start_ms, end_ms, tags, params, said.metrics))
        made = mlflow_bulk.write(self._store, self._experiment, runs) or []
        for _ in made:
            crash_if_asked("trial run made")
            crash_if_asked("batch sent")
        return {row.number: run_id for (row, _), run_id in zip(trials, made, strict=False)}

    def new_run(self, row: TrialRow) -> str:
        """Makes the trial's run and returns its id; `publish` with `whole` gives it its parameters."""
        run_id = self._make(run_name(row, self._spanned), self._trial_tags(row), row.started_ms or row.created_ms)
        crash_if_asked("trial run made")
        return run_id

    def publish(self, run_id: str, messages: Sequence[OutboxRow], whole: TrialRow | None) -> None:
        """Everything that `messages`, in their order, say about one trial.

        Args:
            whole: The trial, where its run may not have its parameters yet.
        """
        said = pending_messages(messages)
        if said.reopens:
            self._reopen(run_id)
        self._log(run_id, metrics=said.metrics, params=params_of(whole) if whole else {}, tags=said.tags)
        crash_if_asked("batch sent")
        if said.end is not None:
            self._client.set_terminated(run_id, _STATUS[said.end.payload["state"]], end_time=said.end.recorded_ms)

    def publish_what_it_takes(
        self, run_id: str, messages: Sequence[OutboxRow], whole: TrialRow | None
    ) -> list[RefusedValue]:
        """As `publish`, where MLflow refuses some of it: all the others, and which single values it refuses."""
        from mlflow.entities import Param, RunTag

        said = pending_messages(messages)
        if said.reopens:
            self._reopen(run_id)
        params, tags = cut(params_of(whole) if whole else {}, _LONGEST_PARAM), cut(said.tags, _LONGEST_TAG)
        values = [*said.metrics, *(Param(*pair) for pair in params.items()), *(RunTag(*pair) for pair in tags.items())]
        # In the same way as the values: who refuses all that comes that way proves nothing about one of them.
        probe = partial(self._client.log_batch, run_id, tags=[RunTag("ockham.study", self._config.name)])
        aside = insist(partial(self._client.log_batch, run_id), values, probe)
        crash_if_asked("batch sent")
        if said.end is not None:
            self._client.set_terminated(run_id, _STATUS[said.end.payload["state"]], end_time=said.end.recorded_ms)
        return aside

    def _trial_tags(self, row: TrialRow) -> dict[str, str]:
        return {
            **self._tags,
            "ockham.uid": row.uid,
            "ockham.trial": str(row.number),
            "ockham.role": row.role,
            "ockham.state": "RUNNING",
            "ockham.fingerprint": row.fingerprint,
            "mlflow.parentRunId": self._parent,
        }

    def _reopen(self, run_id: str) -> None:
        """The run of a failed trial goes on."""
        self._client.update_run(run_id, status="RUNNING")
        if "ockham.error" in self._client.get_run(run_id).data.tags:
            self._client.delete_tag(run_id, "ockham.error")

    def begin_study(self, config: StudyConfig) -> None:
        """The parent run is running (again), with the latest budget."""
        self._client.update_run(self._parent, status="RUNNING")
        for name, text in experiment_tags(config).items():
            self._client.set_experiment_tag(self._experiment, name, text[:_LONGEST_TAG])
        self._client.set_tag(self._parent, "ockham.trials", str(config.trials))

    def put_files(self, report: Path | None) -> None:
        """The study's settings and its report, a folder, as files of the parent run.

        They go elsewhere than all the rest, which may refuse them, or ask for a password that only the server has.
        """
        repository = self._artifacts()
        with tempfile.TemporaryDirectory(prefix="ockham-") as folder:
            shown = Path(folder) / "study.json"
            shown.write_text(json.dumps(self._config.public_fields(), indent=2), encoding="utf-8")
            repository.log_artifact(str(shown))
        if report is not None and report.is_dir():
            repository.log_artifacts(str(report), "report")

    def end_study(self, status: str, summary: Mapping[str, Any]) -> None:
        """The parent run has ended for now.

        Args:
            status: FINISHED, FAILED or KILLED (incomplete).
            summary: Numbers become metrics, text becomes tags.
        """
        numbers = {k: float(v) for k, v in summary.items() if isinstance(v, int | float) and not isinstance(v, bool)}
        texts = {k: str(v) for k, v in summary.items() if k not in numbers and v is not None}
        for name, value in numbers.items():
            self._client.log_metric(self._parent, name, value)
        self._log(self._parent, tags={**texts, "ockham.state": status})
        self._client.set_terminated(self._parent, status)

    def _artifacts(self) -> "ArtifactRepository":
        """Where the files of the study's run go. MLflow's client would remember for good what half an answer says."""
        from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
        from mlflow.utils.uri import add_databricks_profile_info_to_artifact_uri

        location = self._client.get_run(self._parent).info.artifact_uri
        if not location:
            raise RuntimeError("MLflow has a run and did not say where its files go")
        uri = self._config.store_uri
        return get_artifact_repository(add_databricks_profile_info_to_artifact_uri(location, uri), tracking_uri=uri)

    def _study_run(self) -> str:
        uid = f"{self._config.name}/{self._uid}"
        run_id = self._oldest(uid) or self._restore_run(uid)
        if run_id is None:
            tags = {
                **self._tags,
                "ockham.uid": uid,
                "ockham.state": "RUNNING",
                "mlflow.note.content": note(self._config),
            }
            run_id = self._make(self._config.name, tags)
            crash_if_asked("study run made")
        params = {name: as_param(value) for name, value in self._config.space.base.items()}
        params |= {name: span_text(value) for name, value in self._config.space.span.items()}
        identity = {k: v for k, v in self._config.identity().items() if k not in ("space", "configurations")}
        self._log(run_id, params={**params, **{k: as_param(v) for k, v in flatten(identity).items()}})
        return run_id

    def _oldest(self, uid: str) -> str | None:
        """The study's run; further ones, made when MLflow said that there was none, are deleted."""
        query, order = f"tags.`ockham.uid` = '{uid}'", ["attributes.start_time ASC"]
        runs = [run.info.run_id for run in self._client.search_runs([self._experiment], query, order_by=order)]
        for further in runs[1:]:
            self._client.delete_run(further)
        return str(runs[0]) if runs else None

    def _restore_run(self, uid: str) -> str | None:
        """The study's run that someone deleted in MLflow: its trials hang on it, so it comes back, not another one."""
        from mlflow.entities import ViewType

        query = f"tags.`ockham.uid` = '{uid}'"
        deleted = self._client.search_runs([self._experiment], query, ViewType.DELETED_ONLY, max_results=1)
        if not deleted:
            return None
        self._client.restore_run(deleted[0].info.run_id)
        return str(deleted[0].info.run_id)

    def _make(self, name: str, tags: Mapping[str, str], start_ms: int | None = None) -> str:
        run = self._client.create_run(self._experiment, run_name=name, tags=dict(tags), start_time=start_ms)
        if not run.info.run_id:
            raise RuntimeError("MLflow made a run and did not say which")
        return str(run.info.run_id)

    def _log(
        self,
        run_id: str,
        *,
        metrics: "Sequence[Metric]" = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        from mlflow.entities import Param, RunTag

        pairs = [Param(name, value) for name, value in cut(params or {}, _LONGEST_PARAM).items()]
        labels = [RunTag(name, value) for name, value in cut(tags or {}, _LONGEST_TAG).items()]
        while metrics or pairs or labels:
            self._client.log_batch(
                run_id,
                metrics=metrics[: _METRICS_A_CALL - 2 * _PARAMS_A_CALL],
                params=pairs[:_PARAMS_A_CALL],
                tags=labels[:_PARAMS_A_CALL],
            )
            metrics = metrics[_METRICS_A_CALL - 2 * _PARAMS_A_CALL :]
            pairs, labels = pairs[_PARAMS_A_CALL:], labels[_PARAMS_A_CALL:]
