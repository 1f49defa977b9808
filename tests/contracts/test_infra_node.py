"""The scripts of a node: every shell knows the token mode, set-up copes with the Pythons that machines have."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml

REPO = Path(__file__).resolve().parents[2]
INFRA = REPO / "infra"


@pytest.mark.parametrize("name", ["env.sh", "gpus.sh", "setup.sh", "mlflow_server.sh"])
def test_shell_scripts_parse(name: str) -> None:
    parsed = subprocess.run(["bash", "-n", str(INFRA / "node" / name)], capture_output=True, text=True, check=False)
    assert parsed.returncode == 0, parsed.stderr


def test_every_shell_of_a_node_has_the_token_mode(tmp_path: Path) -> None:
    command = f'. "{INFRA}/node/env.sh"; echo "$RAY_AUTH_MODE $OCKHAM_HOME $OCKHAM_ADDRESS"'
    site = tmp_path / ".ockham/site.sh"
    site.parent.mkdir()
    site.write_text("export OCKHAM_ADDRESS=elsewhere\n")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    shell = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert shell.stdout.split() == ["token", str(tmp_path / "studies"), "elsewhere"]


def _programs(folder: Path, **scripts: str) -> None:
    """Shell scripts in the place of programs; `_` in a name stands for `.`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in scripts.items():
        program = folder / name.replace("_", ".")
        program.write_text(f"#!/bin/bash\n{text}\n")
        program.chmod(0o755)


def test_mlflow_server_says_what_it_can_do(tmp_path: Path) -> None:
    command = ["bash", str(INFRA / "node/mlflow_server.sh")]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert asked.returncode == 2
    assert "start|wait|stop|run|supervise" in asked.stderr


def test_mlflow_is_started_again_by_the_loop_that_a_container_runs(tmp_path: Path) -> None:
    _programs(tmp_path / ".ockham/venv/bin", python="echo started $* >> ~/called; exit 1", sleep="exec /bin/sleep 0.1")
    command = ["bash", str(INFRA / "node/mlflow_server.sh"), "supervise"]
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    loop = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "called").exists() or (tmp_path / "called").read_text().count("started") < 3:
            assert time.monotonic() < deadline
            assert loop.poll() is None
            time.sleep(0.05)
    finally:
        os.killpg(loop.pid, signal.SIGKILL)
        loop.wait()
    token = tmp_path / "studies/mlflow.token"
    assert token.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch("[0-9a-f]{64}", token.read_text()), "32 random bytes, whichever they are"
    assert token.read_text() not in (tmp_path / "called").read_text(), "everyone can read a command line"
    shell = f'. "{INFRA}/node/env.sh"; echo "$MLFLOW_TRACKING_TOKEN"'
    said = subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == token.read_text()


# What `python3.11 -m venv` makes: a Python, and a pip that works.
_VENV = """if [ "$1" = -m ]; then
  mkdir -p "$3/bin"
  printf '#!/bin/sh\\necho "$*" >> ~/called\\n' > "$3/bin/python"
  chmod +x "$3/bin/python"
fi"""


