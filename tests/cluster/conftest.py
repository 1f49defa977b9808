"""The cluster of the tests in this folder, brought up once by `ray up` from a laptop, taken down by `ray down`."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.hosts import lab, missing
from tests.cluster.machines import FILE, NAMES, Machines, active_nodes, prepare, until


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    """Four machines with a running Ray cluster on three of them; skips where they can't be made."""
    if reason := missing():
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="ockham-lab-"))
    try:
        with lab(NAMES, folder) as hosts:
            built = prepare(hosts, folder)
            for host in (built.head, *built.workers):  # what the guide tells an administrator to do
                rules = built.laptop.home / "ockham/infra/firewall.nft"
                shutil.copy(rules, host.home / "firewall.nft")
                assert host.run("nft -f ~/firewall.nft").returncode == 0
            built.command("ray get-auth-token --generate > /dev/null && chmod 600 ~/.ray/auth_token", 60)
            built.command(f"ray up {FILE} --yes --no-config-cache", 240)
            until(lambda: active_nodes(built.on_head("ray status")) == 3, 180, "three nodes in the cluster")
            yield built
    finally:
        shutil.rmtree(folder, ignore_errors=True)
