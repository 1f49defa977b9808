"""A cluster of four made-up machines for the tests: a head, two workers, and the laptop of whoever uses them."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.hosts import REPO, Host

NAMES = ("head", "worker-1", "worker-2", "laptop")
FILE = "infra/local.yaml"


@dataclass(frozen=True)
class Machines:
    """The machines, and what the user does with them from the laptop.

    Attributes:
        logs: Folder that what commands printed goes to.
    """

    head: Host
    workers: tuple[Host, Host]
    laptop: Host
    logs: Path

    @property
    def storage(self) -> Path:
        """What the machines see as /mnt/shared/ockham, from outside."""
        return self.logs / "shared" / "ockham"

    def command(self, command: str, timeout: float) -> str:
        """Runs a command on the laptop, in its checkout; returns what it printed.

        Raises:
            AssertionError: It failed; the message ends with what it printed.
        """
        ended = self.laptop.run(command, timeout)
        with (self.logs / "commands.log").open("a") as log:
            log.write(f"$ {command}\n{ended.stdout}\n")
        assert ended.returncode == 0, f"{command} gave {ended.returncode}:\n{ended.stdout[-6000:]}"
        return ended.stdout

    def on_head(self, command: str, timeout: float = 60.0) -> str:
        """Runs a command on the head itself; returns what it printed."""
        ended = self.head.run(command, timeout)
        assert ended.returncode == 0, f"{command} gave {ended.returncode}:\n{ended.stdout[-6000:]}"
        return ended.stdout

    def close_ports(self, host: Host) -> None:
        """What the guide tells an administrator to do on each machine."""
        shutil.copy(self.laptop.home / "ockham/infra/firewall.nft", host.home / "firewall.nft")
        done = host.run("nft -f ~/firewall.nft")
        assert done.returncode == 0, done.stdout

    def launch(self, study: str, arguments: str) -> "Launch":
        """Starts `ray submit … study/launch.py` on the laptop."""
        log = self.logs / f"{study}-{len(list(self.logs.glob(f'{study}-*.log'))) + 1}.log"
        command = f"ray submit {FILE} study/launch.py --no-config-cache -- redundancy --name {study} {arguments}"
        return Launch(self.laptop.start(command, log), log)

    def trials(self, study: str) -> list[dict[str, Any]]:
        """`ockham trials STUDY --format json` on the head; [] while there is no such study."""
        ended = self.head.run(f"ockham trials {study} --format json 2>/dev/null")
        return json.loads(ended.stdout) if ended.returncode == 0 else []


@dataclass(frozen=True)
class Launch:
    """A `ray submit` under way.

    Attributes:
        log: File with what it prints.
    """

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.process.poll() is None

    @property
    def text(self) -> str:
        """What it printed so far."""
        return self.log.read_text(errors="replace")

    def exit_codes(self, timeout: float = 900.0) -> tuple[int, list[int]]:
        """Waits for its end: its own exit code, and those that launch.py printed (`exit=N`)."""
        own = self.process.wait(timeout)
        return own, [int(code) for code in re.findall(r"^exit=(\d+)", self.text, re.MULTILINE)]


def prepare(hosts: dict[str, Host], logs: Path) -> Machines:
    """Gives every machine Python's packages, and the laptop a checkout whose infra/local.yaml names the machines."""
    machines = Machines(hosts["head"], (hosts["worker-1"], hosts["worker-2"]), hosts["laptop"], logs)
    for host in hosts.values():
        _install_packages(host)
    checkout = machines.laptop.home / "ockham"
    _check_out(checkout)
    addresses = {
        "192.0.2.10": machines.head.address,
        "192.0.2.11": machines.workers[0].address,
        "192.0.2.12": machines.workers[1].address,
        "ssh_user: ockham": "ssh_user: root",
    }
    for name in (FILE, "infra/firewall.nft"):
        text = (checkout / name).read_text()
        for old, new in addresses.items():
            text = text.replace(old, new)
        (checkout / name).write_text(text)
    return machines


def _install_packages(host: Host) -> None:
    """What setup.sh would download, where it expects it, with its own mark that these are the right packages."""
    state = host.home / ".ockham"
    state.mkdir()
    (state / "venv").symlink_to(sys.prefix)
    pinned = ("constraints.txt", "pyproject.toml", "infra/node/requirements.txt")
    digest = hashlib.sha256(b"".join((REPO / name).read_bytes() for name in pinned)).hexdigest()
    (state / "installed").write_text(f"{digest}  -\n")


def _check_out(checkout: Path) -> None:
    mounts = yaml.safe_load((REPO / FILE).read_text())["file_mounts"]
    for name in [*(here for here in mounts.values() if not here.startswith("~")), "infra"]:
        if (REPO / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPO / name, checkout / name, ignore=ignored, dirs_exist_ok=True)
        else:
            checkout.mkdir(exist_ok=True)
            shutil.copy(REPO / name, checkout / name)


def until(condition: Callable[[], Any], timeout: float, what: str, every: float = 2.0) -> Any:
    """Calls `condition` until it returns something true, and returns that.

    Raises:
        AssertionError: It did not within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while not (answer := condition()):
        assert time.monotonic() < deadline, f"{what}: not within {timeout:g} s"
        time.sleep(every)
    return answer


def active_nodes(status: str) -> int:
    """Number of active nodes that `ray status` prints."""
    active = status.partition("Active:")[2].partition("Pending:")[0]
    return sum(int(count) for count in re.findall(r"^\s*(\d+) ", active, re.MULTILINE))
