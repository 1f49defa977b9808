"""What tasks say of targets and answers: numbers against scikit-learn and PyTorch, by hand, and against each other."""

from typing import Any

import pytest
import torch
from sklearn.metrics import r2_score
from torch import Tensor, nn
from torch.nn import functional

from tests.engine import CLASSES, config, labels, pixels, stack
from trainables.config import DataConfig
from trainables.data.task import TASKS, IidTruth, Task, task_of
from trainables.noises.permuted import Permuted
from trainables.noises.uniform import Uniform
from trainables.pausing import finish
from trainables.seeding import generator
from trainables.stack.mlp import StackedMLP
from trainables.tasks.classification import Classification
from trainables.tasks.regression import Regression
from trainables.training.evaluate import evaluating

NUMBERS = Regression()
TEACHER = {"data__name": "teacher", "data__teacher": {"task": "regression"}, "data__noise_kind": "permuted"}


def normal(*shape: int, draw: int = 0) -> Tensor:
    return torch.randn(shape, generator=generator(0, "test", draw))


def model(outputs: int = 2) -> StackedMLP:
    return stack(sizes=(20, 16, 12, outputs))


@pytest.mark.parametrize("name", TASKS.names())
def test_tasks_have_names_for_their_score(name: str) -> None:
    task = TASKS.get(name)()
    assert task.score.isidentifier()
    assert "_" not in task.score, "names of metrics and columns are split there"
    assert task.label
    assert Uniform.is_for(has_classes=task.has_classes), "the default means something everywhere"


def test_data_sets_say_what_they_ask_for() -> None:
    assert isinstance(task_of(DataConfig()), Classification)
    assert isinstance(task_of(DataConfig(name="teacher")), Classification)
    assert isinstance(task_of(config(**TEACHER).data), Regression)


@pytest.mark.parametrize("outputs", [1, 3])
def test_r2_is_that_of_scikit_learn(outputs: int) -> None:
    said, wanted = normal(2, 40, outputs), normal(2, 40, outputs, draw=1) + torch.arange(outputs)
    found = NUMBERS.scores(said, wanted)
    for k in range(2):
        expected = r2_score(wanted[k].double(), said[k].double(), multioutput="variance_weighted")
        assert float(found[k]) == pytest.approx(expected, abs=1e-12)


def test_r2_of_chosen_examples() -> None:
    said, wanted = normal(3, 40, 1), normal(40, 1, draw=1)
    chosen = torch.zeros(3, 40, dtype=torch.bool)
    chosen[0, :15] = True
    chosen[1, :9] = True
    found = NUMBERS.scores(said, wanted, chosen)
    assert float(found[0]) == pytest.approx(r2_score(wanted[:15].double(), said[0, :15].double()), abs=1e-12)
    assert found[1].isnan(), "too few"
    assert found[2].isnan()


def test_chance_is_the_mean_of_the_targets_given() -> None:
    wanted = normal(2, 50, 3)
    mean = wanted.mean(dim=1, keepdim=True).expand_as(wanted)
    assert NUMBERS.scores(mean, wanted).tolist() == pytest.approx([0, 0], abs=1e-9)
    assert NUMBERS.chance(wanted, 3).tolist() == [0, 0]


@pytest.mark.parametrize("outputs", [1, 3])
def test_the_running_score_is_r2(outputs: int) -> None:
    said, wanted = normal(3, 40, outputs), normal(3, 40, outputs, draw=1)
    losses, _ = NUMBERS.loss()(said, wanted)
    rows = torch.tensor([2, 0])
    found = NUMBERS.running_scores(losses.double().mean(dim=1)[rows], torch.zeros(2), wanted, rows)
    assert torch.allclose(found, NUMBERS.scores(said, wanted)[rows], atol=1e-6)


@pytest.mark.parametrize(("task", "targets"), [(CLASSES, labels(3, 30)), (NUMBERS, normal(3, 30, 10))])
def test_both_forms_of_the_loss_are_one(task: Task, targets: Tensor) -> None:
    said = normal(3, 30, 10, draw=2).requires_grad_()
    losses, gradient = task.loss()(said, targets)
    graph = task.graph_loss(said, targets)
    assert float(graph.detach()) == pytest.approx(float(losses.sum()), rel=1e-5)
    (expected,) = torch.autograd.grad(graph / 30, said)
    assert torch.allclose(gradient, expected, atol=1e-6)


