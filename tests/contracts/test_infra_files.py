"""The files of infra/: accepted by Ray's own loader, in step with the package, and closed to everybody else."""

import configparser
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

REPO = Path(__file__).resolve().parents[2]
INFRA = REPO / "infra"
CLUSTER_FILES = ("cluster.yaml", "gcp.yaml", "local.yaml")


class _Template(yaml.SafeLoader):
    """Reads CloudFormation: a tag's argument stands for the tag (`!Ref X` → "X")."""


def _argument(loader: _Template, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    raise TypeError(f"no tag of the template takes a {node.tag}")


_Template.add_multi_constructor("!", _argument)


@pytest.fixture(scope="module")
def stack() -> dict[str, Any]:
    return yaml.load((INFRA / "aws/foundation.yaml").read_text(), _Template)


def _load(name: str) -> dict[str, Any]:
    return yaml.safe_load((INFRA / name).read_text())


def _of_kind(stack: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    yield from (each["Properties"] for each in stack["Resources"].values() if each["Type"] == kind)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
    assert {pattern.rstrip("*") for pattern in patterns} <= set(mounts.values())
    assert {"pyproject.toml", "constraints.txt", "infra/node", project["project"]["readme"]} <= set(mounts.values())
    for there, here in mounts.items():
        assert here.startswith("~") or (REPO / here).exists()
        assert here.startswith("~") or there.rstrip("/") == f"~/ockham/{here}"


def test_workers_of_the_local_provider_are_added_by_autoscaler_v1() -> None:
    (start,) = (command for command in _load("local.yaml")["head_start_ray_commands"] if "ray start" in command)
    assert "RAY_enable_autoscaler_v2=0 ray start" in start  # beats the export that `ray up` puts before it


def test_aws_gpu_workers_come_and_go_on_spot_and_the_head_stays() -> None:
    types = _load("cluster.yaml")["available_node_types"]
    head, gpu = types["head"], types["gpu"]
    assert head["max_workers"] == 0
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert gpu["min_workers"] == 0
    assert gpu["resources"]["GPU"] == 1
    assert gpu["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


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


def test_aws_nodes_have_no_public_address_and_roles_of_their_own(stack: dict[str, Any]) -> None:
    config = _load("cluster.yaml")
    assert config["provider"]["use_internal_ips"]
    assert "open-tunnel" in config["auth"]["ssh_proxy_command"]
    profiles = {each["InstanceProfileName"] for each in _of_kind(stack, "AWS::IAM::InstanceProfile")}
    for name, node in config["available_node_types"].items():
        role = "head" if name == config["head_node_type"] else "worker"
        assert node["node_config"]["IamInstanceProfile"] == {"Name": f"{config['cluster_name']}-{role}"}
        assert f"${{ClusterName}}-{role}" in profiles
        assert node["node_config"]["MetadataOptions"]["HttpTokens"] == "required"
        assert all(disk["Ebs"]["Encrypted"] for disk in node["node_config"]["BlockDeviceMappings"])
        assert node["node_config"]["SecurityGroupIds"]  # else Ray makes a group that is open to the world
    assert not any(each["MapPublicIpOnLaunch"] for each in _of_kind(stack, "AWS::EC2::Subnet"))


def test_aws_opens_no_port_but_ssh(stack: dict[str, Any]) -> None:
    inside = [
        rule for each in _of_kind(stack, "AWS::EC2::SecurityGroup") for rule in each.get("SecurityGroupIngress", [])
    ]
    assert [(rule["FromPort"], rule["ToPort"], rule["SourceSecurityGroupId"]) for rule in inside] == [
        (22, 22, "EndpointGroup")
    ]
    (among,) = _of_kind(stack, "AWS::EC2::SecurityGroupIngress")
    assert among["SourceSecurityGroupId"] == among["GroupId"] == "NodeGroup"
    assert "IpPermissions" not in _load("cluster.yaml")["provider"].get("security_group", {})


def test_aws_roles_can_do_what_they_need_and_nothing_else(stack: dict[str, Any]) -> None:
    policies = [each["PolicyDocument"] for each in _of_kind(stack, "AWS::IAM::ManagedPolicy")]
    for role in _of_kind(stack, "AWS::IAM::Role"):
        assert role["ManagedPolicyArns"] == ["StoragePolicy"]
        policies += [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        actions = _as_list(statement["Action"])
        assert not any("*" in action for action in actions)
        if "*" in _as_list(statement["Resource"]):
            assert all(action.startswith("ec2:Describe") for action in actions)
    allowed = stack["Parameters"]["WorkerTypes"]["Default"].split(",")
    assert _load("cluster.yaml")["available_node_types"]["gpu"]["node_config"]["InstanceType"] in allowed


def test_aws_bucket_is_private_and_encrypted(stack: dict[str, Any]) -> None:
    (bucket,) = _of_kind(stack, "AWS::S3::Bucket")
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["BucketEncryption"]
    (policy,) = _of_kind(stack, "AWS::S3::BucketPolicy")
    assert [statement["Effect"] for statement in policy["PolicyDocument"]["Statement"]] == ["Deny"]


def test_fill_writes_every_output_of_the_stack(stack: dict[str, Any], tmp_path: Path) -> None:
    values = {
        "SubnetA": "subnet-0a",
        "SubnetB": "subnet-0b",
        "NodeGroup": "sg-0c",
        "HeadImage": "ami-0d",
        "WorkerImage": "ami-0e",
        "Bucket": "ockham-1-eu-west-1",
        "Region": "eu-west-1",
    }
    assert set(values) == set(stack["Outputs"])
    script = tmp_path / "infra/aws/fill.py"
    script.parent.mkdir(parents=True)
    script.write_text((INFRA / "aws/fill.py").read_text())
    (tmp_path / "infra/cluster.yaml").write_text((INFRA / "cluster.yaml").read_text())
    outputs = json.dumps([{"OutputKey": key, "OutputValue": value} for key, value in values.items()])
    for _ in range(2):  # it may run again, over what it wrote
        subprocess.run([sys.executable, str(script)], input=outputs, text=True, check=True, capture_output=True)
    config = yaml.safe_load((tmp_path / "infra/cluster.yaml").read_text())
    head, gpu = (config["available_node_types"][name]["node_config"] for name in ("head", "gpu"))
    assert head["SubnetIds"] == gpu["SubnetIds"] == ["subnet-0a", "subnet-0b"]
    assert head["SecurityGroupIds"] == gpu["SecurityGroupIds"] == ["sg-0c"]
    assert (head["ImageId"], gpu["ImageId"]) == ("ami-0d", "ami-0e")
    assert config["provider"]["region"] == "eu-west-1"
    assert "--region eu-west-1 " in config["auth"]["ssh_proxy_command"]
    (site,) = (command for command in config["setup_commands"] if "site.sh" in command)
    subprocess.run(["bash", "-c", f"mkdir -p ~/.ockham; {site}"], env={"HOME": str(tmp_path)}, check=True)
    asked = ["bash", "-c", '. ~/.ockham/site.sh; echo "$OCKHAM_STORAGE $OCKHAM_ARTIFACTS"']
    said = subprocess.run(asked, env={"HOME": str(tmp_path)}, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["s3://ockham-1-eu-west-1/studies", "s3://ockham-1-eu-west-1/mlartifacts"]


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
    version = re.search(r"^ray==(.+)$", (REPO / "constraints.txt").read_text(), re.MULTILINE)
    assert version is not None
    assert cluster["spec"]["rayVersion"] == version[1]


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
    assert "mlflow server --host 127.0.0.1 " in (INFRA / "node/mlflow_server.sh").read_text()


def test_no_file_holds_a_secret() -> None:
    secret = re.compile(r"AKIA[0-9A-Z]{16}|PRIVATE KEY|\b[0-9a-f]{64}\b|RAY_AUTH_TOKEN=|password", re.IGNORECASE)
    for path in (path for path in INFRA.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        assert not secret.search(path.read_text()), path


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-gcp.txt"])
def test_pins_of_a_node_agree_with_the_constraints(name: str) -> None:
    def pins(text: str) -> dict[str, str]:
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {name.split("[")[0].lower(): version for name, _, version in (line.partition("==") for line in lines)}

    constraints = pins((REPO / "constraints.txt").read_text())
    node = pins((INFRA / "node" / name).read_text())
    everywhere = pins((INFRA / "node/requirements.txt").read_text())
    assert all(node[each] == everywhere[each] for each in set(node) & set(everywhere))
    assert all(node.values())
    shared = set(constraints) & set(node)
    assert {name: node[name] for name in shared} == {name: constraints[name] for name in shared}
    assert "ray" in node or "google-api-python-client" in node


@pytest.mark.parametrize("name", ["env.sh", "setup.sh", "mlflow_server.sh"])
def test_shell_scripts_parse(name: str) -> None:
    subprocess.run(["bash", "-n", str(INFRA / "node" / name)], check=True)


def test_every_shell_of_a_node_has_the_token_mode(tmp_path: Path) -> None:
    command = f'. "{INFRA}/node/env.sh"; echo "$RAY_AUTH_MODE $OCKHAM_HOME $OCKHAM_ADDRESS"'
    site = tmp_path / ".ockham/site.sh"
    site.parent.mkdir()
    site.write_text("export OCKHAM_ADDRESS=elsewhere\n")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    shell = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, check=True)
    assert shell.stdout.split() == ["token", str(tmp_path / "studies"), "elsewhere"]


def test_mlflow_is_a_supervised_service() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(INFRA / "node/ockham-mlflow.service")
    assert unit["Service"]["Restart"] == "always"
    assert unit["Service"]["ExecStart"].endswith("%h/ockham/infra/node/mlflow_server.sh run")
    for name in CLUSTER_FILES:
        assert "bash ~/ockham/infra/node/mlflow_server.sh start" in _load(name)["head_start_ray_commands"]


def test_image_runs_as_nobody_special_with_pinned_packages() -> None:
    lines = (INFRA / "Dockerfile").read_text().splitlines()
    assert lines.index("USER ray") < min(index for index, line in enumerate(lines) if line.startswith("COPY"))
    installs = [line for line in lines if "pip install" in line]
    assert all("-c constraints.txt" in line or "--no-deps" in line for line in installs)
    for source in (line.split()[2] for line in lines if line.startswith("COPY --chown=ray") and line.endswith("/")):
        assert (REPO / source).exists()
