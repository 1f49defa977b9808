"""A cluster of four made-up machines for the tests: a head, two workers, and the laptop of whoever uses them."""

import hashlib
import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from packaging.requirements import Requirement

from tests.cluster.hosts import REPO, Host

NAMES = ("head", "worker-1", "worker-2", "laptop")
FILE = "infra/local.yaml"


@dataclass(frozen=True)
class Machines:
    """The machines, and what the user does with them from the laptop.

    Attributes:
        logs: Folder that what commands printed goes to.
        dashboard: Whether the head has what Ray's dashboard needs.
        sessions: What `stay` started; it ends with the laptop.
    """

    head: Host
    workers: tuple[Host, Host]
    laptop: Host
    logs: Path
    dashboard: bool
    sessions: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def storage(self) -> Path:
        """What the machines see as /mnt/shared/ockham, from outside."""
        return self.logs / "shared" / "ockham"

    def command(self, command: str, timeout: float) -> str:
        """Runs a command on the laptop, in its checkout; returns what it printed.

        Raises:
            AssertionError: It failed; the message ends with what it printed.
        """
        started = time.monotonic()
        ended = self.laptop.run(command, timeout)
        with (self.logs / "commands.log").open("a") as log:
            log.write(f"$ {command}   # {time.monotonic() - started:.1f} s\n{ended.stdout}\n")
        assert ended.returncode == 0, f"{command} gave {ended.returncode}:\n{ended.stdout[-6000:]}"
        return ended.stdout

    def commands(self, *commands: str, timeout: float = 120.0) -> list[str]:
        """The same of several at once, which mostly wait for SSH and imports."""
        with ThreadPoolExecutor(len(commands)) as pool:
            return list(pool.map(lambda command: self.command(command, timeout), commands))

    def stay(self, command: str, name: str) -> Path:
        """Starts a command on the laptop that goes on until somebody leaves it; returns the file that it prints to."""
        log = self.logs / f"{name}.log"
        self.sessions.append(self.laptop.start(f"sleep infinity | {command}", log))
        return log

    def forward(self, command: str, port: int) -> None:
        """Has the laptop reach that port of the head by a command that goes on until it is left, if it does not yet."""
        answers = f"(exec 3<> /dev/tcp/127.0.0.1/{port}) 2> /dev/null"
        if self.laptop.run(answers).returncode:
            self.stay(command, f"port-{port}")
            until(lambda: self.laptop.run(answers).returncode == 0, 60, f"port {port} of the head", every=0.5)

    def on_head(self, command: str, timeout: float = 60.0) -> str:
        """Runs a command on the head itself; returns what it printed."""
        ended = self.head.run(command, timeout)
        assert ended.returncode == 0, f"{command} gave {ended.returncode}:\n{ended.stdout[-6000:]}"
        return ended.stdout

    def close_ports(self, host: Host) -> None:
        """What the guide tells an administrator to do on each machine."""
        shutil.copy(self.laptop.home / "ockham/infra/firewall.nft", host.home / "firewall.nft")
        (host.home / "nftables.conf").write_text('flush ruleset\ninclude "/root/firewall.nft"\n')  # as /etc's
        for when in ("firewall.nft", "nftables.conf"):  # at once, and as after a restart
            done = host.run(f"nft -f ~/{when}")
            assert done.returncode == 0, done.stdout

    def launch(self, study: str, arguments: str, source: str = "redundancy", options: str = "") -> "Launch":
        """Starts `ray submit … study/launch.py` on the laptop.

        Args:
            source: A named study, or a file on the head.
            options: Of `ray submit`.
        """
        log = self.logs / f"{study}-{len(list(self.logs.glob(f'{study}-*.log'))) + 1}.log"
        submit = f"ray submit {FILE} study/launch.py --no-config-cache {options}"
        return Launch(self.laptop.start(f"{submit} -- {source} --name {study} {arguments}", log), log)

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


def prepare(hosts: dict[str, Host], logs: Path, fetching: "subprocess.Popen[bytes]") -> Machines:
    """Gives every machine Python's packages, and the laptop a checkout whose infra/local.yaml names the machines.

    Args:
        fetching: From `fetch_packages`.
    """
    for host in hosts.values():
        _install_packages(host)
    # Only the head's Ray has a dashboard to show; on two cores for all machines the workers are better off without.
    dashboard = fetching.wait() == 0 and _copy_packages(logs / "packages", hosts["head"], logs / "shared")
    machines = Machines(hosts["head"], (hosts["worker-1"], hosts["worker-2"]), hosts["laptop"], logs, dashboard)
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
    pinned = ("pyproject.toml", "infra/node/requirements.txt")
    digest = hashlib.sha256(b"".join((REPO / name).read_bytes() for name in pinned)).hexdigest()
    (state / "installed").write_text(f"{digest}  -\n")


def fetch_packages(logs: Path) -> "subprocess.Popen[bytes]":
    """Starts to fetch what setup.sh would install beyond the tests' own environment; without internet that fails."""
    lines = (REPO / "infra/node/requirements.txt").read_text().splitlines()
    pins = [Requirement(line.removesuffix("\\")) for line in lines if "==" in line]
    absent = [f"{pin.name}{pin.specifier}" for pin in pins if _is_absent(pin)]
    (logs / "packages").mkdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command = [*pip, "--target", str(logs / "packages"), *absent] if absent else ["true"]
    with (logs / "pip.log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def _copy_packages(packages: Path, host: Host, shared: Path) -> bool:
    """Through the host itself: nothing but it may write to what lies under its environment."""
    packages.rename(shared / packages.name)
    place = shlex.quote(sysconfig.get_path("purelib"))
    return host.run(f"cp -r /mnt/shared/{packages.name}/. {place}").returncode == 0


def _is_absent(pin: Requirement) -> bool:
    try:
        return (pin.marker is None or pin.marker.evaluate()) and not metadata.version(pin.name)
    except metadata.PackageNotFoundError:
        return True


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
