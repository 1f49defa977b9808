"""`examples.parquet`: what is recorded of each example, level by level, and what it takes."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest
import torch
from torch import nn

from study.errors import Damaged
from study.execution.results import example_table, result_files
from study.ledger.files import ListedFile
from study.ledger.frames import example_frame
from tests.engine import config, plain_network, records, run
from trainables.checkpoints import CheckpointStore
from trainables.config import TrialConfig
from trainables.data import recorded
from trainables.record import Record
from trainables.seeding import generator
from trainables.training.inputs import Inputs
from trainables.trial import TrialContext, run_to_level

SUBSET = {"data__subset": 0.6, "data__noise_draw": "study"}


def summary(trial: TrialConfig) -> Record:
    return records(trial)[-1]


def networks_at(trial: TrialConfig, level: int) -> Any:
    course = run_to_level(trial, TrialContext(0, Path("unused")), level)
    while True:
        try:
            next(course)
        except StopIteration as end:
            return end.value


def test_it_says_what_the_networks_of_each_level_say() -> None:
    trial = config(**SUBSET, compression__target_ratio=8.0, training__epochs=20)
    whole = summary(trial)
    found, right = whole.examples, []
    for level in range(3):
        workspace = networks_at(trial, level)
        data = workspace.data
        inputs = Inputs(data.images, data.source, data.mean)
        with torch.no_grad():
            logits = workspace.networks_here()(inputs.slice(0, 150))
        right.append((logits.argmax(dim=2) == data.all_labels).numpy())
        if level == 0:
            tests = Inputs(data.test_images, data.source, data.mean)
            with torch.no_grad():
                said = workspace.networks_here()(tests.slice(0, 60)).argmax(dim=2)
            assert (whole.arrays["test/right"] == (said == data.test_labels).numpy()).all()
            assert (found["prediction"] == logits.argmax(dim=2).numpy()).all()
            own = logits.gather(2, data.all_labels[..., None])[..., 0]
            others = logits.masked_fill(torch.nn.functional.one_hot(data.all_labels, 10).bool(), -torch.inf)
            margins = (own - others.amax(dim=2)).clamp(-31.75, 31.75).numpy()
            assert np.abs(found["margin"] * 0.25 - margins).max() <= 0.125 + 1e-5
    for network in range(6):
        for example in range(150):
            had = [level for level in range(3) if right[level][network, example]]
            lost = max(had, default=-1) + 1
            assert found["lost_at"][network, example] == (-1 if lost == 3 else lost)
    assert len(np.unique(found["lost_at"])) == 4, "all kinds occur"
    assert (found["subset"] == np.stack([np.isin(np.arange(150), row) for row in data.subset.numpy()])).all()
    assert found["network"].tolist() == [0, 1, 2, 0, 1, 2]
    assert found["control"].tolist() == [False] * 3 + [True] * 3


def test_it_is_kept_where_networks_are_given_a_share_or_it_was_asked_for() -> None:
    assert summary(config()).examples == {}
    assert summary(config(**SUBSET, examples="never")).examples == {}
    assert summary(config(examples="always")).examples["subset"].all()
    asked = config(examples="always")
    assert asked.dense_fingerprint() == config().dense_fingerprint(), "the networks are the same"


def test_too_many_rows_are_recorded_when_asked_for_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MOST_ROWS", 899)
    left = summary(config(**SUBSET))
    assert left.examples == {}
    assert left.notes["undefined/examples"] == (
        "900 rows (networks times examples) are more than 899; examples=always records them"
    )
    assert summary(config(**SUBSET, examples="always")).examples != {}


def test_numbers_are_not_right_or_wrong() -> None:
    numbers = {"data__name": "teacher", "data.teacher.task": "regression", "data__noise_kind": "permuted"}
    left = summary(config(**numbers, **SUBSET, training__lr=0.01))
    assert "not right or wrong" in left.notes["undefined/examples"]
    with pytest.raises(ValueError, match="examples=always records which labels"):
        config(**numbers, examples="always")


def test_a_trial_that_was_stopped_records_the_same(tmp_path: Path) -> None:
    trial = config(**SUBSET)
    expected, steps = summary(trial).examples, sum(1 for _ in run(trial))
    for stop in range(3, steps, max(1, steps // 6)):
        store = CheckpointStore(tmp_path / str(stop), 1, interval_s=0)
        for step, _ in enumerate(run(trial, store), start=1):
            if step == stop:
                break
        again = [r for r in run(trial, CheckpointStore(tmp_path / str(stop), 2, interval_s=0)) if r is not None]
        assert again[-1].examples.keys() == expected.keys()
        assert all((again[-1].examples[name] == expected[name]).all() for name in expected)


def test_rows_are_few_bytes_and_read_as_one_frame(tmp_path: Path) -> None:
    trial = config(data__split=(1000, 60, 60), **SUBSET, training__epochs=20, replicates=5)
    found = summary(trial)
    content = example_table(found.examples)
    assert len(content) <= 5 * 10_000, f"{len(content) / 10_000} bytes a row"
    trials: Any = [type("Row", (), {"number": 0, "cell": "cell 0"})()]
    with result_files(tmp_path, 0, [found]) as made:
        for file in made:
            file.place()
    listed = [file.listed_file for file in made]
    assert "trials/0000/examples.parquet" in [file.name for file in listed]
    frame = example_frame(tmp_path, trials, listed)
    assert len(frame) == 10_000
    one = frame[(frame["arm"] == "control") & (frame["network"] == 3)]
    assert one["example"].tolist() == list(range(1000))
    assert (one["prediction"].to_numpy() == found.examples["prediction"][8]).all()
    assert (one["subset"].to_numpy() == found.examples["subset"][8]).all()
    assert np.allclose(one["margin"], found.examples["margin"][8] * 0.25)
    assert (one["right"] == (one["prediction"] == one["label"])).all()
    assert (one["label"] == one["true_label"]).all(), "twins see the truth"
    assert (one["lost_at"].isna().to_numpy() == (found.examples["lost_at"][8] == -1)).all()
    assert one["forgotten"].isna().tolist() == (~one["subset"]).tolist()
    mine = one[one["subset"] & (found.examples["learned"][8] > 0)]
    assert (mine["learned"] == found.examples["learned"][8][mine["example"]]).all()
    assert pd.read_parquet(io.BytesIO(content))["subset"].mean() == pytest.approx(0.6)
    with pytest.raises(Damaged, match=r"trials/0000/examples\.parquet is not what was written|has .* bytes"):
        example_frame(tmp_path, trials, [ListedFile.from_content("trials/0000/examples.parquet", 0, b"other")])


@pytest.mark.parametrize("networks", [1, 3])
def test_rows_of_few_networks_are_few_bytes_too(networks: int) -> None:
    trial = config(data__split=(1000, 60, 60), **SUBSET, training__epochs=20, replicates=networks, control=False)
    found = summary(trial).examples
    content = example_table(found)
    footer = pyarrow.parquet.ParquetFile(io.BytesIO(content)).metadata.serialized_size
    assert len(content) - footer <= 5 * found["subset"].size
    assert footer <= 2500, "which does not grow with the rows"
    read = pd.read_parquet(io.BytesIO(content))
    assert (read["example"] == np.repeat(np.arange(1000), networks)).all()


def test_learning_and_forgetting_are_those_of_a_plain_loop() -> None:
    """An example is looked at when it comes in its batch, before the step on it."""
    trial = config(**SUBSET, training__epochs=6, training__stop_at_train_loss=None, replicates=1)
    found, workspace = summary(trial).examples, networks_at(trial, 0)
    data, start = workspace.data, workspace.initial().tensors()
    for network in range(2):
        own = data.subset[network]
        images = (data.images[0, own].float().flatten(1) - data.mean) / 255
        labels = data.all_labels[network][own]
        plain = plain_network(start, network)
        optimizer = torch.optim.SGD(plain.parameters(), lr=trial.training.lr, momentum=trial.training.momentum)
        learned, forgotten, before = torch.zeros(90), torch.zeros(90), torch.zeros(90, dtype=torch.bool)
        for epoch in range(6):
            order = torch.randperm(90, generator=generator(0, 0, "order", "dense", 0, epoch))
            for batch in order.split(40):
                said = plain(images[batch])
                now = said.argmax(dim=1) == labels[batch]
                learned[batch] = torch.where(now & (learned[batch] == 0), epoch + 1.0, learned[batch])
                forgotten[batch] += before[batch] & ~now
                before[batch] = now
                optimizer.zero_grad()
                nn.functional.cross_entropy(said, labels[batch]).backward()
                optimizer.step()
        assert found["learned"][network, own].tolist() == learned.tolist()
        assert found["forgotten"][network, own].tolist() == forgotten.tolist()
        assert forgotten.sum() > 0
        left_out = np.setdiff1d(np.arange(150), own.numpy())
        assert not found["learned"][network, left_out].any()