def test_iid_r2_is_what_many_draws_of_the_noise_give() -> None:
    said, own, given = normal(2, 200, 2), normal(200, 2, draw=1), 1.5 * normal(300, 2, draw=2) + 0.3
    targets, truth = own.expand(2, -1, -1), IidTruth(training=given, outputs=2)
    draws, p = generator(0, "many"), 0.4
    drawn = torch.stack([given[torch.randint(300, (200,), generator=draws)] for _ in range(400)])
    noisy = torch.where(torch.rand(400, 200, 1, generator=draws) < p, drawn, own)
    expected = NUMBERS.scores(said[:1].expand(400, -1, -1).flatten(0, 1)[None], noisy.flatten(0, 1)[None])
    found = NUMBERS.iid_scores(Uniform(), p, said, targets, truth)
    assert found is not None
    assert float(found[0]) == pytest.approx(float(expected[0]), abs=0.02)
    clean = NUMBERS.iid_scores(Uniform(), 0.0, said, targets, truth)
    assert clean is not None
    assert torch.equal(clean, NUMBERS.scores(said, targets))
    assert NUMBERS.iid_scores(Permuted(), p, said, targets, truth) is None


@pytest.mark.parametrize("shared", [False, True])
def test_numbers_are_evaluated_as_ordinary_networks_say_them(shared: bool) -> None:
    networks, inputs, wanted = model(), pixels(), normal(3, 100, 2)
    found = finish(evaluating(networks, inputs, wanted[0] if shared else wanted, NUMBERS))
    images = inputs.slice(0, 100)
    for k in range(3):
        said = networks.unstack(k)(images[k])
        target = wanted[0 if shared else k]
        assert torch.allclose(found.predictions[k], said, atol=1e-5)
        assert found.loss[k] == pytest.approx(functional.mse_loss(said, target).item(), abs=1e-5)
        assert found.score[k] == pytest.approx(
            r2_score(target, said.detach(), multioutput="variance_weighted"), abs=1e-5
        )


def test_a_stack_steps_as_each_network_alone_would() -> None:
    """One step of plain gradient descent on squared error, against autograd on the unstacked networks."""
    networks, wanted = model(), normal(3, 100, 2)
    x = pixels().slice(0, 100)
    alone: list[nn.Module] = [networks.unstack(k) for k in range(3)]
    _, _, gradients = networks.gradients(x, wanted, NUMBERS.loss())
    for k, network in enumerate(alone):
        loss = functional.mse_loss(network(x[k]), wanted[k])
        expected = torch.autograd.grad(loss, list(network.parameters()))
        norms = [float(gradient.norm()) for gradient in expected]
        assert [float(gradient[k].norm()) for gradient in gradients] == pytest.approx(norms, rel=1e-4)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"data__noise_kind": "wrong"},
            r"data\.noise_kind=wrong is of classes, .*teacher.*use added or permuted or uniform",
        ),
        ({"data__noise_kind": "renamed"}, "noise_kind=renamed"),
        ({"training__stop_at_train_accuracy": 0.9}, r"stop_at_train_accuracy=0\.9 .*stop_at_train_loss.*R² = 0\.99"),
        ({"training__label_smoothing": 0.1}, r"label_smoothing=0\.1 .*leave it at 0"),
        ({"compression__method": "distill", "compression.distill.temperature": 2.0}, r"distill\.temperature"),
        ({"compression__criterion": "grasp", "compression.grasp.temperature": 200.0}, r"grasp\.temperature"),
        ({"data__teacher": {"task": "regression", "classes": 3}}, r"classes: task=regression has none; use outputs"),
        ({"data__teacher": {"outputs": 3}, "data__noise_kind": "uniform"}, r"outputs: task=classification has none"),
    ],
)
def test_what_is_of_classes_is_refused_for_numbers(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        config(**{**TEACHER, **fields})


def test_smoothing_of_numbers_is_never_ignored() -> None:
    with pytest.raises(ValueError, match="numbers have none"):
        NUMBERS.loss(0.1)