def _node(home: Path, python: str, python3: str = 'echo "$*" >> ~/called') -> subprocess.CompletedProcess[str]:
    """Runs setup.sh on a node whose Pythons are these shell scripts; pip only notes that it was called."""
    programs = home / "programs"
    _programs(programs, python3_11=python, python3=python3)
    (home / ".ray").mkdir(exist_ok=True)
    (home / ".ray/auth_token").touch()
    if not (home / "ockham").exists():
        (home / "ockham").symlink_to(REPO)
    environment = {"HOME": str(home), "PATH": f"{programs}:/usr/bin:/bin"}
    command = ["bash", str(INFRA / "node/setup.sh")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_set_up_makes_a_venv_and_leaves_a_good_one_alone(tmp_path: Path) -> None:
    assert _node(tmp_path, _VENV).returncode == 0
    (tmp_path / ".ockham/venv/mine").touch()
    assert _node(tmp_path, "exit 1").returncode == 0
    assert (tmp_path / ".ockham/venv/mine").exists()


def test_set_up_recovers_from_a_venv_without_pip(tmp_path: Path) -> None:
    """Debian's python3.11 without python3.11-venv leaves a Python without pip, and fails."""
    broken = tmp_path / ".ockham/venv/bin/python"
    broken.parent.mkdir(parents=True)
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    (tmp_path / ".ockham/installed").write_text("what was in the venv\n")
    assert _node(tmp_path, _VENV).returncode == 0
    assert "infra/node/requirements.txt" in (tmp_path / "called").read_text(), "the packages as well"


def test_set_up_fetches_a_python_where_the_systems_own_makes_no_venv(tmp_path: Path) -> None:
    _node(tmp_path, "exit 1")  # no ensurepip; the uv of this test makes nothing, so it ends there
    pip = (tmp_path / "called").read_text().splitlines()[-1]
    assert pip.startswith("-m pip install")
    assert f"--require-hashes -r {tmp_path}/ockham/infra/node/uv.txt" in pip


# A pip that puts a uv where it belongs, which fetches nothing and knows where a Python is.
_UV = """echo "$*" >> ~/called
mkdir -p ~/.ockham/uv/bin
cat > ~/.ockham/uv/bin/uv << 'END'
#!/bin/bash
echo "uv $*" >> ~/called
[ "$2" != find ] || echo ~/programs/fetched
END
chmod +x ~/.ockham/uv/bin/uv"""


def test_set_up_takes_the_pip_of_the_python_that_it_fetches(tmp_path: Path) -> None:
    """Whatever comes from a registry has a hash: `uv venv --seed` takes the newest pip as it is."""
    _programs(tmp_path / "programs", fetched=_VENV)
    assert _node(tmp_path, "exit 1", _UV).returncode == 0
    calls = (tmp_path / "called").read_text().splitlines()
    assert [call for call in calls if call.startswith("uv ")] == [
        "uv python install --quiet --no-bin 3.11",
        "uv python find --managed-python 3.11",
    ]
    installs = [call for call in calls if " install " in call and not call.startswith("uv ")]
    assert all("--require-hashes" in call or "--no-deps --no-build-isolation" in call for call in installs)
    assert len(installs) == 3  # uv, the packages, Ockham


def test_set_up_again_installs_only_what_has_changed(tmp_path: Path) -> None:
    assert _node(tmp_path, _VENV).returncode == 0
    called = tmp_path / "called"
    assert len([line for line in called.read_text().splitlines() if " install " in line]) == 2  # packages, Ockham
    called.unlink()
    assert _node(tmp_path, _VENV).returncode == 0
    assert " install " not in called.read_text()


# Notes what it is asked for; as a daemon it makes the pipe that programs look for, and then answers.
_MPS = """pipe=$CUDA_MPS_PIPE_DIRECTORY/control
if [ "$1" = -d ]; then [ ! -f ~/refuses ] || exit 1; touch "$pipe"; echo start >> ~/called
else read -r asked; echo "$asked" >> ~/called; [ -e "$pipe" ] && [ ! -f ~/hangs ]; fi"""


def _gpus(home: Path) -> tuple[list[str], str]:
    """What gpus.sh asks MPS for, and where a shell afterwards looks for it."""
    environment = {"HOME": str(home), "PATH": f"{home}/bin:/usr/bin:/bin"}
    called = home / "called"
    called.unlink(missing_ok=True)
    subprocess.run(["bash", str(INFRA / "node/gpus.sh")], env=environment, check=True)
    shell = f'. "{INFRA}/node/env.sh"; echo "$CUDA_MPS_PIPE_DIRECTORY"'
    said = subprocess.run(["bash", "-c", shell], env=environment, capture_output=True, text=True, check=True)
    return called.read_text().split() if called.exists() else [], said.stdout.strip()


def test_trials_that_share_a_gpu_compute_at_the_same_time(tmp_path: Path) -> None:
    mps = tmp_path / ".ockham/mps"
    assert _gpus(tmp_path) == ([], ""), "without a driver there is nothing to start"
    _programs(tmp_path / "bin", **{"nvidia-cuda-mps-control": _MPS, "nvidia-smi": "exit 9"})
    assert _gpus(tmp_path) == ([], ""), "nor without a GPU"
    _programs(tmp_path / "bin", **{"nvidia-smi": "exit 0"})
    assert _gpus(tmp_path) == (["get_server_list", "start"], str(mps))
    assert mps.stat().st_mode & 0o777 == 0o700
    assert _gpus(tmp_path) == (["get_server_list"], str(mps)), "it runs already"
    (tmp_path / "hangs").touch()
    (mps / "left").touch()
    assert _gpus(tmp_path) == (["get_server_list", "start"], str(mps)), "one that does not answer is started again"
    assert not (mps / "left").exists()
    (tmp_path / "refuses").touch()
    assert _gpus(tmp_path) == (["get_server_list"], ""), "trials take turns, but run"
    (tmp_path / "refuses").unlink()
    _gpus(tmp_path)
    (tmp_path / ".ockham/site.sh").write_text("export OCKHAM_MPS=0\n")
    assert _gpus(tmp_path) == (["quit"], "")


@pytest.mark.parametrize("name", ["cluster.yaml", "gcp.yaml", "local.yaml"])
def test_mps_is_there_before_ray_starts_on_a_worker(name: str) -> None:
    commands = yaml.safe_load((INFRA / name).read_text())["worker_start_ray_commands"]
    assert commands.index("bash ~/ockham/infra/node/gpus.sh") < next(
        place for place, command in enumerate(commands) if "ray start" in command
    )
