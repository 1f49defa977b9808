"""One engine per ledger: SQLite in WAL mode, or PostgreSQL.

Writers take the study's lock before they read anything: `BEGIN IMMEDIATE` on SQLite (a plain begin takes no snapshot
there, so a check made inside it could be outdated by the time of the write), the lease row `FOR UPDATE` on PostgreSQL.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from study.errors import UsageError
from study.ledger import intact, migrations, schema
from study.ledger.read_only import readable
from study.passwords import mask_passwords

BUSY_S = 30.0
CONNECTIONS = 8  # to a PostgreSQL server, of one study
_NETWORK_FILESYSTEMS = {"nfs", "nfs3", "nfs4", "cifs", "smb", "smb2", "smb3", "smbfs", "afs", "afpfs", "beegfs"} | {
    *("ceph", "davfs", "glusterfs", "lustre", "gpfs", "pvfs2", "orangefs", "9p")
}
_NETWORK_FUSE = (
    "sshfs",
    "s3fs",
    "gcsfuse",
    "mountpoint-s3",
    "mount-s3",
    "glusterfs",
    "ceph",
    "rclone",
    "goofys",
    "blobfuse",
)


def connect(url: str, *, create: bool) -> Engine:
    """An engine for the ledger at `url`.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/database`.
        create: Make the directory and the tables if they are not there.
    Raises:
        UsageError: The URL is unusable, the database does not answer or is none, the file lies on a network file
            system, a newer version wrote the tables, or a driver of an older one is at work.
        Damaged: The files of the database have lost something.
        FileNotFoundError: Nothing there, and `create` is false.
    """
    safe_url = mask_passwords(url)
    try:
        address = make_url(url)
        kind = address.get_backend_name()
        if kind == "sqlite":
            engine = _sqlite(address.database, create=create)
        elif kind == "postgresql":
            engine = _postgresql(url)
        else:
            raise UsageError(f"--ledger {safe_url}: use sqlite:///FILE or postgresql://USER@HOST/DATABASE, not {kind}")
    except UsageError:
        raise
    except (ArgumentError, ValueError) as error:  # what its query says is read when the engine is made
        raise UsageError(f"--ledger {safe_url}: {mask_passwords(str(error))}") from None
    with closed_on_error(engine):
        try:
            _tables(engine, create=create)
            if create and kind == "postgresql":
                _require_connections(engine, safe_url)
        except DBAPIError as error:
            why = (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]
            raise UsageError(
                f"the ledger {safe_url} can't be opened ({why}); set it right, or give another --ledger"
            ) from None
    return engine


@contextmanager
def closed_on_error(engine: Engine) -> Iterator[None]:
    """Leaves no connection open behind an error."""
    try:
        yield
    except BaseException:
        engine.dispose()
        raise


def optuna_url(url: str) -> str:
    """`url` with the driver named, as Optuna's storage has to be given it."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    return address.render_as_string(hide_password=False)


@contextmanager
def writing(engine: Engine, *, exclusive: bool = False, durable: bool = False) -> Iterator[Connection]:
    """A transaction that holds SQLite's write lock from its first statement on (see `lease.lock` for PostgreSQL).

    Args:
        engine: Of the ledger.
        exclusive: Alone on PostgreSQL as well: to make tables and studies, before there is a row to lock.
        durable: On SQLite, wait until it and all before it is on the disk, beyond the reach of a power cut: one sync a
            trial, where one a commit would cost a quarter of what a short trial takes. PostgreSQL always does.
    """
    with engine.connect().execution_options(ockham_write=True, ockham_durable=durable) as connection:
        _begin(connection)
        try:
            if exclusive and engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(7230451)"))
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def network_filesystem(path: Path) -> str | None:
    """Type of the network file system that holds `path` (which need not exist), None if the disk is local."""
    path = path.absolute()
    mounts = [m for m in psutil.disk_partitions(all=True) if path.is_relative_to(m.mountpoint)]
    if not mounts:
        return None
    deepest = max(mounts, key=lambda mount: len(Path(mount.mountpoint).parts))
    kind = deepest.fstype.lower()
    network = kind in _NETWORK_FILESYSTEMS or (kind.startswith("fuse") and any(name in kind for name in _NETWORK_FUSE))
    return deepest.fstype if network else None


def _sqlite(database: str | None, *, create: bool) -> Engine:
    if not database or database == ":memory:" or database.startswith("file:"):
        raise UsageError("the ledger must be a file that outlives the process, e.g. sqlite:////home/me/study.db")
    path = Path(database).absolute()
    if kind := network_filesystem(path.parent.resolve()):
        raise UsageError(
            f"{path} lies on a network file system ({kind}), where SQLite loses data; "
            "choose a local --home, or give --ledger postgresql://…"
        )
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise FileNotFoundError(path)
    if path.exists() and (path.stat().st_size or not create):
        intact.check(path)
    elsewhere = path if create else readable(path)
    engine = create_engine(
        URL.create("sqlite", database=str(elsewhere)), connect_args={"timeout": BUSY_S}, pool_size=4, max_overflow=16
    )
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begin if elsewhere == path else partial(_refuse_to_write, path))
    event.listen(engine, "handle_error", lambda context: intact.translate(context, path), retval=True)
    return engine


def _sqlite_connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # else the driver begins on its own, too late and without the lock
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        _retry(lambda: connection.execute("PRAGMA journal_mode=WAL").fetchone())
    connection.execute("PRAGMA synchronous=NORMAL")


def _sqlite_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    immediate, info = options.get("ockham_write"), connection.connection.info
    level = "FULL" if options.get("ockham_durable") else "NORMAL"
    if immediate and info.get("synchronous") != level:
        connection.exec_driver_sql(f"PRAGMA synchronous={level}")
        info["synchronous"] = level
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _refuse_to_write(path: Path, connection: Connection) -> None:
    if connection.get_execution_options().get("ockham_write"):
        raise UsageError(f"{path.parent} can't be written by you; what is there can be read only")
    connection.exec_driver_sql("BEGIN")


def _retry(call: Any) -> Any:
    """Switching to WAL ignores the busy timeout, so two processes that open a fresh file would crash one."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            return call()
        except Exception as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def _begin(connection: Connection) -> None:
    deadline = time.monotonic() + 4 * BUSY_S
    while True:
        try:
            connection.begin()
            return
        except OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise


def _postgresql(url: str) -> Engine:
    try:
        return create_engine(optuna_url(url), pool_pre_ping=True, pool_size=4, max_overflow=16)
    except ModuleNotFoundError:
        raise UsageError("--ledger: PostgreSQL needs a driver; pip install 'ockham[postgresql]'") from None


def _require_connections(engine: Engine, shown: str) -> None:
    """A study that gets too few would wait for minutes, and end without the reason."""
    query = "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    with engine.connect() as connection:
        limit = int(connection.execute(text(query)).scalar_one())
    if limit < CONNECTIONS:
        raise UsageError(
            f"the ledger {shown} takes {limit} connections at once, and a study needs up to {CONNECTIONS} (driver, "
            f"publisher, Optuna's tables); raise max_connections in postgresql.conf, or give another --ledger"
        )


def _tables(engine: Engine, *, create: bool) -> None:
    with engine.connect() as connection:
        version = _version(connection)
    if version is None and create:
        with writing(engine, exclusive=True) as connection:
            schema.metadata.create_all(connection)
            version = _version(connection)
            if version is None:
                connection.execute(schema.meta.insert().values(key="schema_version", value=str(schema.SCHEMA_VERSION)))
                version = schema.SCHEMA_VERSION
    if version is None:
        raise FileNotFoundError(engine.url.render_as_string())
    if version > schema.SCHEMA_VERSION:
        raise UsageError(
            f"{engine.url.render_as_string()} was written by a newer Ockham (ledger schema {version}, this one knows "
            f"{schema.SCHEMA_VERSION}); use that version, or a newer one"
        )
    if version < schema.SCHEMA_VERSION:
        with writing(engine, exclusive=True) as connection:
            migrations.upgrade(connection, _version(connection) or version)


def _version(connection: Connection) -> int | None:
    if not connection.dialect.has_table(connection, schema.meta.name):
        return None
    value = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == "schema_version")).scalar()
    return None if value is None else int(value)
