"""The tables of the ledger. Every key starts with the study's name, so that one PostgreSQL database holds many."""

from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, false

SCHEMA_VERSION = 6
SEAL = "seal"  # a checksum of the row, see study.ledger.sealing; null: written by an earlier version
# What the database numbers, what any process may change (a request to stop), what is found again (a run, by its uid).
UNSEALED = frozenset({SEAL, "id", "stop", "mlflow_run_id"})

metadata = MetaData()


def _key(name: str, kind: Integer | String | None = None) -> Column[Any]:
    return Column(name, kind or Integer(), primary_key=True, autoincrement=False)


def _seal() -> Column[Any]:
    return Column(SEAL, String(16))


meta = Table("ockham_meta", metadata, _key("key", String(128)), Column("value", Text, nullable=False))

studies = Table(
    "ockham_studies",
    metadata,
    _key("study", String(128)),
    Column("uid", String(32), nullable=False),  # tells a study from a deleted one of the same name
    Column("identity", Text, nullable=False),  # JSON, as first launched
    Column("config", Text, nullable=False),  # JSON of the latest StudyConfig: same identity, latest budget and run
    Column("stop", String(8), nullable=False),  # what was asked of the driver: nothing (""), now, drain
    Column("created_ms", BigInteger, nullable=False),
    _seal(),
)

leases = Table(
    "ockham_leases",
    metadata,
    _key("study", String(128)),
    Column("fence", Integer, nullable=False),  # grows by one with every holder
    Column("held", Boolean, nullable=False),
    Column("heartbeat", BigInteger, nullable=False),  # a counter, not a time
    Column("holder", Text, nullable=False),  # JSON of study.ledger.holder.Holder
    Column("since_ms", BigInteger, nullable=False),
)

trials = Table(
    "ockham_trials",
    metadata,
    _key("study", String(128)),
    _key("number"),
    Column("state", String(16), nullable=False),
    Column("role", String(16), nullable=False),
    Column("proposed", Text, nullable=False),  # JSON: spanned name → value
    Column("params", Text, nullable=False),  # JSON: TrialConfig.flat(), frozen against later changes of defaults
    Column("fingerprint", String(16), nullable=False),
    Column("seen", Text),  # trials an adaptive sampler had been told, see study.config.seen
    Column("uid", String(200), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("charged", Integer, nullable=False),  # attempts that ended in a worker death held against the trial
    Column("metrics", Text),  # JSON, merged when the trial ended
    Column("notes", Text),
    Column("error", Text),
    Column("traceback", Text),
    Column("duration_s", Float),
    Column("created_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("mlflow_run_id", String(64)),
    Column("added", Boolean, nullable=False, server_default=false()),  # put into the queue by hand
    _seal(),
    Column("cell", String(32)),  # the dense cell, whose networks the trial compresses; null: keyed by its number
)
Index("ockham_trials_by_state", trials.c.study, trials.c.state, trials.c.number)

attempts = Table(
    "ockham_attempts",
    metadata,
    _key("study", String(128)),
    _key("number"),
    _key("attempt"),
    Column("fence", Integer, nullable=False),
    Column("started_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("outcome", String(16)),  # a final state, or: requeued, charged
    _seal(),
)

steps = Table(
    "ockham_steps",
    metadata,
    _key("study", String(128)),
    _key("number"),
    _key("stage", String(128)),
    _key("step"),
    Column("attempt", Integer, nullable=False),  # the newest that reported this step
    Column("metrics", Text, nullable=False),
    Column("notes", Text, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),  # when first recorded; replays keep it
    _seal(),
)

files = Table(  # results that lie in files of the study's folder
    "ockham_files",
    metadata,
    _key("study", String(128)),
    _key("name", String(200)),  # relative to the folder, e.g. trials/0007/networks.parquet
    Column("number", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
)

added = Table(  # configurations that someone put into the queue and no driver has taken yet
    "ockham_added",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("study", String(128), nullable=False),
    Column("params", Text, nullable=False),  # JSON: dotted name → value
)

inputs = Table(  # what trials read from files, as it was when the study was launched
    "ockham_inputs",
    metadata,
    _key("study", String(128)),
    _key("key", String(32)),  # digest of the name, which may be longer than a key can be
    Column("content", Text, nullable=False),  # JSON: name (data.name=mnist, compression.ticket=…), file → digest
)

outbox = Table(
    "ockham_outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("study", String(128), nullable=False),
    Column("number", Integer, nullable=False),
    Column("kind", String(8), nullable=False),  # start, step, end
    Column("payload", Text, nullable=False),
    Column("recorded_ms", BigInteger, nullable=False),
    _seal(),
    sqlite_autoincrement=True,  # ids never come back, so a late `delivered` can't delete another row
)
Index("ockham_outbox_by_study", outbox.c.study, outbox.c.id)
