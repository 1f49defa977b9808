"""The files of infra/: accepted by Ray's own loader, in step with the package, and closed to everybody else."""

import configparser
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

REPO = Path(__file__).resolve().parents[2]
INFRA = REPO / "infra"
CLUSTER_FILES = ("cluster.yaml", "gcp.yaml", "local.yaml")


def _load(name: str) -> dict[str, Any]:
    return yaml.safe_load((INFRA / name).read_text())


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_ray_accepts_the_file(name: str) -> None:
    prepared = prepare_config(_load(name))
    validate_config(prepared)
    assert prepared["cluster_name"] == "ockham"


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_ray_would_refuse_a_wrong_file(name: str) -> None:
    from jsonschema import ValidationError

    with pytest.raises(ValidationError, match="max_wrokers"):
        validate_config(prepare_config(_load(name) | {"max_wrokers": 3}))


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_every_ray_start_asks_for_the_token(name: str) -> None:
    config = _load(name)
    for role in ("head", "worker"):
        starts = [command for command in config[f"{role}_start_ray_commands"] if "ray start" in command]
        assert len(starts) == 1
        assert re.search(r"RAY_AUTH_MODE=token (\w+=\S+ )*ray start", starts[0])
    assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_the_head_runs_no_trials_and_shows_its_dashboard_to_itself_only(name: str) -> None:
    (start,) = (command for command in _load(name)["head_start_ray_commands"] if "ray start" in command)
    assert {"--num-cpus=0", "--dashboard-host=127.0.0.1", "--autoscaling-config=~/ray_bootstrap_config.yaml"} <= set(
        start.split()
    )


