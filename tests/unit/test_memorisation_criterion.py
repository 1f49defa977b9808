"""criterion=memorisation against its definition in plain PyTorch, and that it cuts memories out of trained networks."""

import torch

from tests.engine import config, plain_network, records, scoring, stack
from trainables.compression.criteria.memorisation import Memorisation
from trainables.data.task import Task
from trainables.looking.scoring import Sample, Scoring


def sampled(networks: int = 3) -> tuple[Scoring, Sample]:
    """30 examples, of which every third has a changed label, in the last network none."""
    seen = scoring(stack(networks))
    whole = seen.sample
    labels = whole.labels[:, :30]
    truth = labels.clone()
    truth[:-1, ::3] = (truth[:-1, ::3] + 1) % 10
    task: Task = whole.task
    sample = Sample(whole.inputs[:, :30], labels, task, truth)
    seen.__dict__["sample"] = sample
    return seen, sample


def test_a_unit_carries_its_activation_times_the_slope_of_the_margins() -> None:
    seen, sample = sampled()
    found = [Memorisation().scores(seen, group) for group in seen.stack.groups]
    for network in range(3):
        plain = plain_network(seen.stack.tensors(), network)
        values = sample.inputs[network].flatten(1)
        hidden = []
        for layer in plain:
            values = layer(values)
            if isinstance(layer, torch.nn.ReLU):
                values.retain_grad()
                hidden.append(values)
        labels = sample.labels[network]
        own = values[torch.arange(30), labels]
        margins = own - values.masked_fill(torch.nn.functional.one_hot(labels, 10).bool(), -torch.inf).amax(dim=1)
        assert sample.truth is not None
        kept = labels == sample.truth[network]
        mean = margins[kept].mean() - (margins[~kept].mean() if (~kept).any() else 0)
        mean.backward()
        for units, scores in zip(hidden, found, strict=True):
            assert units.grad is not None
            torch.testing.assert_close(scores[network].float(), (units * units.grad).sum(dim=0).detach())


def test_changed_examples_go_first_and_kept_ones_stay() -> None:
    """Beside as much random removal from the same networks."""
    accuracies = {}
    for criterion in ("memorisation", "random"):
        trial = config(
            **{"data__split": (400, 60, 60), "data__label_noise": 0.2, "data__noise_kind": "wrong"},
            **{"model__width": 64, "training__epochs": 200, "control": False, "compression__criterion": criterion},
            compression__target_ratio=2.0,
        )
        rows = [row for row in records(trial)[-1].networks if row["level"] == 1]
        accuracies[criterion] = {
            kind: sum(row[f"{kind}_accuracy"] for row in rows) / len(rows) for kind in ("kept", "changed")
        }
    own, other = accuracies["memorisation"], accuracies["random"]
    assert own["kept"] - own["changed"] > other["kept"] - other["changed"] + 0.1
    assert own["kept"] > other["kept"] - 0.1
