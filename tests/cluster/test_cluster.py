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
_CONNECT = """
import socket, sys
for port in sys.argv[2:]:
    with socket.socket() as attempt:
        attempt.settimeout(1.0)
        if attempt.connect_ex((sys.argv[1], int(port))) == 0:
            print(port)
"""
_GET = """
import sys, urllib.request
data = sys.argv[2].encode() if len(sys.argv) > 2 else None
request = urllib.request.Request(sys.argv[1], data, {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=30).read().decode())
"""


def _listening(host: Host) -> set[int]:
    """The TCP ports on which something listens on a machine, on whichever of its addresses."""
    sockets = host.run("ss --no-header --listening --tcp --numeric").stdout
    return {int(line.split()[3].rpartition(":")[2]) for line in sockets.splitlines()}


def _reached(host: Host, seen_from: Host) -> set[int]:
    """Those of them that let another machine connect."""
    ports = " ".join(map(str, sorted(_listening(host))))
    ended = seen_from.run(f"python -c {shlex.quote(_CONNECT)} {host.address} {ports}", timeout=120)
    assert ended.returncode == 0, ended.stdout
    return set(map(int, ended.stdout.split()))


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
    worker = machines.workers[0]
    for host in (machines.head, *machines.workers):
        assert len(_listening(host)) > 3, "Ray listens"
        assert _reached(host, seen_from=machines.laptop) == {22}
    assert 5000 in _listening(machines.head), "MLflow listens"
    inside = _reached(machines.head, seen_from=worker)
    assert {22, 6379} <= inside
    assert 5000 not in inside, "MLflow is for the head itself"


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
