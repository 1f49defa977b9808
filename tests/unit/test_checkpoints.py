"""Checkpoints: whole or not there, checked, fenced by attempt."""

import time
from pathlib import Path

import pytest
import torch

from trainables.checkpoints import CheckpointStore


def store(folder: Path, attempt: int = 1, **options: float) -> CheckpointStore:
    return CheckpointStore(folder / "checkpoints", attempt, **options)  # type: ignore[arg-type]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def test_state_comes_back(tmp_path: Path) -> None:
    state = {"tensors": {"a": torch.arange(3.0)}, "epoch": 4, "why": [None, "text", 0.1], "nested": [{"b": True}]}
    assert store(tmp_path).latest() is None
    store(tmp_path).save(state)
    found = store(tmp_path, attempt=2).latest()
    assert found is not None
    assert torch.equal(found.pop("tensors")["a"], torch.arange(3.0))
    assert found == {key: value for key, value in state.items() if key != "tensors"}


def test_last_two_stay(tmp_path: Path) -> None:
    mine = store(tmp_path, attempt=3)
    for number in range(5):
        mine.save({"n": number})
    assert names(tmp_path) == ["attempt-000.003-000004.pt", "attempt-000.003-000005.pt"]
    assert mine.latest() == {"n": 4}


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "header"])
def test_damaged_file_gives_way_to_the_one_before(tmp_path: Path, damage: str) -> None:
    mine = store(tmp_path)
    mine.save({"n": 1})
    path = tmp_path / "checkpoints" / str(mine.save({"n": 2}))
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[:-1]
    elif damage == "flip":
        data[len(data) // 2] ^= 1
    elif damage == "header":
        data[30] ^= 1
    else:
        data.clear()
    path.write_bytes(data)
    assert mine.latest() == {"n": 1}
    mine.save({"n": 3})
    assert mine.latest() == {"n": 3}


def test_a_lower_attempt_is_not_read_once_a_higher_has_written(tmp_path: Path) -> None:
    zombie, successor = store(tmp_path, 1), store(tmp_path, 2)
    zombie.save({"by": 1})
    assert successor.latest() == {"by": 1}
    path = tmp_path / "checkpoints" / str(successor.save({"by": 2}))
    zombie.save({"by": 1, "late": True})
    assert store(tmp_path, 3).latest() == {"by": 2}
    path.write_bytes(b"damaged")
    assert store(tmp_path, 3).latest() is None
    store(tmp_path, 3).save({"by": 3})
    assert names(tmp_path) == ["attempt-000.003-000001.pt"]


def test_a_later_lease_counts_before_the_attempt(tmp_path: Path) -> None:
    """A ledger restored from a snapshot may not know of attempts that its lost successor had begun."""
    lost, restored = store(tmp_path, 7, fence=3), store(tmp_path, 2, fence=4)
    lost.save({"by": "lost"})
    assert restored.latest() == {"by": "lost"}
    restored.save({"by": "restored"})
    lost.save({"by": "lost", "late": True})
    assert store(tmp_path, 3, fence=4).latest() == {"by": "restored"}


def test_unfinished_writes_are_no_checkpoints(tmp_path: Path) -> None:
    mine = store(tmp_path)
    mine.save({"n": 1})
    (tmp_path / "checkpoints" / "attempt-000.001-000002.tmp-77").write_bytes(b"half")
    assert mine.latest() == {"n": 1}


def test_code_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    mine = store(tmp_path)
    mine.save({"path": Path("x")})
    with pytest.raises(Exception, match=r"weights_only|Unsupported"):
        mine.latest()


def test_due_after_the_interval_only(tmp_path: Path) -> None:
    assert store(tmp_path, interval_s=0.0).due()
    late = store(tmp_path, interval_s=3600.0)
    assert not late.due()
    late.save({})
    assert not late.due()


def test_slow_saving_is_done_less_often(tmp_path: Path) -> None:
    slow = CheckpointStore(tmp_path, 1, interval_s=0.01, on_moment=lambda _: time.sleep(0.5))
    slow.save({"epoch": 1})
    time.sleep(0.02)
    assert not slow.due()
