"""MLflow's server as one process behind a `Guard`: python -m study.tracking.guarded_server HOST PORT ARTIFACTS

The backend store, the token and the ticket are in the environment, for everyone can read a command line.

It is MLflow's own application. What `mlflow server` starts beside it (a process for each worker, a job runner with its
helpers) is left out, and so are artifacts outside the store's own folder: an experiment can name any place, and the
server would read and write there as its user.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from study.tracking.token import VARIABLE

TICKET, LANDING = "OCKHAM_TICKET", "OCKHAM_LANDING"
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "GIT_PYTHON_REFRESH": "quiet",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


@dataclass(frozen=True)
class Settings:
    """What the server serves, and to whom.

    Attributes:
        store: MLflow's backend store, a database's URL.
        artifacts: Where artifacts lie, a path or URI; nothing outside is read or written.
        token, ticket, landing: See `Guard`.
    """

    store: str
    artifacts: str
    host: str
    port: int
    token: str
    ticket: str = ""
    landing: str = "/"

    @classmethod
    def from_process(cls, arguments: list[str], environment: Mapping[str, str]) -> Self:
        """The settings that the process was started with."""
        host, port, artifacts = arguments
        store, token = environment["MLFLOW_BACKEND_STORE_URI"], environment[VARIABLE]
        if not token:
            raise ValueError(f"{VARIABLE} is empty: everybody would be let in")
        return cls(store, artifacts, host, int(port), token, environment.get(TICKET, ""), environment.get(LANDING, "/"))


def serve(settings: Settings) -> None:
    """Serves until the process is told to end."""
    import uvicorn
    from mlflow.server import constants, handlers

    os.environ |= {
        constants.BACKEND_STORE_URI_ENV_VAR: settings.store,
        constants.REGISTRY_STORE_URI_ENV_VAR: settings.store,
        constants.ARTIFACT_ROOT_ENV_VAR: "mlflow-artifacts:/",
        constants.ARTIFACTS_DESTINATION_ENV_VAR: settings.artifacts,
        constants.SERVE_ARTIFACTS_ENV_VAR: "true",
    }
    keep_inside(settings.artifacts, handlers)
    handlers.initialize_backend_stores(settings.store, settings.store, "mlflow-artifacts:/")
    from mlflow.server.fastapi_app import app

    from study.tracking.guard import Guard

    guarded = Guard(app, settings.token, settings.ticket, settings.landing)
    uvicorn.run(guarded, host=settings.host, port=settings.port, log_level="warning", access_log=False)


def keep_inside(root: str, handlers: Any) -> None:
    """Has MLflow's handlers refuse every artifact location outside `root`, new ones and those in the store."""
    from mlflow.exceptions import MlflowException
    from mlflow.protos.databricks_pb2 import PERMISSION_DENIED

    repository, validate = handlers.get_artifact_repository, handlers._validate_storage_location_uri

    def require_inside(location: str) -> None:
        if not is_inside(location, root):
            raise MlflowException(f"{location} lies outside this server's artifacts", error_code=PERMISSION_DENIED)

    def repository_inside(location: str, *more: Any, **options: Any) -> Any:
        require_inside(location)
        return repository(location, *more, **options)

    def validate_inside(location: str, field: str) -> Any:
        require_inside(location)
        return validate(location, field)

    handlers.get_artifact_repository, handlers._validate_storage_location_uri = repository_inside, validate_inside


def is_inside(location: str, root: str) -> bool:
    """Whether an artifact location is `root` or below it, links followed; what the server itself serves always is."""
    parts = urlsplit(location)
    if parts.scheme == "mlflow-artifacts":
        return True
    ours, theirs = _local(root), _local(location)
    if ours is None or theirs is None:
        return (ours is None) is (theirs is None) and ".." not in parts.path and f"{location}/".startswith(f"{root}/")
    return theirs.resolve().is_relative_to(ours.resolve())


def _local(place: str) -> Path | None:
    parts = urlsplit(place)
    if parts.scheme not in ("", "file"):
        return None
    return Path(unquote(parts.path)) if parts.scheme else Path(place)


if __name__ == "__main__":
    os.environ |= _QUIET
    serve(Settings.from_process(sys.argv[1:], os.environ))
