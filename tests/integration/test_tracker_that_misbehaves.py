"""A server that answers oddly, in the middle of it all or for ever, ends up with everything that it takes."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from study.ledger import Ledger
from study.tracking.delivering import FILE_TRIES, Publisher
from tests.torture import tracker
from tests.torture.faults import FAULTS, PassOn
from tests.torture.snapshot import Snapshot, differences, tracked
from tests.torture.tracking import Fault, Proxy, Server, answer

pytestmark = [pytest.mark.slow, pytest.mark.ends]
REFUSED = 413, b"<html>413 Request Entity Too Large</html>"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    found = Proxy(Server(tmp_path_factory.mktemp("server")))
    with tracker.impatient_client():
        yield found
    found.close()
    found.server.kill()


@pytest.fixture(scope="module")
def calm(proxy: Proxy, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """What the study leaves there when nothing is wrong."""
    return tracker.published(tmp_path_factory.mktemp("calm"), "calm", proxy, lambda: None)[0]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_study_is_told_whole_whatever_answers_in_between(
    kind: str, proxy: Proxy, calm: Snapshot, tmp_path: Path
) -> None:
    found, said = tracker.published(tmp_path, kind, proxy, tracker.spell(kind, 0))
    assert differences(calm, found) == [], said


def only(part: str, status: int) -> Fault:
    """Refuses the requests to one place, and passes on the others."""

    def refuse(handler: BaseHTTPRequestHandler, pass_on: PassOn) -> None:
        answer(handler, (status, REFUSED[1]) if part in handler.path else pass_on(), "application/json")

    return refuse


def test_results_are_told_where_no_files_are_taken(proxy: Proxy, calm: Snapshot, tmp_path: Path) -> None:
    """A proxy with a limit for uploads, a store of files that asks for a password: neither has to do with results."""
    said: list[str] = []
    config = tracker._config(tmp_path, "fileless", proxy.uri)
    ledger = Ledger.create(config.ledger_url, config)
    ledger.acquire()
    publisher = Publisher(ledger, lambda event, text: said.append(f"{event}: {text}"))
    proxy.fault = lambda: only("mlflow-artifacts", 413)
    try:
        for _ in tracker._work(ledger):
            publisher.round()
        ends = [publisher.end("FINISHED", {}, None) for _ in range(FILE_TRIES)]
        assert ends == [False] * (FILE_TRIES - 1) + [True]
        assert [line for line in said if line.startswith("aside: MLflow takes the results and no files (")] == said
        assert len(said) == 1
        told = tracked(proxy.server.store, ledger)
        assert differences({key: value for key, value in calm.items() if not key.startswith("ledger/")}, told) == []
    finally:
        proxy.fault = lambda: None
        ledger.close()


def test_a_server_that_refuses_all_batches_proves_nothing_about_their_values(
    proxy: Proxy, calm: Snapshot, tmp_path: Path
) -> None:
    refuse, made = only("log-batch", 400), 0

    def fault() -> Fault | None:
        """From the first trial's run on, which is the second that is made, and until the driver gives up."""
        return refuse if made > 1 else watch

    def watch(handler: BaseHTTPRequestHandler, pass_on: PassOn) -> None:
        nonlocal made
        answer(handler, pass_on())
        made += handler.path.endswith("runs/create")

    found, said = tracker.published(tmp_path, "unbatched", proxy, fault)
    assert any("does not take results" in line for line in said), said
    assert not any("for good" in line for line in said), said
    assert differences(calm, found) == [], said
