"""A Ray that can't be joined is said at once, before anything is made."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server, socket

import pytest

import study
from study.cli import main
from study.config import RunConfig
from study.errors import UsageError
from study.ledger import Ledger
from study.settings import cluster
from study.settings.cluster import check_cluster
from tests.studies_for_tests import a_study

GRPC = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # an empty frame of settings


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("127.0.0.1:{unused}", "no Ray listens there (Connection refused)"),
        ("ray://127.0.0.1:{unused}", "no Ray listens there (Connection refused)"),
        ("127.0.0.1", "it names no port"),
        (":6379", "it names no host"),
        ("127.0.0.1:66666", "Port out of range"),
        ("[::1", "Invalid IPv6 URL"),
    ],
)
def test_nowhere_is_refused_and_nothing_is_left(
    address: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home, address = tmp_path / "home", address.format(unused=_unused_port())
    assert main(["launch", "--name", "new", "--home", str(home), "--address", address]) == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert f"--address {address}: {said}" in shown
    assert "--address local" in shown
    assert not home.exists()


def test_so_are_addresses_of_files_of_ledgers_of_dry_runs_and_of_python(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = f"127.0.0.1:{_unused_port()}"
    file = tmp_path / "mine.yaml"
    file.write_text(f"trials: 2\nrun: {{address: '{address}'}}\n")
    old = a_study(tmp_path, run={"address": address})
    Ledger.create(old.ledger_url, old).close()
    here = ["--home", str(tmp_path)]
    for command in (["launch", str(file), "--trust"], ["launch", str(file), "--trust", "--dry-run"]):
        assert main([*command, *here]) == 2
    assert main(["resume", old.name, "--trust", *here]) == 2
    assert " ".join(capsys.readouterr().err.split()).count("no Ray listens there") == 3
    with pytest.raises(UsageError, match="no Ray listens there"):
        study.launch("redundancy", name="other", address=address, home=tmp_path)
    assert not [name for name in ("mine", "other") if (tmp_path / name).exists()]


@pytest.mark.parametrize(
    ("answer", "refused"),
    [(GRPC, False), (b"HTTP/1.1 400 Bad Request\r\n", True), (b"-ERR\r\n", True), (b"", True), (None, True)],
)
def test_whoever_listens_is_asked_whether_it_speaks_as_ray_does(
    answer: bytes | None, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if answer is None:
        monkeypatch.setattr(cluster, "_PATIENCE_S", 0.1)
    with _listening(answer) as place:
        for address in (place, f"ray://{place}"):
            if refused:
                with pytest.raises(UsageError, match=f"what listens at {place} is no Ray"):
                    check_cluster(RunConfig(address=address))
            else:
                check_cluster(RunConfig(address=address))
        monkeypatch.setenv("RAY_USE_TLS", "1")
        check_cluster(RunConfig(address=place))


def test_a_plug_in_of_ray_finds_its_clusters_itself() -> None:
    check_cluster(RunConfig(address="anyscale://mine"))


def test_local_takes_back_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCKHAM_ADDRESS", "10.0.0.1:6379")
    assert RunConfig().address == "10.0.0.1:6379"
    assert RunConfig(address="local").address is None


def _unused_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _listening(answer: bytes | None) -> Iterator[str]:
    """Whoever connects is told `answer`, and left; or not answered at all."""
    left: list[socket] = []

    def serve() -> None:
        while True:
            try:
                caller, _ = server.accept()
            except OSError:  # closed
                return
            if answer is None:
                left.append(caller)
                continue
            with caller:
                caller.recv(64)
                caller.sendall(answer)

    with create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(2)
            thread.join()
            for caller in left:
                caller.close()
