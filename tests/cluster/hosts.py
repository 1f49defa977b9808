"""Machines for the cluster test, made of Linux namespaces: own address, processes, home, /tmp, SSH server.

All of it lives in namespaces of its own, the bridge included: nothing of the real machine's network is touched, and
everything ends with the processes that hold it.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

REPO = Path(__file__).resolve().parents[2]
TOOLS = ("ip", "unshare", "nsenter", "setpriv", "sshd", "ssh", "ssh-keygen", "rsync", "nft", "tmux")
_SUBNET = "10.213.7."
_PREFIX = "ockham-"
_PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_VENV = Path(sys.prefix)
_INIT = Path(__file__).with_name("host_init.sh")
_SSHD = """\
Port 22
ListenAddress 0.0.0.0
HostKey /mnt/host_key
AuthorizedKeysFile /root/.ssh/authorized_keys
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM no
UseDNS no
PrintMotd no
PidFile none
"""


def missing() -> str | None:
    """Why such machines can't be made here; None where they can."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return "needs root on Linux for network namespaces"
    absent = [tool for tool in TOOLS if shutil.which(tool, path=_PATH) is None]
    if absent:
        return f"needs {', '.join(absent)}: apt install openssh-server rsync iproute2 nftables tmux"
    probe = f"{_PREFIX}{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"this machine makes no network namespaces: {made.stderr.strip()}"
    subprocess.run(["ip", "netns", "del", probe], check=True)
    return None


