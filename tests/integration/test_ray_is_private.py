"""A local Ray is this machine's and this user's only: it listens on the loopback interface and asks for a token."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.strangers import as_nobody, public_folder, root_only

pytestmark = pytest.mark.slow

# Ray is imported first, as by the driver's own modules: it then no longer reads the environment.
LISTENS = """
import os, signal, sys
from pathlib import Path
import psutil
import study.execution.on_ray.reporting
from study.config import RunConfig
from study.execution.on_ray.session import ray_session
from study.settings.cluster import check_cluster

assert "ray" in sys.modules
heard = lambda *_: print("heard", file=sys.stderr)
signal.signal(signal.SIGTERM, heard)
with ray_session(RunConfig(home=Path(sys.argv[1]))) as session:
    assert signal.getsignal(signal.SIGTERM) is heard  # Ray has one too, which ends the process wherever it is
    assert "RAY_gcs_rpc_server_reconnect_timeout_s" not in os.environ  # or a notebook's other Ray had it too
    import ray
    address = ray.get_runtime_context().gcs_address
    check_cluster(RunConfig(address=address))
    print(address, session.results)
    ours = psutil.Process()
    for process in (ours, *ours.children(recursive=True)):
        for connection in process.net_connections(kind="inet"):
            if connection.status == psutil.CONN_LISTEN:
                print(process.name(), connection.laddr.ip, connection.laddr.port)
    print("that is all", flush=True)
    sys.stdin.readline()
os.kill(os.getpid(), signal.SIGTERM)  # is heard, not died of, when Ray has gone
"""

STRANGER = "import sys, ray; ray.init(address=sys.argv[1])"


@pytest.fixture(scope="module")
def session() -> Iterator[tuple[Path, list[str]]]:
    """A running Ray: its home, and what it says: its address and folder of results, then a line for each socket."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with public_folder() as home:
        running = subprocess.Popen(
            [sys.executable, "-c", LISTENS, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert running.stdout is not None
        said: list[str] = []
        while (line := running.stdout.readline().strip()) != "that is all":
            assert line, f"it ended after {said}"
            said.append(line)
        yield home, said
        running.communicate("\n", timeout=120)
        assert running.returncode == 0
        assert not list(home.glob(".ray/*"))
        assert not Path(said[0].split()[1]).parent.exists()


def test_listens_on_loopback_and_refuses_who_has_no_token(session: tuple[Path, list[str]]) -> None:
    (address, _), *listening = (line.split() for line in session[1])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    stranger_on_this_machine = {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "0" * 64,
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else Ray looks for 127.0.0.1 on the outward interface, in vain
    }
    stranger = subprocess.run(
        [sys.executable, "-c", STRANGER, address],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
        env=environment | stranger_on_this_machine,
    )
    assert "gcs_server" in {name for name, *_ in listening}
    assert {socket[-2] for socket in listening} <= {"127.0.0.1", "::ffff:127.0.0.1", "::1"}
    assert stranger.returncode != 0, "a stranger's token was accepted"
    assert "nauthenticated" in stranger.stderr or "AuthenticationError" in stranger.stderr, stranger.stderr


# Everything under the home that a stranger can reach and write to, and what becomes of Ray's folder when he tries to
# move it away and put his own in its place.
INTRUDER = """
reached = [folder for folder, _, _ in os.walk(arguments[0]) if os.access(folder, os.W_OK)]
results = Path(arguments[1])
result = {"writable": reached, "moved": tried(lambda: results.rename(results.with_name("theirs")))}
"""


@root_only
def test_no_other_user_gets_into_rays_folders(session: tuple[Path, list[str]]) -> None:
    """Ray makes them writable for everybody; he who writes there could overwrite this user's files, or run code."""
    home, said = session
    open_to_all = [path for path in home.rglob("*") if path.is_dir() and path.stat().st_mode & 0o002]
    outcome = as_nobody(INTRUDER, home, said[0].split()[1])
    assert open_to_all, "Ray is more careful now: this test no longer shows anything"
    assert outcome == {"writable": [], "moved": "PermissionError"}