@pytest.mark.parametrize("name", CLUSTER_FILES)
def test_all_of_the_package_is_shipped(name: str) -> None:
    mounts = _load(name)["file_mounts"]
    project = tomllib.loads((REPO / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["packages"]["find"]["include"]
    folders = {pattern.rstrip("*") for pattern in patterns}
    assert {folder for folder in folders if (REPO / folder).is_dir()} <= set(mounts.values())  # others lie in these
    assert {"pyproject.toml", "constraints.txt", "infra/node", project["project"]["readme"]} <= set(mounts.values())
    for there, here in mounts.items():
        assert here.startswith("~") or (REPO / here).exists()
        assert here.startswith("~") or there.rstrip("/") == f"~/ockham/{here}"


def test_workers_of_the_local_provider_are_added_by_autoscaler_v1() -> None:
    (start,) = (command for command in _load("local.yaml")["head_start_ray_commands"] if "ray start" in command)
    assert "RAY_enable_autoscaler_v2=0 ray start" in start  # beats the export that `ray up` puts before it


def test_gcp_gpu_workers_come_and_go_on_spot_without_public_addresses() -> None:
    config = _load("gcp.yaml")
    types = config["available_node_types"]
    head, gpu = types["head"], types["gpu"]
    assert (head["max_workers"], head["resources"], gpu["min_workers"]) == (0, {"CPU": 0}, 0)
    assert gpu["node_config"]["scheduling"]["provisioningModel"] == "SPOT"
    assert "scheduling" not in head["node_config"]
    for kind in (head, gpu):
        assert all("accessConfigs" not in each for each in kind["node_config"]["networkInterfaces"])
    assert config["provider"]["use_internal_ips"]
    assert "start-iap-tunnel" in config["auth"]["ssh_proxy_command"]
    assert "OCKHAM_STORAGE" in " ".join(config["setup_commands"])


def test_gcp_workers_can_write_checkpoints_and_nothing_else() -> None:
    text, gpu = (INFRA / "gcp.yaml").read_text(), _load("gcp.yaml")["available_node_types"]["gpu"]["node_config"]
    (account,) = gpu["serviceAccounts"]  # Ray gives one to the head only; without one there are no credentials
    assert account["email"].startswith("ockham-worker@")
    assert re.search(rf"{account['email']}  # yours$", text, re.MULTILINE)
    assert account["scopes"] == ["https://www.googleapis.com/auth/cloud-platform"]
    guide = (INFRA / "README.md").read_text()
    assert "iam service-accounts create ockham-worker" in guide
    (writes,) = (line for line in guide.splitlines() if "roles/storage.objectUser" in line)
    assert """ --condition 'title=trials,expression=resource.name.extract("/trials/{rest}") != ""'""" in writes


def test_gcp_workers_have_the_driver_that_torch_needs(tmp_path: Path) -> None:
    config = _load("gcp.yaml")
    gpu = config["available_node_types"]["gpu"]["node_config"]
    driver = re.search(r"-nvidia-(\d+)$", gpu["disks"][0]["initializeParams"]["sourceImage"])
    cuda = re.search(r"^nvidia-cuda-runtime==(\d+)", (REPO / "constraints.txt").read_text(), re.MULTILINE)
    assert driver is not None
    assert cuda is not None
    oldest = {"13": 580}  # NVIDIA's table of CUDA versions and drivers
    assert int(driver[1]) >= oldest[cuda[1]]
    assert {"key": "install-nvidia-driver", "value": "True"} in gpu["metadata"]["items"]
    (wait,) = config["worker_setup_commands"]
    assert "nvidia-smi" not in " ".join(config["setup_commands"] + config["head_setup_commands"])
    for code in (0, 1):  # a driver that is there, one that does not come
        for name, text in (("nvidia-smi", f"exit {code}"), ("sleep", "exit 0")):
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        path = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
        assert subprocess.run(["bash", "-c", wait], env=path, timeout=60, check=False).returncode == code


def test_kubernetes_manifest_is_one_ray_understands_and_closed() -> None:
    from ray.autoscaler._private.kuberay.autoscaling_config import _derive_autoscaling_config_from_ray_cr

    manifests = list(yaml.safe_load_all((INFRA / "kuberay.yaml").read_text()))
    kinds = {manifest["kind"]: manifest for manifest in manifests}
    cluster, policy = kinds["RayCluster"], kinds["NetworkPolicy"]
    types = _derive_autoscaling_config_from_ray_cr(cluster)["available_node_types"]  # validates as well
    assert types["headgroup"]["resources"]["CPU"] == 0
    assert (types["gpu"]["min_workers"], types["gpu"]["resources"]["GPU"]) == (0, 1)
    assert cluster["spec"]["authOptions"] == {"mode": "token"}
    head, *workers = cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]
    assert head["rayStartParams"]["dashboard-host"] == "127.0.0.1"
    for group in (head, *workers):
        pod = group["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["containers"][0]["env"] == [{"name": "RAY_AUTH_MODE", "value": "token"}]
        assert not any(each["securityContext"]["allowPrivilegeEscalation"] for each in pod["containers"])
    selector = {"podSelector": {"matchLabels": {"ray.io/cluster": cluster["metadata"]["name"]}}}
    assert policy["spec"]["ingress"] == [{"from": [selector]}]
    version = re.search(r"^ray==(\S+)", (REPO / "constraints.txt").read_text(), re.MULTILINE)
    assert version is not None
    assert cluster["spec"]["rayVersion"] == version[1]
    (mlflow,) = (each for each in head["template"]["spec"]["containers"] if each["name"] == "mlflow")
    assert mlflow["command"][-1] == "supervise"  # nobody else starts it again: these pods have restartPolicy Never


def test_kubernetes_worker_fits_beside_what_the_node_itself_needs() -> None:
    manifests = {each["kind"]: each for each in yaml.safe_load_all((INFRA / "kuberay.yaml").read_text())}
    (gpu,) = manifests["RayCluster"]["spec"]["workerGroupSpecs"]
    resources = gpu["template"]["spec"]["containers"][0]["resources"]
    assert resources["requests"] == resources["limits"]
    assert int(resources["requests"]["cpu"]) < 4  # of the smallest machines with a GPU: g2-standard-4, g6.xlarge
    assert int(resources["requests"]["memory"].removesuffix("Gi")) <= 12


def test_firewall_lets_strangers_reach_ssh_only() -> None:
    rules = (INFRA / "firewall.nft").read_text()
    assert "policy drop" in rules
    assert re.findall(r"dport\s+(.+?)\s+accept", rules) == ["22"]


def test_nothing_listens_to_the_world() -> None:
    for path in (
        path for path in INFRA.rglob("*") if path.suffix in {".sh", ".service", ".yaml", ""} and path.is_file()
    ):
        for line in path.read_text().splitlines():
            assert "0.0.0.0" not in line or "DestinationCidrBlock" in line, f"{path.name}: {line}"
    assert "guarded_server 127.0.0.1 " in (INFRA / "node/mlflow_server.sh").read_text()


def test_no_file_holds_a_secret() -> None:
    secret = re.compile(
        r"AKIA[0-9A-Z]{16}|PRIVATE KEY|(?<!sha256:)\b[0-9a-f]{64}\b|RAY_AUTH_TOKEN=|password[=:]", re.IGNORECASE
    )
    for path in (path for path in INFRA.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        assert not secret.search(path.read_text()), path


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-gcp.txt"])
def test_pins_of_a_node_agree_with_the_constraints(name: str) -> None:
    def pins(text: str) -> dict[str, str]:
        return {
            line.partition("==")[0]: line.partition("==")[2].split()[0] for line in text.splitlines() if "==" in line
        }

    constraints = pins((REPO / "constraints.txt").read_text())
    node = pins((INFRA / "node" / name).read_text())
    everywhere = pins((INFRA / "node/requirements.txt").read_text())
    assert all(node[each] == everywhere[each] for each in set(node) & set(everywhere))
    shared = set(constraints) & set(node)
    assert {name: node[name] for name in shared} == {name: constraints[name] for name in shared}
    assert "ray" in node or "google-api-python-client" in node


@pytest.mark.parametrize(
    "file",
    [
        "constraints.txt",
        "infra/node/requirements.txt",
        "infra/node/requirements-gcp.txt",
        "infra/node/uv.txt",
    ],
)
def test_every_package_is_pinned_to_its_files(file: str) -> None:
    """One that is not would be refused by `pip install --require-hashes`, and with it all."""
    text = re.sub(r"^ *#.*\n", "", (REPO / file).read_text(), flags=re.MULTILINE)
    packages = re.split(r"(?<!\\)\n", text.strip())
    pin = re.compile(r"[a-z0-9-]+==\S+( ;[^\\]+)?( \\\n    --hash=sha256:[0-9a-f]{64})+")
    assert [package for package in packages if not pin.fullmatch(package)] == []
    assert "://" not in text, "whichever registry pip is set to has to have these files"


def test_nothing_is_installed_unseen() -> None:
    """No script that pipes a download into a shell, no package without its hash."""
    texts = [(REPO / "Makefile").read_text(), *(path.read_text() for path in INFRA.rglob("*.sh"))]
    texts += [(INFRA / name).read_text() for name in (*CLUSTER_FILES, "Dockerfile")]
    for text in texts:
        assert not re.search(r"\b(curl|wget)\b.*\|", text)
        for line in re.sub(r"\\\n\s*", "", text).splitlines():
            if re.search(r"(pip|\$\(PIP\)) .*(install|-r|-e)\b", line) and ":=" not in line and "no pip" not in line:
                assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line, line


def test_a_head_can_keep_its_ledger_in_postgresql() -> None:
    extra = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]["optional-dependencies"]["postgresql"]
    assert [re.split(r"[\[>=]", each)[0] for each in extra] == ["psycopg"]  # with [binary]: psycopg-binary
    constraints = (REPO / "constraints.txt").read_text().splitlines()
    pins = [line for line in constraints if line.startswith(("psycopg==", "psycopg-binary=="))]
    assert len(pins) == 2
    assert set(pins) <= set((INFRA / "node/requirements.txt").read_text().splitlines())


def test_mlflow_is_a_supervised_service() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(INFRA / "node/ockham-mlflow.service")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["ExecStart"].endswith("%h/ockham/infra/node/mlflow_server.sh run")
    for name in CLUSTER_FILES:
        commands = _load(name)["head_start_ray_commands"]
        assert commands[0] == "bash ~/ockham/infra/node/mlflow_server.sh start"
        assert commands[-1] == "bash ~/ockham/infra/node/mlflow_server.sh wait"


def test_image_runs_as_nobody_special_with_pinned_packages() -> None:
    lines = (INFRA / "Dockerfile").read_text().splitlines()
    assert lines.index("USER ray") < min(index for index, line in enumerate(lines) if line.startswith("COPY"))
    installs = [line for line in lines if "pip install" in line]
    assert all("--require-hashes" in line or "--no-deps --no-build-isolation" in line for line in installs)
    for source in (line.split()[2] for line in lines if line.startswith("COPY --chown=ray") and line.endswith("/")):
        assert (REPO / source).exists()
