"""The AWS stack and the cluster file that stands on it: nothing open but SSH, roles that can do what they need."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from study.errors import UsageError
from study.storing.own_files import require_free_name

REPO = Path(__file__).resolve().parents[2]
INFRA = REPO / "infra"


def _load(name: str) -> dict[str, Any]:
    return yaml.safe_load((INFRA / name).read_text())


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


def _of_kind(stack: dict[str, Any], kind: str) -> Iterator[dict[str, Any]]:
    yield from (each["Properties"] for each in stack["Resources"].values() if each["Type"] == kind)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_aws_gpu_workers_come_and_go_on_spot_and_the_head_stays() -> None:
    types = _load("cluster.yaml")["available_node_types"]
    head, gpu = types["head"], types["gpu"]
    assert head["max_workers"] == 0
    assert head["resources"] == {"CPU": 0}
    assert "InstanceMarketOptions" not in head["node_config"]
    assert gpu["min_workers"] == 0
    assert gpu["resources"]["GPU"] == 1
    assert gpu["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}


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
        whose = "WorkerStoragePolicy" if "worker" in str(role["RoleName"]) else "StoragePolicy"
        assert role["ManagedPolicyArns"] == [whose]
        policies += [policy["PolicyDocument"] for policy in role.get("Policies", [])]
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        actions = _as_list(statement["Action"])
        assert not any("*" in action for action in actions)
        if "*" in _as_list(statement["Resource"]):
            assert all(action.startswith("ec2:Describe") for action in actions)
        # Made once by whoever sets the account up, in the guide: no machine needs to make roles.
        assert not any(action.startswith("iam:") and action != "iam:PassRole" for action in actions)
    allowed = stack["Parameters"]["WorkerTypes"]["Default"].split(",")
    assert _load("cluster.yaml")["available_node_types"]["gpu"]["node_config"]["InstanceType"] in allowed


def test_aws_workers_can_not_touch_copies_of_ledgers(stack: dict[str, Any]) -> None:
    """A worker runs whatever a trial imports."""
    policy = stack["Resources"]["WorkerStoragePolicy"]["Properties"]["PolicyDocument"]
    for statement in policy["Statement"]:
        if {"s3:PutObject", "s3:DeleteObject"} & set(_as_list(statement["Action"])):
            assert all(str(each).endswith("/*/trials/*") for each in _as_list(statement["Resource"]))
    actions = [action for each in policy["Statement"] for action in _as_list(each["Action"])]
    assert not any("Version" in action for action in actions)
    with pytest.raises(UsageError, match="--name trials"):
        require_free_name("trials")  # its copies would lie below a folder of that name


def test_aws_bucket_is_private_and_encrypted(stack: dict[str, Any]) -> None:
    (bucket,) = _of_kind(stack, "AWS::S3::Bucket")
    assert list(bucket["PublicAccessBlockConfiguration"].values()) == [True] * 4
    assert bucket["BucketEncryption"]
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    (policy,) = _of_kind(stack, "AWS::S3::BucketPolicy")
    assert [statement["Effect"] for statement in policy["PolicyDocument"]["Statement"]] == ["Deny"]


def _fill(folder: Path, values: dict[str, str], *options: str) -> tuple[dict[str, Any], str]:
    """Runs fill.py in a copy of infra/ that stays from call to call; returns the cluster file and what it printed."""
    script, cluster = folder / "infra/aws/fill.py", folder / "infra/cluster.yaml"
    if not script.exists():
        script.parent.mkdir(parents=True)
        script.write_text((INFRA / "aws/fill.py").read_text())
        cluster.write_text((INFRA / "cluster.yaml").read_text())
    outputs = json.dumps([{"OutputKey": key, "OutputValue": value} for key, value in values.items()])
    command = [sys.executable, str(script), *options]
    ended = subprocess.run(command, input=outputs, text=True, check=True, capture_output=True)
    return yaml.safe_load(cluster.read_text()), ended.stdout


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
    for _ in range(2):  # it may run again, over what it wrote
        config, _ = _fill(tmp_path, values)
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


def test_a_head_is_exchanged_only_on_demand(stack: dict[str, Any], tmp_path: Path) -> None:
    """Its image is part of what `ray up` compares: another one leaves the old head behind, with the ledgers."""

    def images(config: dict[str, Any]) -> tuple[str, str]:
        kinds = config["available_node_types"]
        return kinds["head"]["node_config"]["ImageId"], kinds["gpu"]["node_config"]["ImageId"]

    def values(image: str) -> dict[str, str]:
        return {name: f"{image}-{name}" if name.endswith("Image") else f"sg-{name}" for name in stack["Outputs"]}

    first, said = _fill(tmp_path, values("ami-old1"))
    assert "--new-head" not in said
    later, said = _fill(tmp_path, values("ami-new2"))
    assert images(first)[0] == images(later)[0]
    assert images(first)[1] != images(later)[1]
    assert "--new-head would take" in said
    exchanged, _ = _fill(tmp_path, values("ami-new2"), "--new-head")
    assert images(exchanged)[0] != images(later)[0]