@dataclass
class Host:
    """One machine.

    Attributes:
        name: Its host name.
        address: Its IPv4 address on the lab's network.
        folder: Its disk, seen from outside: `home/` is its /root, `tmp/` its /tmp, `upper/` what it changed in the
            virtual environment; and `log`, its first process's output.
    """

    name: str
    address: str
    folder: Path
    namespace: str
    _first: subprocess.Popen[bytes] = field(repr=False)

    @property
    def home(self) -> Path:
        """Its /root, as seen from outside."""
        return self.folder / "home"

    def start(self, command: str, log: Path) -> subprocess.Popen[bytes]:
        """Starts a shell command in its own session, in ~/ockham where that exists; output goes to `log`."""
        with log.open("wb") as out:
            return subprocess.Popen(self._enter(command), stdin=subprocess.DEVNULL, stdout=out, stderr=out)

    def run(self, command: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Runs a shell command to its end; stderr is part of `stdout`. Raises TimeoutExpired."""
        return subprocess.run(
            self._enter(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )

    def processes(self, fragment: str = "") -> list[psutil.Process]:
        """Its processes whose command line contains `fragment`."""
        found = []
        for process in psutil.Process(self._first.pid).children(recursive=True) if self.alive else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                if fragment in " ".join(process.cmdline()):
                    found.append(process)
        return found

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._first.poll() is None

    def unplug(self) -> None:
        """Cuts its network: peers hear nothing any more, not even a closed connection."""
        _ip(f"-n {self.namespace} link set eth0 down")

    def plug(self) -> None:
        """Connects it again."""
        _ip(f"-n {self.namespace} link set eth0 up")
        _ip(f"-n {self.namespace} route replace default via {_SUBNET}1")  # went with the link

    def kill(self) -> None:
        """Power off: its first process and with it, by the kernel, all others."""
        if self.alive:
            self._first.send_signal(signal.SIGKILL)
        self._first.wait(timeout=20)

    def power_on(self) -> None:
        """Starts it again after `kill`, with the disk it had and an empty /tmp."""
        for left in (self.folder / "tmp").iterdir():
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
        self.plug()
        self._first = _boot(self.name, self.namespace, self.folder)
        _await_ssh(self)

    def _enter(self, command: str) -> list[str]:
        inside = psutil.Process(self._first.pid).children()[0].pid  # the host's process 1, a child of `unshare`
        shell = f". ~/ockham/infra/node/env.sh 2>/dev/null; cd ~/ockham 2>/dev/null || cd; {command}"
        path = f"PATH={_VENV / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin"
        enter = f"setpriv --pdeathsig KILL nsenter --target {inside} --mount --uts --ipc --net --pid".split()
        clean = ["env", "-i", "HOME=/root", "USER=root", "TERM=dumb", "LANG=C.UTF-8", path]
        return [*enter, *clean, "setsid", "--wait", "bash", "-c", shell]


@contextlib.contextmanager
def lab(names: Sequence[str], folder: Path) -> Iterator[dict[str, Host]]:
    """Hosts of these names on one bridge, each allowed to log in to every other by `~/.ssh/ockham_cluster`.

    Args:
        names: Host names; they get the addresses 10.213.7.10, .11, … in this order.
        folder: An empty one; its files stay. All hosts see its `shared/` as /mnt/shared.
    """
    _sweep()
    prefix = f"{_PREFIX}{os.getpid()}"
    switch = f"{prefix}-switch"
    key = folder / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    hosts: dict[str, Host] = {}
    try:
        (folder / "shared").mkdir()
        _ip(f"netns add {switch}")
        _ip(f"-n {switch} link add bridge type bridge")
        _ip(f"-n {switch} addr add {_SUBNET}1/24 dev bridge")
        _ip(f"-n {switch} link set bridge up")
        for index, name in enumerate(names):
            namespace, address = f"{prefix}-{name}", f"{_SUBNET}{10 + index}"
            _connect(name, namespace, switch, address)
            _furnish(folder / name, key)
            hosts[name] = Host(name, address, folder / name, namespace, _boot(name, namespace, folder / name))
        for host in hosts.values():
            _await_ssh(host)
        yield hosts
    finally:
        for host in hosts.values():
            host.kill()
        for name in _namespaces():
            if name.startswith(f"{prefix}-"):
                _ip(f"netns del {name}")


def _connect(name: str, namespace: str, switch: str, address: str) -> None:
    """A network namespace with one interface, on the switch's bridge."""
    _ip(f"netns add {namespace}")
    _ip(f"-n {switch} link add to-{name} type veth peer name eth0 netns {namespace}")
    _ip(f"-n {switch} link set to-{name} master bridge up")
    _ip(f"-n {namespace} link set lo up")
    _ip(f"-n {namespace} addr add {address}/24 dev eth0")
    _ip(f"-n {namespace} link set eth0 up")
    _ip(f"-n {namespace} route add default via {_SUBNET}1")


def _furnish(folder: Path, key: Path) -> None:
    """The files a host starts with."""
    ssh = folder / "home" / ".ssh"
    ssh.mkdir(parents=True, mode=0o700)
    (folder / "home").chmod(0o700)
    for name in ("tmp", "upper", "work"):
        (folder / name).mkdir()
    (folder / "tmp").chmod(0o1777)
    shutil.copy(key, ssh / "ockham_cluster")
    shutil.copy(f"{key}.pub", ssh / "authorized_keys")
    shutil.copy("/etc/skel/.bashrc", folder / "home" / ".bashrc")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host_key"], check=True)
    (folder / "sshd_config").write_text(_SSHD)


def _boot(name: str, namespace: str, folder: Path) -> subprocess.Popen[bytes]:
    """Starts a host's first process, which becomes its SSH server."""
    spaces = ["--mount", "--pid", "--fork", "--kill-child", "--uts", "--ipc", "--propagation", "private"]
    init = ["sh", str(_INIT), name, str(folder), str(REPO), str(_VENV), sys.base_prefix]
    sshd = [shutil.which("sshd", path=_PATH) or "sshd", "-D", "-e", "-f", "/mnt/sshd_config"]
    # The host must not outlive this process, however it ends: hence pdeathsig, and `unshare --kill-child`.
    command = ["setpriv", "--pdeathsig", "KILL", "ip", "netns", "exec", namespace, "unshare", *spaces, *init, *sshd]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def _await_ssh(host: Host) -> None:
    deadline = time.monotonic() + 20
    while "Server listening" not in (log := (host.folder / "log").read_text(errors="replace")):
        if not host.alive or time.monotonic() > deadline:
            raise RuntimeError(f"{host.name} did not start: {log}")
        time.sleep(0.1)


def _ip(arguments: str) -> None:
    subprocess.run(["ip", *shlex.split(arguments)], check=True, capture_output=True)


def _namespaces() -> list[str]:
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True)
    return [line.split()[0] for line in listed.stdout.splitlines() if line.strip()]


def _sweep() -> None:
    """Removes the namespaces of test processes that were killed; their hosts died with them."""
    for name in _namespaces():
        owner = name.removeprefix(_PREFIX).split("-")[0]
        if name.startswith(_PREFIX) and owner.isdigit() and not psutil.pid_exists(int(owner)):
            _ip(f"netns del {name}")
