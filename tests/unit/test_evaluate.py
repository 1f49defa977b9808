"""Evaluation says what the networks say, and touches nothing."""

import pytest
import torch
import torch.nn.functional as F

from tests.engine import CLASSES, labels, pixels, stack
from trainables.pausing import finish
from trainables.training import evaluate
from trainables.training.evaluate import evaluating


@pytest.mark.parametrize("chunk_bytes", [8 << 20, 80 * 3 * 7])
def test_loss_and_predictions_are_those_of_the_networks(chunk_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "_CHUNK_BYTES", chunk_bytes)
    model, inputs, given = stack(), pixels(), labels()
    found = finish(evaluating(model, inputs, given, CLASSES))
    images = inputs.slice(0, 100)
    for network in range(3):
        logits = model.unstack(network)(images[network])
        assert torch.equal(found.predictions[network], logits.argmax(dim=1))
        assert found.loss[network] == pytest.approx(F.cross_entropy(logits, given[network]).item(), abs=1e-5)
    assert torch.equal(found.score, (found.predictions == given).double().mean(dim=1))


def test_shared_labels_are_those_of_every_network() -> None:
    shared = labels()[0]
    one = finish(evaluating(stack(), pixels(), shared, CLASSES))
    other = finish(evaluating(stack(), pixels(), shared.expand(3, -1), CLASSES))
    assert torch.equal(one.loss, other.loss)


def test_score_on_chosen_examples_and_other_labels() -> None:
    found = finish(evaluating(stack(), pixels(), labels(), CLASSES))
    chosen = torch.zeros(3, 100, dtype=torch.bool)
    chosen[0, :10] = True
    chosen[1, :4] = True
    accuracy, correct = found.score_on(chosen), found.predictions == labels()
    assert accuracy[0] == correct[0, :10].double().mean()
    assert accuracy[1] == correct[1, :4].double().mean()
    assert accuracy[2].isnan()
    truth = labels()[2]
    expected = (found.predictions[0, :10] == truth[:10]).double().mean()
    assert found.score_on(chosen, truth)[0] == expected


def test_nothing_is_touched() -> None:
    model, inputs, given = stack(), pixels(), labels()
    before = {name: tensor.clone() for name, tensor in model.tensors().items()}
    images, wanted, random = inputs.images.clone(), given.clone(), torch.get_rng_state()
    mode = model.training
    finish(evaluating(model, inputs, given, CLASSES))
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.tensors().items())
    assert all(parameter.grad is None and parameter.requires_grad for parameter in model.parameters())
    assert torch.equal(inputs.images, images)
    assert torch.equal(given, wanted)
    assert torch.equal(torch.get_rng_state(), random)
    assert model.training == mode
