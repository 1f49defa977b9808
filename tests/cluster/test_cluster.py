"""A study on a real cluster of several machines: launched from outside, a machine lost in the middle, taken down.

The machines are Linux namespaces (hosts.py), everything else is the real thing: SSH, rsync, `ray up` with the
project's own infra/local.yaml, `ray submit`, Ray, MLflow. The tests build on each other, in this order.
"""

import json
import re
import shlex
import urllib.parse
from typing import Any

import pytest

from tests.cluster.hosts import Host
from tests.cluster.machines import FILE, Machines, until

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

STUDY = "lost-worker"
TRIALS = 8
LAUNCH = (
    f"redundancy --name {STUDY} --trials {TRIALS} --max-concurrent 3 --set data.label_noise=0.5,1 "
    "--set model.width=32,64 --set replicates=3"
)
SCAN = """
import socket, sys
for address in sys.argv[1:]:
    found = []
    for port in range(1, 65536):
        with socket.socket() as attempt:
            attempt.settimeout(0.02)
            if attempt.connect_ex((address, port)) == 0:
                found.append(port)
    print(address, *found)
"""


def _open_ports(machines: Machines, seen_from: Host, ports: range) -> dict[str, list[int]]:
    """The TCP ports that each machine of the cluster has open to `seen_from`."""
    addresses = [host.address for host in (machines.head, *machines.workers)]
    scan = SCAN.replace("range(1, 65536)", repr(ports))
    ended = seen_from.run(f"python -c {shlex.quote(scan)} {' '.join(addresses)}", timeout=240)
    assert ended.returncode == 0, ended.stdout
    lines = [line.split() for line in ended.stdout.splitlines()]
    return {line[0]: [int(port) for port in line[1:]] for line in lines}


def _mlflow_runs(machines: Machines, study: str) -> list[dict[str, Any]]:
    """The runs of a study, as the MLflow server tells the laptop through an SSH tunnel."""
    api = "http://127.0.0.1:5000/api/2.0/mlflow"
    name = urllib.parse.quote(study)
    tunnel = (
        "ssh -f -N -o StrictHostKeyChecking=no -o ExitOnForwardFailure=yes -i ~/.ssh/ockham_cluster "
        f"-L 5000:127.0.0.1:5000 root@{machines.head.address}"
    )
    machines.laptop.run(f"{tunnel} > /dev/null 2>&1")  # fails where the tunnel stands already
    found = machines.command(
        f"python -c {shlex.quote(_GET)} '{api}/experiments/get-by-name?experiment_name={name}'", 60
    )
    body = json.dumps({"experiment_ids": [json.loads(found)["experiment"]["experiment_id"]], "max_results": 100})
    return json.loads(
        machines.command(f"python -c {shlex.quote(_GET)} '{api}/runs/search' {shlex.quote(body)}", 60)
    ).get("runs", [])


_GET = """
import sys, urllib.request
data = sys.argv[2].encode() if len(sys.argv) > 2 else None
request = urllib.request.Request(sys.argv[1], data, {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""


def test_without_the_token_ray_is_closed(machines: Machines) -> None:
    connect = "import ray; ray.init(address='auto' if not '{0}' else '{0}', log_to_driver=False); print('let in')"
    script = shlex.quote(connect.format(f"{machines.head.address}:6379"))
    worker = machines.workers[0]
    assert "let in" in worker.run(f"python -c {script}", 90).stdout
    refused = worker.run(f"RAY_AUTH_TOKEN={'0' * 64} python -c {script}", 90)
    assert refused.returncode != 0
    assert "let in" not in refused.stdout
    assert "InvalidAuthToken" in refused.stdout


def test_strangers_find_only_ssh(machines: Machines) -> None:
    around_ray = range(6300, 6400)  # the head's own port lies here
    inside = _open_ports(machines, machines.workers[0], around_ray)
    assert inside[machines.head.address] == [6379]
    for ports in (range(1, 1100), range(4990, 5010), range(6300, 6400), range(8200, 8300), range(10000, 10010)):
        for address, found in _open_ports(machines, machines.laptop, ports).items():
            assert found == ([22] if 22 in ports else []), address


def test_a_study_survives_the_loss_of_a_worker(machines: Machines) -> None:
    log = machines.logs / "submit.log"
    lost = machines.workers[1]
    submitted = machines.laptop.start(f"ray submit {FILE} study/launch.py --no-config-cache -- {LAUNCH}", log)

    def at_work() -> bool:
        assert submitted.poll() is None, log.read_text()[-6000:]
        return bool(lost.processes("ray::StudyTrial")) and any(each["state"] == "RUNNING" for each in trials())

    def trials() -> list[dict[str, Any]]:
        return machines.trials(STUDY)

    until(at_work, 180, "a trial on the second worker")
    lost.unplug()
    lost.kill()
    submitted.wait(timeout=600)
    text = log.read_text()
    assert submitted.returncode == 0, text[-6000:]
    assert re.findall(r"^exit=(\d+)", text, re.MULTILINE) == ["0"]
    assert sorted(each["number"] for each in trials()) == list(range(TRIALS))
    assert {each["state"] for each in trials()} == {"COMPLETE"}
    assert max(each["attempts"] for each in trials()) > 1, "the lost machine's trials ran again"
    assert all("compressibility/auc" in each["metrics"] or each["notes"] for each in trials())


def test_mlflow_has_each_trial_once(machines: Machines) -> None:
    runs = _mlflow_runs(machines, STUDY)
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in runs]
    uids = [tag["ockham.uid"] for tag in tags if "mlflow.parentRunId" in tag]
    assert sorted(uids) == sorted(each["uid"] for each in machines.trials(STUDY))
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}


def test_the_same_command_again_finds_nothing_to_do(machines: Machines) -> None:
    before = machines.trials(STUDY)
    printed = machines.command(f"ray submit {FILE} study/launch.py --no-config-cache -- {LAUNCH}", 180)
    assert "exit=0" in printed
    assert machines.trials(STUDY) == before


def test_down_takes_ray_away_and_leaves_the_studies(machines: Machines) -> None:
    machines.command(f"ray exec {FILE} 'bash ~/ockham/infra/node/mlflow_server.sh stop'", 60)
    machines.command(f"ray down {FILE} --yes", 180)
    until(lambda: not machines.workers[0].processes("raylet"), 120, "the worker's Ray ending by itself")
    assert not machines.head.processes("gcs_server")
    assert not machines.head.processes("mlflow")
    assert (machines.head.home / "studies" / STUDY / "study.db").is_file()
