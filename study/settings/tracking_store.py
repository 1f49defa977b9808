"""A tracking store that can't be reached is said before anything starts; one that goes away later never hurts."""

import difflib
import ssl
import urllib.error
import urllib.request
from importlib import metadata
from pathlib import Path

from study.config import RunConfig
from study.errors import UsageError
from study.passwords import mask_passwords

_PATIENCE_S = 5.0
_SERVERS = ("http", "https")
_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")
_OTHERS = ("file", "databricks", "databricks-uc", "uc")
_ASKED = "/api/2.0/mlflow/experiments/search?max_results=1"


def check_tracking_store(run: RunConfig) -> None:
    """Asks the store, if it is not the home's own, for a sign of life.

    Raises:
        UsageError: It gives none within five seconds, or its address is none. Not with `run.offline`.
    """
    uri = run.tracking_uri
    if uri is None or run.offline:
        return
    scheme = uri.partition(":")[0].partition("+")[0] if ":" in uri else ""
    if scheme in _SERVERS:
        why = _server_is_missing(uri)
    elif scheme in _DATABASES:
        why = _database_is_missing(uri)
    else:
        why = _unknown_scheme(scheme)
    if why:
        raise UsageError(
            f"--tracking-uri {mask_passwords(uri)}: {why}. Set it right, leave it out to keep runs in the home, or "
            "add --offline: what MLflow would be told waits in the ledger, and a later ockham resume sends it"
        )


def _server_is_missing(uri: str) -> str:
    """Why the server can't be used, "" if it answers."""
    try:
        with urllib.request.urlopen(_without_user(uri).rstrip("/") + _ASKED, timeout=_PATIENCE_S):  # noqa: S310
            return ""
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 405, 501):
            return f"something answers there (HTTP {error.code}) that is no MLflow server"
        return f"the server answers HTTP {error.code}" if error.code >= 500 else ""
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLError):  # it is there; whom to trust is set for MLflow's client
            return ""
        return f"the server does not answer ({getattr(error.reason, 'strerror', None) or error.reason})"
    except (OSError, ValueError) as error:
        return f"the server does not answer ({error})"


def _without_user(uri: str) -> str:
    """Whether it is there is asked without the password, which only MLflow's client sends."""
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _database_is_missing(uri: str) -> str:
    from sqlalchemy import create_engine, make_url
    from sqlalchemy.exc import SQLAlchemyError

    try:
        url = make_url(uri)
        if url.get_backend_name() == "sqlite":
            return _file_is_missing(url.database)
        patience = {} if url.get_backend_name() == "mssql" else {"connect_timeout": int(_PATIENCE_S)}
        engine = create_engine(url, connect_args=patience)
    except (SQLAlchemyError, ModuleNotFoundError, ImportError) as error:
        return f"{error}".splitlines()[0].rstrip(".")
    try:
        engine.connect().close()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        return f"the database does not answer ({said[0] if said else type(error).__name__})"
    finally:
        engine.dispose()
    return ""


def _file_is_missing(database: str | None) -> str:
    if not database or database == ":memory:":
        return "it must be a file that outlives the process, e.g. sqlite:////home/me/mlflow.db"
    folder = Path(database).absolute().parent
    return "" if folder.is_dir() else f"there is no folder {folder}"


def _unknown_scheme(scheme: str) -> str:
    plugins = [entry.name for entry in metadata.entry_points(group="mlflow.tracking_store")]
    known = [*_SERVERS, *_DATABASES, *_OTHERS, *plugins]
    if not scheme or scheme in known:
        return ""
    close = difflib.get_close_matches(scheme, known, n=1)
    hint = f"did you mean {close[0]}://? " if close else ""
    return (
        f"{scheme!r} is no kind of address that MLflow knows; {hint}write http://HOST:PORT, sqlite:///FILE or another"
    )
