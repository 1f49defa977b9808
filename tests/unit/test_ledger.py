"""The ledger as one process sees it: trials, steps, outbox, config."""

import pickle
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from study.config.seen import compact, expand
from study.errors import StaleAttempt, StudyMismatch, StudyNotFound, UsageError
from study.ledger import LeaseLost, Ledger, Proposal
from study.ledger import connection as connections
from tests.studies_for_tests import a_ledger, a_study, dense
from trainables.record import Record


def test_a_trial_lives_from_queued_to_complete(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=2)
    attempt = ledger.start_attempt(0)
    ledger.record(0, attempt, [dense(1, accuracy=0.2)])
    ledger.record(0, attempt, [dense(2, accuracy=0.9)])
    ledger.record(0, attempt, [Record("level", 0, {"level/ratio": 1.0}), Record("level", 1, {"level/ratio": 2.0})])
    assert ledger.progress()[0].stage == "level"
    assert ledger.trial(0).metrics == {"train/accuracy": 0.9, "level/ratio": 2.0}, "live, while it runs"
    summary = Record("summary", 0, {"compressibility/auc": 0.7}, {"train/stop_reason": "epochs x5"})
    ended = ledger.finish(0, attempt, "COMPLETE", records=[summary])
    row = ledger.trial(0)
    assert ended == row
    assert (row.state, row.attempts, row.error) == ("COMPLETE", 1, None)
    assert row.metrics == {"train/accuracy": 0.9, "level/ratio": 2.0, "compressibility/auc": 0.7}
    assert row.notes == {"train/stop_reason": "epochs x5"}
    assert row.params["model.width"] == 16
    assert row.params["training.epochs"] == 400, "defaults are frozen as well"
    assert row.duration_s is not None
    assert row.duration_s >= 0
    assert [(r.stage, r.step) for r in ledger.steps(0)] == [
        ("dense", 1),
        ("dense", 2),
        ("level", 0),
        ("level", 1),
        ("summary", 0),
    ]
    assert ledger.counts() == {"QUEUED": 1, "RUNNING": 0, "COMPLETE": 1, "PRUNED": 0, "FAILED": 0}
    assert [row.kind for row in ledger.outbox()] == ["start", *["step"] * 5, "end"]
    assert ledger.states() == {0: "COMPLETE", 1: "QUEUED"}


