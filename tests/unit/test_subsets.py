"""`data.subset` and `data.noise_draw`: what each network is given, and that nothing else reaches it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import trainables.trial
from tests.engine import config, plain_network, records
from trainables.config import TrialConfig
from trainables.data.loading import prepare
from trainables.data.trial_data import TrialData, trial_data
from trainables.seeding import generator
from trainables.trial import TrialContext, run_to_level

NOWHERE = Path("no-data-needed")


def data_of(trial: TrialConfig, number: int = 0) -> TrialData:
    return trial_data(trial, number, NOWHERE)


def test_replicates_have_shares_of_their_own_and_twins_those_of_their_replicates() -> None:
    data = data_of(config(data__subset=0.7, data__label_noise=0.3))
    assert data.subset is not None
    assert data.subset.shape == data.labels.shape == data.kept_mask.shape == data.truth.shape == (6, 105)
    assert torch.equal(data.subset[:3], data.subset[3:])
    assert len({tuple(row.tolist()) for row in data.subset}) == 3
    assert all(row.unique().tolist() == row.tolist() for row in data.subset), "each once, in rising order"
    assert torch.equal(data.labels[3:], data.true_labels[data.subset[3:]])
    assert torch.equal(data.labels[1], data.all_labels[1][data.subset[1]])
    changed = (data.all_labels[1] != data.true_labels)[data.subset[1]]
    assert torch.equal(~data.kept_mask[1], changed)
    assert data.changed_share[1] == changed.double().mean()


def test_labels_do_not_depend_on_subsets_nor_subsets_on_how_many_networks_there_are() -> None:
    some, all_of_them = data_of(config(data__subset=0.5)), data_of(config())
    assert all_of_them.subset is None
    assert torch.equal(some.all_labels, all_of_them.labels)
    more = data_of(config(data__subset=0.5, replicates=4))
    assert some.subset is not None
    assert more.subset is not None
    assert torch.equal(some.subset[:3], more.subset[:3])
    other = data_of(config(data__subset=0.5), number=1).subset
    assert other is not None
    assert not torch.equal(other, some.subset)


def test_each_example_is_given_to_about_its_share_of_the_networks() -> None:
    data = data_of(config(data__subset=0.7, replicates=400, control=False))
    assert data.subset is not None
    given = data.subset.flatten().bincount(minlength=150).double() / 400
    assert given.mean() == pytest.approx(0.7)
    assert given.std() == pytest.approx((0.7 * 0.3 / 400) ** 0.5, rel=0.25)


def test_one_draw_of_labels_for_a_study_is_the_same_in_all_its_networks_and_trials() -> None:
    one, two = (data_of(config(data__noise_draw="study"), number=number) for number in (0, 7))
    assert (one.labels[:3] == one.labels[0]).all()
    assert torch.equal(one.labels[0], two.labels[0])
    assert torch.equal(one.labels[3:], one.true_labels.expand(3, -1)), "twins see the truth"
    low = data_of(config(data__noise_draw="study", data__label_noise=0.1))
    changed, of_them = low.labels[0] != low.true_labels, low.labels[0] == one.labels[0]
    assert of_them[changed].all(), "less noise is a part of more"
    other = data_of(config(data__noise_draw="study", seed=1, data__label_noise=1))
    assert not torch.equal(other.labels[0], one.labels[0])


@pytest.mark.parametrize("share", [0.005, 0.999])
def test_subsets_that_give_or_leave_out_nothing_are_refused(share: float) -> None:
    with pytest.raises(ValueError, match=r"data.subset=0.* of 150 training examples gives each network 1"):
        prepare(config(data__subset=share).data, NOWHERE)


def test_a_network_trains_as_a_plain_loop_on_its_subset() -> None:
    trial = config(data__subset=0.6, training__epochs=3, training__stop_at_train_loss=None)
    workspace = _dense(trial)
    data, trained, start = workspace.data, workspace.networks_here().tensors(), workspace.initial().tensors()
    assert data.subset is not None
    for network in range(6):
        own = data.subset[network]
        images = (data.images[0, own].float().flatten(1) - data.mean) / 255
        labels = data.all_labels[network][own]
        plain = plain_network(start, network)
        optimizer = torch.optim.SGD(plain.parameters(), lr=trial.training.lr, momentum=trial.training.momentum)
        for epoch in range(3):
            order = torch.randperm(90, generator=generator(0, 0, "order", "dense", network % 3, epoch))
            for batch in order.split(40):
                optimizer.zero_grad()
                nn.functional.cross_entropy(plain(images[batch]), labels[batch]).backward()
                optimizer.step()
        for place, layer in enumerate(each for each in plain if isinstance(each, nn.Linear)):
            torch.testing.assert_close(trained[f"layers.{place}.weight"][network].T, layer.weight.data)
        right = (plain(images).argmax(dim=1) == labels).double().mean().item()
        assert workspace.progress.rows[network]["train_accuracy"] == pytest.approx(right)


@pytest.mark.parametrize(
    "more",
    [
        {"compression__recovery": "rewind", "compression__recovery_epochs": 2},
        {"compression__criterion": "taylor", "compression__recovery": "finetune", "compression__recovery_epochs": 2},
        {"compression__method": "distill", "compression.distill.epochs": 2},
        {"compression__method": "distill", "compression.distill.epochs": 2, "compression__transfer": "gaussian"},
        {"compression__method": "quantize", "compression__ratio": "description_length"},
        {"data__inputs": "shuffled_pixels"},
        {"data__label_noise": 0.0, "training__augment": "crop"},
    ],
)
def test_what_a_network_was_not_given_does_not_reach_it(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    trial = config(**{"data__subset": 0.6, "replicates": 2, **more})

    def rows() -> list[dict[str, Any]]:
        found = records(trial)[-1].networks
        return [dict(row) for row in found]

    straight, made = rows(), trainables.trial.trial_data

    def spoilt(*args: Any) -> TrialData:
        data = made(*args)
        assert data.subset is not None
        images, left_out = data.images.clone(), torch.ones(150, dtype=torch.bool)
        left_out[data.subset[0]] = False
        images[:, left_out] = 255 - images[:, left_out]
        return replace(data, images=images)

    monkeypatch.setattr(trainables.trial, "trial_data", spoilt)
    for before, after in zip(straight, rows(), strict=True):
        same = before == after
        assert same == (before["network"] == 0), "the other replicate was given some of these"


def _dense(trial: TrialConfig) -> Any:
    course = run_to_level(trial, TrialContext(0, NOWHERE), 0)
    while True:
        try:
            next(course)
        except StopIteration as end:
            return end.value
