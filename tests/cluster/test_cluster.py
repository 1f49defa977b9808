"""A study on a real cluster of several machines: launched from outside, a machine lost in the middle, taken down.

The machines are Linux namespaces (hosts.py), everything else is the real thing: SSH, rsync, `ray up` with the
project's own infra/local.yaml, `ray submit`, Ray, MLflow. One cluster serves all tests, in this order.
"""

import json
import shlex
import shutil
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.hosts import Host
from tests.cluster.machines import FILE, Launch, Machines, until
from tests.cluster.network import GET, STATUS, listening, reached
from tests.storage_for_tests import ended_in_snapshot

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

STUDY = "lost-worker"
TRIALS = 4
SETTINGS = (
    "--max-concurrent 3 --storage file:///mnt/shared/ockham "
    "--set data.label_noise=0.5,1 --set model.width=32,64 --set replicates=16"
)


def _mlflow_runs(machines: Machines, study: str) -> list[dict[str, Any]]:
    """The runs of a study, as the MLflow server tells the laptop through the guide's tunnel."""
    api = "http://127.0.0.1:5000/api/2.0/mlflow"
    name = urllib.parse.quote(study)
    machines.forward(f"ray attach {FILE} -p 5000", 5000)
    token = (machines.head.home / "studies/mlflow.token").read_text().strip()
    get = f"python -c {shlex.quote(GET)} {token}"
    found = machines.command(f"{get} '{api}/experiments/get-by-name?experiment_name={name}'", 60)
    body = json.dumps({"experiment_ids": [json.loads(found)["experiment"]["experiment_id"]], "max_results": 100})
    return json.loads(machines.command(f"{get} '{api}/runs/search' {shlex.quote(body)}", 60)).get("runs", [])


def test_machines_run_what_was_shipped(machines: Machines) -> None:
    where = "import study, trainables; print(study.__file__, trainables.__file__)"
    for host in (machines.head, *machines.workers):
        shipped = host.run(f"cd / && python -c {shlex.quote(where)}").stdout.split()
        assert shipped == [f"/root/ockham/{package}/__init__.py" for package in ("study", "trainables")]


def test_strangers_find_only_ssh(machines: Machines) -> None:
    worker = machines.workers[0]
    for host in (machines.head, *machines.workers):
        assert len(listening(host)) > 3, "Ray listens"
        assert reached(host, seen_from=machines.laptop) == {22}
    assert 5000 in listening(machines.head), "MLflow listens"
    inside = reached(machines.head, seen_from=worker)
    assert {22, 6379} <= inside
    assert not {5000, 8265} & inside, "MLflow and the dashboard are for the head itself"


def _lose(host: Host, machines: Machines, study: str, launch: Launch) -> int:
    """Switches a machine off while a trial with a checkpoint demonstrably runs there; returns the trial's number.

    The network goes first: what the ledger does not know by then it will never hear from that machine. Should the
    trial have ended just before, the network comes back and the next one is waited for.
    """
    while True:
        number, attempt = _catch(host, machines, study, launch)
        host.unplug()
        time.sleep(1.0)  # what was on the wire arrives
        if any(_is(each, number, attempt) for each in machines.trials(study)):
            host.kill()
            return number
        host.plug()


def _catch(host: Host, machines: Machines, study: str, launch: Launch) -> tuple[int, int]:
    """Waits for a trial on that machine; looks often, as some take five seconds where nothing else runs."""
    return until(lambda: _running_on(host, machines, study, launch), 400, f"a trial on {host.name}", every=0.5)


def _running_on(host: Host, machines: Machines, study: str, launch: Launch) -> tuple[int, int] | None:
    """Number and attempt of a trial that the ledger says is running and whose newest log lies on that machine.

    Files first: asking the ledger takes seconds of the processors that the trials need.
    """
    assert launch.running, launch.text[-6000:]
    logs = {int(log.parent.name): log for log in host.home.glob(f"studies/{study}/trials/*/log.txt")}
    if not any(_checkpoints(machines, study, number) for number in logs):
        return None
    for trial in machines.trials(study):
        number, attempt = trial["number"], trial["attempts"]
        here = number in logs and f"attempt {attempt}\n" in logs[number].read_text(errors="replace")
        if here and trial["state"] == "RUNNING" and _checkpoints(machines, study, number):
            return number, attempt
    return None


def _checkpoints(machines: Machines, study: str, number: int) -> list[Path]:
    """Of a trial, on the storage that all machines see."""
    return list(machines.storage.glob(f"{study}/trials/{number:04d}/checkpoints/*.pt"))


