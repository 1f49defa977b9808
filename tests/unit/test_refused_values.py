"""What MLflow refuses for good is set aside, one value at a time, and kept; what a proxy refuses waits."""

import http.server
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from study.cli import main
from study.ledger import Ledger
from study.tracking.delivering import Publisher
from tests.integration.driving import runs, store
from tests.studies_for_tests import a_ledger
from trainables.record import Record

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")]
ODD = "odd|name"


class Said(list[tuple[str, str]]):
    """What a publisher tells its driver."""

    def __call__(self, event: str, text: str) -> None:
        self.append((event, text))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Two trials that ended, one with a metric whose name MLflow takes from nobody."""
    made = a_ledger(tmp_path, proposals=2)
    for number, name in enumerate((ODD, "train/loss")):
        attempt = made.start_attempt(number)
        made.record(number, attempt, [Record("dense", 1, {name: 0.5, "train/accuracy": 0.9})])
        made.finish(number, attempt, "COMPLETE")
    yield made
    made.close()


def test_one_odd_value_is_set_aside_and_all_others_arrive(ledger: Ledger, tmp_path: Path) -> None:
    said = Said()
    assert Publisher(ledger, said).end("FINISHED", {}, None)
    first, second = runs(store(tmp_path), "tiny")
    assert (first.info.status, first.data.metrics) == ("FINISHED", {"train/accuracy": 0.9})
    assert first.data.params["model.width"] == "16"
    assert (second.info.status, second.data.metrics) == ("FINISHED", {"train/loss": 0.5, "train/accuracy": 0.9})
    assert ledger.outbox_size() == 0
    assert [(number, one.what) for number, values in ledger.refused_values().items() for one in values] == [
        (0, f"metric {ODD} at step 1")
    ]
    assert next(text for event, text in said if event == "aside").startswith(f"MLflow refuses metric {ODD} at step 1")
    again = Said()
    assert Publisher(ledger, again).end("FINISHED", {}, None)
    assert again == [], "what is set aside is no reason to tell the trial again"


def test_a_run_that_lacks_a_metric_is_told_again(ledger: Ledger, tmp_path: Path) -> None:
    assert Publisher(ledger, Said()).end("FINISHED", {}, None)
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        for table in ("metrics", "latest_metrics"):
            connection.execute(f"DELETE FROM {table} WHERE key = 'train/loss'")
    connection.close()
    said = Said()
    assert Publisher(ledger, said).end("FINISHED", {}, None)
    assert [event for event, _ in said] == ["again"]
    second = runs(store(tmp_path), "tiny")[1]
    assert second.data.metrics == {"train/loss": 0.5, "train/accuracy": 0.9}


def test_who_refuses_everything_proves_nothing(ledger: Ledger) -> None:
    """A proxy that answers a plain 400 to whatever it is asked."""

    class Proxy(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.send_response(400)
            self.send_header("Content-Length", "11")
            self.end_headers()
            self.wfile.write(b"Bad Request")

        do_GET = do_POST = answer

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    before, said = ledger.outbox_size(), Said()
    run = ledger.config.run.model_copy(update={"tracking_uri": f"http://127.0.0.1:{server.server_address[1]}"})
    ledger.config = ledger.config.model_copy(update={"run": run})
    try:
        assert not Publisher(ledger, said).end("FINISHED", {}, None)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert [event for event, _ in said] == ["trouble"]
    assert "MLflow does not take results" in said[0][1]
    assert (ledger.outbox_size(), ledger.refused_values()) == (before, {})


def test_a_damaged_store_is_named_with_what_puts_another_in_its_place(ledger: Ledger, tmp_path: Path) -> None:
    assert Publisher(ledger, Said()).end("FINISHED", {}, None)
    with sqlite3.connect(tmp_path / "mlflow.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    os.truncate(tmp_path / "mlflow.db", 60_000)
    said = Said()
    assert not Publisher(ledger, said).end("FINISHED", {}, None)
    assert [event for event, _ in said] == ["trouble"]
    assert said[0][1].startswith(f"MLflow's store in {tmp_path} is damaged (mlflow.db")
    assert f"ockham doctor tiny --home {tmp_path} --mend" in said[0][1]
    ledger.release()
    assert main(["doctor", "tiny", "--mend", "--home", str(tmp_path)]) == 0
    assert not (tmp_path / "mlflow.db").exists(), "the next run fills a new one, as where it is gone"
    assert list(tmp_path.glob("mlflow.db.damaged-*"))