def test_an_ended_trial_never_changes(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    attempt = ledger.start_attempt(0)
    ledger.finish(0, attempt, "FAILED", error="ValueError: no", traceback="…")
    before, queued = ledger.trial(0), ledger.outbox_size()
    assert not ledger.finish(0, attempt, "COMPLETE", records=[dense(1, accuracy=1.0)])
    ledger.requeue(0, charged=True)
    with pytest.raises(StaleAttempt, match="ended"):
        ledger.start_attempt(0)
    with pytest.raises(StaleAttempt):
        ledger.record(0, attempt, [dense(1, accuracy=1.0)])
    assert ledger.trial(0) == before
    assert ledger.outbox_size() == queued


def test_results_of_an_attempt_that_was_replaced_are_refused(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    first = ledger.start_attempt(0)
    ledger.requeue(0, charged=True)
    with pytest.raises(StaleAttempt):
        ledger.record(0, first, [dense(1, accuracy=0.1)])
    second = ledger.start_attempt(0)
    for refused in (
        lambda: ledger.record(0, first, [dense(1, accuracy=0.1)]),
        lambda: ledger.finish(0, first, "COMPLETE"),
    ):
        with pytest.raises(StaleAttempt, match="too late"):
            refused()
    ledger.requeue(0, charged=False)
    row = ledger.trial(0)
    assert (second, row.state, row.attempts, row.charged, ledger.steps(0)) == (2, "QUEUED", 2, 1, [])


def test_a_replay_after_a_crash_leaves_no_trace(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    ledger.start_attempt(0)
    costly = [Record("dense", step, {"train/loss": 1 / step, "cost/seconds": 3.0}) for step in (1, 2)]
    ledger.record(0, 1, costly)
    told = [(row.payload, row.recorded_ms) for row in ledger.outbox() if row.kind == "step"]
    attempt = ledger.start_attempt(0)  # the driver died; nothing was requeued
    again = [Record("dense", step, {"train/loss": 1 / step, "cost/seconds": 9.0}) for step in (1, 2)]
    ledger.record(0, attempt, again)
    ledger.record(0, attempt, again)
    assert [(row.payload, row.recorded_ms) for row in ledger.outbox() if row.kind == "step"] == told
    ledger.finish(0, attempt, "COMPLETE")
    assert ledger.trial(0).metrics == {"train/loss": 0.5, "cost/seconds": 3.0}


def test_a_changed_step_is_stored_and_told_and_steps_of_the_dead_attempt_are_not_mixed_in(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    ledger.start_attempt(0)
    ledger.record(0, 1, [dense(1, loss=1.0), dense(2, loss=0.5), dense(3, loss=0.4)])
    attempt = ledger.start_attempt(0)
    ledger.record(0, attempt, [dense(1, loss=1.0), dense(2, loss=0.6)])
    ledger.finish(0, attempt, "COMPLETE")
    assert [(r.step, r.metrics["train/loss"]) for r in ledger.steps(0)] == [(1, 1.0), (2, 0.6)]
    assert ledger.trial(0).metrics == {"train/loss": 0.6}
    assert [row.payload["step"] for row in ledger.outbox() if row.kind == "step"] == [1, 2, 3, 2]


def test_proposals_get_the_next_numbers_or_are_refused(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    point = {"data.label_noise": 1, "model.width": 32}
    assert ledger.propose([Proposal(point), Proposal(point, number=1)]) == ledger.trials([0, 1])
    with pytest.raises(ValueError, match="trial 7 came when trial 2"):
        ledger.propose([Proposal(point, number=7)])
    with pytest.raises(ValueError, match="width"):
        ledger.propose([Proposal(point), Proposal({"model.width": -1})])
    assert ledger.next_number() == 2, "of a refused batch nothing stays"
    assert ledger.trial(1).proposed == point


def test_delivered_messages_are_forgotten_and_ids_never_come_back(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=2)
    ledger.start_attempt(0)
    ids = [row.id for row in ledger.outbox()]
    ledger.forget_delivered(ids)
    assert ledger.outbox_size() == 0
    ledger.start_attempt(1)
    assert ledger.outbox()[0].id > max(ids)


def test_launching_the_same_identity_goes_on_and_never_shrinks_the_study(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, trials=6)
    ledger.set_trials(50)
    ledger.release()
    again = Ledger.create(ledger.url, a_study(tmp_path, trials=6, run={"max_concurrent": 3}))
    assert again.config.trials == 50
    assert Ledger.open(ledger.url, "tiny").config.run.max_concurrent is None, "not before it has the lease"
    again.acquire()
    stored = Ledger.open(ledger.url, "tiny").config
    assert (stored.trials, stored.run.max_concurrent) == (50, 3)
    assert stored == again.config
    assert again.uid == ledger.uid


@pytest.mark.parametrize("opened", [True, False], ids=["launched again", "opened"])
def test_what_another_driver_did_before_this_one_has_the_lease_stays(opened: bool, tmp_path: Path) -> None:
    first = a_ledger(tmp_path, trials=6)
    launched = Ledger.create(first.url, a_study(tmp_path, trials=7, run={"max_concurrent": 3}))
    late = launched if opened else Ledger.open(first.url, "tiny")
    first.add([{"data.label_noise": 1, "model.width": 99}] * 3)
    first.take_added()
    first.release()
    late.acquire()
    for config in (late.config, Ledger.open(first.url, "tiny").config):
        assert (config.trials, config.added) == (9, 3)
        assert config.run.max_concurrent == (3 if opened else None)
    (row,) = late.propose([Proposal({"model.width": 16, "data.label_noise": 1})])
    assert row.number == 3


def test_another_identity_under_the_same_name_is_refused_with_what_differs(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    with pytest.raises(StudyMismatch) as caught:
        Ledger.create(ledger.url, a_study(tmp_path, seed=7, sampler="grid", trials=3))
    message = str(caught.value)
    assert "seed: 0 in the study, 7 asked for" in message
    assert "sampler: design in the study, grid asked for" in message
    assert "trials" not in message
    assert "ockham delete tiny" in message


def test_a_study_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    missing = tmp_path / "none" / "study.db"
    with pytest.raises(StudyNotFound, match="no ledger at"):
        Ledger.open(f"sqlite:///{missing}", "tiny")
    assert not missing.parent.exists()
    ledger = a_ledger(tmp_path)
    with pytest.raises(StudyNotFound, match="did you mean 'tiny'"):
        Ledger.open(ledger.url, "tinny")


def test_a_deleted_study_leaves_only_its_fence(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=3)
    ledger.start_attempt(0)
    ledger.record(0, 1, [dense(1, loss=1.0)])
    ledger.delete()
    with pytest.raises(StudyNotFound):
        Ledger.open(ledger.url, "tiny")
    successor = a_ledger(tmp_path)
    assert successor.uid != ledger.uid
    assert successor.next_number() == successor.outbox_size() == 0
    with pytest.raises(LeaseLost):
        ledger.propose([Proposal({"model.width": 16})])


def test_a_stop_is_heard_once(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    Ledger.open(ledger.url, "tiny").request_stop()
    assert ledger.stop_requested()
    ledger.release()
    ledger.acquire()
    assert not ledger.stop_requested()


def test_a_pickled_ledger_opens_its_own_connections(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path, proposals=1)
    copy = pickle.loads(pickle.dumps(ledger))
    assert copy.start_attempt(0) == 1, "the fence goes with it"
    assert ledger.trial(0).state == "RUNNING"


@pytest.mark.parametrize(
    ("url", "says"),
    [("sqlite://", "file"), ("mysql://host/db", "postgresql"), ("nonsense", "nonsense")],
)
def test_unusable_urls_are_refused(url: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        Ledger.create(url, a_study(tmp_path))


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    engine = create_engine(ledger.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE ockham_meta SET value = '99' WHERE key = 'schema_version'"))
    engine.dispose()
    with pytest.raises(UsageError, match="schema 99"):
        Ledger.open(ledger.url, "tiny")


def test_sqlite_on_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert connections.network_filesystem(tmp_path / "not" / "there") is None
    mounts = [Mount(str(tmp_path), "nfs4"), Mount("/", "ext4"), Mount(str(tmp_path / "local"), "xfs")]
    monkeypatch.setattr(connections.psutil, "disk_partitions", lambda all: mounts)
    with pytest.raises(UsageError, match=r"nfs4.*postgresql"):
        Ledger.create(f"sqlite:///{tmp_path / 'study.db'}", a_study(tmp_path))
    assert connections.network_filesystem(tmp_path / "local" / "deep") is None
    assert connections.network_filesystem(tmp_path / "localized") == "nfs4", "a path is no string prefix"


class Mount:
    """As psutil describes one."""

    def __init__(self, mountpoint: str, fstype: str) -> None:
        self.mountpoint, self.fstype = mountpoint, fstype


@pytest.mark.parametrize("numbers", [[], [0], [5], [0, 1, 2], [0, 2, 3, 9], [1, 3, 5]])
def test_sets_of_numbers_survive_their_short_form(numbers: list[int]) -> None:
    assert expand(compact(reversed(numbers))) == numbers


def test_inputs_are_recorded_by_name_and_go_with_the_study(tmp_path: Path) -> None:
    ledger = a_ledger(tmp_path)
    assert ledger.inputs() == {}
    ledger.record_inputs({"data.name=mnist": {"raw/labels": "12ab"}, "compression.ticket=/\udcff": {"t": "34cd"}})
    ledger.record_inputs({"data.name=mnist": {"raw/labels": "99ff"}})
    expected = {"data.name=mnist": {"raw/labels": "99ff"}, "compression.ticket=/\udcff": {"t": "34cd"}}
    assert Ledger.open(ledger.url, "tiny").inputs() == expected
    ledger.delete()
    assert ledger.inputs() == {}