def _is(trial: dict[str, Any], number: int, attempt: int) -> bool:
    """Whether this is that trial, still running in that attempt."""
    return (trial["number"], trial["state"], trial["attempts"]) == (number, "RUNNING", attempt)


@pytest.fixture(scope="module")
def losing(machines: Machines) -> tuple[Launch, int]:
    """The launch of a study that has just lost the second worker, and the trial that ran there."""
    launch = machines.launch(STUDY, f"--trials {TRIALS} {SETTINGS}")
    return launch, _lose(machines.workers[1], machines, STUDY, launch)


@pytest.fixture(scope="module")
def survived(losing: tuple[Launch, int]) -> tuple[Launch, int]:
    """The same when the study has ended."""
    losing[0].process.wait(timeout=900)
    return losing


# The next two while Ray notices the loss, which takes most of a minute.


@pytest.mark.usefixtures("losing")
def test_without_the_token_ray_is_closed(machines: Machines) -> None:
    connect = "import ray; ray.init(address='auto' if not '{0}' else '{0}', log_to_driver=False); print('let in')"
    script = shlex.quote(connect.format(f"{machines.head.address}:6379"))
    worker = machines.workers[0]
    wrong = worker.start(f"RAY_AUTH_TOKEN={'0' * 64} python -c {script}", log := machines.logs / "refused.log")
    assert "let in" in worker.run(f"python -c {script}", 90).stdout
    assert wrong.wait(90) != 0
    refused = log.read_text()
    assert "let in" not in refused
    assert "InvalidAuthToken" in refused


@pytest.mark.usefixtures("losing")
def test_the_dashboard_asks_for_the_token(machines: Machines) -> None:
    if not machines.dashboard:
        pytest.skip("the dashboard's packages could not be fetched")
    machines.forward(f"ray dashboard {FILE}", 8265)
    asked = f"python -c {shlex.quote(STATUS)} http://127.0.0.1:8265"
    assert machines.command(asked, 60).split() == ["200", "401", "200"], "the page, data without it, data with it"


def test_a_study_survives_the_loss_of_a_worker(machines: Machines, survived: tuple[Launch, int]) -> None:
    launch, lost = survived
    assert launch.exit_codes() == (0, [0]), launch.text[-6000:]
    trials = machines.trials(STUDY)
    assert [(each["number"], each["state"]) for each in trials] == [(number, "COMPLETE") for number in range(TRIALS)]
    assert trials[lost]["attempts"] > 1, "the lost machine's trial ran again"
    assert f"trial {lost:04d}: its node is gone" in launch.text
    log = machines.workers[0].home / f"studies/{STUDY}/trials/{lost:04d}/log.txt"
    assert "goes on from a checkpoint" in log.read_text(), "another machine took it up where it was"
    assert not list(machines.storage.glob(f"{STUDY}/trials/*/checkpoints/*")), "nobody needs them any more"
    assert all("compressibility/auc" in each["metrics"] for each in trials)


def _uids(machines: Machines, study: str) -> list[str]:
    """`ockham.uid` of the trials' runs in MLflow; all of them have to be finished."""
    runs = _mlflow_runs(machines, study)
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    tags = [{tag["key"]: tag["value"] for tag in run["data"]["tags"]} for run in runs]
    return [each["ockham.uid"] for each in tags if "mlflow.parentRunId" in each]


@pytest.mark.usefixtures("survived")
def test_mlflow_has_each_trial_once(machines: Machines) -> None:
    assert sorted(_uids(machines, STUDY)) == sorted(each["uid"] for each in machines.trials(STUDY))


@pytest.mark.usefixtures("survived")
def test_what_the_guide_does_with_a_finished_study(machines: Machines) -> None:
    asked = ("ockham status", f"ockham status {STUDY}", f"ockham report {STUDY}")
    overview, status, report = machines.commands(*(f"ray exec {FILE} '{each}'" for each in asked))
    assert STUDY in overview
    assert "All trials have ended." in status
    assert "core-hours" in status
    assert "Report:" in report
    machines.command(f"ray rsync-down {FILE} studies/{STUDY}/report/ ./report/", 90)
    assert list((machines.laptop.home / "ockham/report").glob("*.html"))


