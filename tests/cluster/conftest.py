"""The cluster of the tests in this folder, brought up once by `ray up` from a laptop, taken down by `ray down`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import lab, missing
from tests.cluster.machines import FILE, NAMES, Machines, active_nodes, fetch_packages, prepare, until


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """Four machines with a running Ray cluster on three of them; skips where they can't be made.

    What the commands printed is left in the folder $OCKHAM_CLUSTER_LOGS, if set.
    """
    if reason := missing():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="ockham-lab-"))
    fetching = fetch_packages(folder)
    try:
        with lab(NAMES, folder) as hosts:
            built = prepare(hosts, folder, fetching)
            for host in (built.head, *built.workers):
                built.close_ports(host)
            built.command("ray get-auth-token --generate > /dev/null && chmod 600 ~/.ray/auth_token", 60)
            built.command(f"ray up {FILE} --yes --no-config-cache", 420)
            until(lambda: active_nodes(built.on_head("ray status")) == 3, 300, "three nodes in the cluster")
            yield built
        for session in built.sessions:  # ended with the laptop
            session.wait(timeout=20)
    finally:
        fetching.kill()
        fetching.wait()
        if kept := os.environ.get("OCKHAM_CLUSTER_LOGS"):
            for log in folder.glob("*.log"):
                shutil.copy(log, kept)
        shutil.rmtree(folder, ignore_errors=True)