@pytest.fixture(scope="module")
def estimating(machines: Machines, survived: tuple[Launch, int]) -> Launch:
    """A dry run under way, of a study file and with prices that the head was given."""
    assert not survived[0].running
    small = {"training.epochs": 2, "compression.depth": 1, "replicates": 2, "model.width": 8}
    checkout = machines.laptop.home / "ockham"
    (checkout / "my_study.yaml").write_text(yaml.safe_dump({"space": "redundancy", "trials": 9, "set": small}))
    shutil.copy(checkout / "infra/prices.example.yaml", checkout / "prices.yaml")
    machines.commands(*(f"ray rsync-up {FILE} {name} {name}" for name in ("my_study.yaml", "prices.yaml")))
    return machines.launch("estimated", "--max-concurrent 2 --dry-run --price prices.yaml", source="my_study.yaml")


@pytest.mark.usefixtures("survived", "estimating")
def test_the_same_command_again_finds_nothing_to_do(machines: Machines) -> None:
    """In tmux, where it goes on without the connection that started it."""
    before = machines.trials(STUDY)
    again = machines.launch(STUDY, f"--trials {TRIALS} {SETTINGS}", options="--tmux")
    assert again.exit_codes(120)[0] == 0, again.text[-6000:]
    shown = machines.stay(f"TERM=xterm ray attach {FILE} --tmux", "tmux")
    until(lambda: "exit=" in shown.read_text(errors="replace"), 180, "the end of it")
    machines.on_head("tmux kill-server")
    assert "exit=0" in shown.read_text(errors="replace")
    assert machines.trials(STUDY) == before


def test_a_dry_run_of_a_study_file_trains_on_a_worker_and_leaves_nothing(
    machines: Machines, estimating: Launch
) -> None:
    assert estimating.exit_codes() == (0, [0]), estimating.text[-6000:]
    assert "9 trials to run" in estimating.text
    assert "3 of its trials were trained just now" in estimating.text
    assert "of the cluster, 2 at once" in estimating.text
    assert "EUR" in estimating.text
    assert not machines.trials("estimated")


@pytest.mark.usefixtures("survived")
def test_a_study_goes_on_after_the_loss_of_the_head_and_its_disk(machines: Machines) -> None:
    # Of so many some still run whenever the copy is seen; networks of the study before would make them short.
    study, count = "lost-head", 12
    arguments = f"--trials {count} --dense-cache 0 {SETTINGS}"
    same = machines.trials(STUDY)
    launch = machines.launch(study, arguments)
    safe = until(
        lambda: ended_in_snapshot(str(machines.storage), study), 400, "a finished trial in a ledger's copy", 0.5
    )
    _catch(machines.workers[0], machines, study, launch)
    finished = {each["number"]: each for each in machines.trials(study) if each["number"] in safe}
    machines.head.unplug()
    machines.head.kill()
    own, printed = launch.exit_codes()  # SSH notices that nobody answers any more
    assert own != 0
    assert not printed

    shutil.rmtree(machines.head.home / "studies")  # a new machine: what the old one had on its disk is gone
    machines.head.power_on()
    machines.close_ports(machines.head)
    machines.command(f"ray up {FILE} --yes --no-config-cache", 420)
    again = machines.launch(study, arguments)  # at once: it waits for the workers, which are still to join
    assert again.exit_codes() == (0, [0]), again.text[-6000:]
    assert "its ledger comes from a snapshot" in again.text
    trials = {each["number"]: each for each in machines.trials(study)}
    assert [each["state"] for each in trials.values()] == ["COMPLETE"] * count
    assert {number: _lasting(trials[number]) for number in finished} == {
        number: _lasting(each) for number, each in finished.items()
    }, "what had ended was not run again"
    assert sorted(_uids(machines, study)) == sorted(each["uid"] for each in trials.values())
    for other in same:  # the same trials: neither study's misfortunes show in its results
        assert _results(trials[other["number"]]) == _results(other)


def _lasting(trial: dict[str, Any]) -> dict[str, Any]:
    """All but the id of its run: the tracking store was on the lost disk too."""
    return {name: value for name, value in trial.items() if name != "mlflow_run_id"}


def _results(trial: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in trial["metrics"].items() if not name.startswith("cost/")}


def test_down_takes_ray_away_and_leaves_the_studies(machines: Machines) -> None:
    machines.command(f"ray exec {FILE} 'bash ~/ockham/infra/node/mlflow_server.sh stop'", 60)
    machines.command(f"ray down {FILE} --yes", 180)
    assert not machines.head.processes("gcs_server")
    assert not machines.head.processes("guarded_server")
    assert (machines.head.home / "studies/mlflow.db").is_file()
