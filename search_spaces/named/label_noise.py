"""Can networks learn where most labels are wrong? Each image many times, with noisy labels drawn for each copy.

A share p of noisy labels leaves α = p/(1 − p) of them for each clean one. Since copies of an image contradict each
other, nothing can be memorised: networks follow the most frequent label.
"""

from search_spaces.claims import AtLeast, AtMost, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import random_labels_teach_nothing
from search_spaces.protocols import DENSE_ALONE
from search_spaces.quantities import Between, Metric, Order
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Rolnick et al. 2017, arXiv:1705.10694"
_NOISE = "data.label_noise"
# 1, where no clean label is left, is the placebo.
_SOME_CLEAN = (0.5, 0.8, 0.9)
_TEST = Metric(metric="test/accuracy")

SPACE = SearchSpace(
    title="Do networks learn the rule where most of their labels are noise?",
    claim="Test accuracy falls slowly with the number of noisy labels for each clean one, and stays above chance.",
    source=f"{_SOURCE}, figure 1",
    base=DENSE_ALONE
    | {
        "data.copies": 20,
        "replicates": 2,
        "training.epochs": 6,
        "training.batch_size": 100,
        "training.lr": 0.02,
        "training.stop_at_train_loss": None,
    },
    span={"data.label_noise": Choices(values=(*_SOME_CLEAN, 1.0))},
    trials=32,
    claims=(
        Claim(
            name="above_chance",
            says="With up to 9 noisy labels for each clean one, networks have half of the new images right.",
            quantity=_TEST,
            comparison=AtLeast(bound=0.5),
            where={_NOISE: _SOME_CLEAN},
            by=_NOISE,
            source=_SOURCE,
            published="MNIST: above 90 % with 100 noisy labels for each clean one",
        ),
        Claim(
            name="falls_slowly",
            says="From 1 to 4 noisy labels for each clean one, test accuracy falls by at most five points.",
            quantity=Between(of=_TEST, first={_NOISE: 0.5}, second={_NOISE: 0.8}),
            comparison=AtMost(bound=0.05),
            source=_SOURCE,
        ),
        Claim(
            name="falls",
            says="It falls with the number of noisy labels.",
            quantity=Order(of=_TEST, settings=({_NOISE: 0.5}, {_NOISE: 0.8}, {_NOISE: 0.9})),
            comparison=Greater(),
            source=_SOURCE,
        ),
        random_labels_teach_nothing(0.1),
    ),
)

_MNIST = {"data.name": "mnist", "data.copies": 20, "training.batch_size": 128, "training.lr": 0.01}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base=_MNIST, span={"data.label_noise": Choices(values=(0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 1.0))}, trials=14
        ),
        "large": Size(
            base={**_MNIST, "data.name": "cifar10", "model.name": "resnet20", "model.width": 16},
            span={"data.label_noise": Choices(values=(0.5, 0.8, 0.9, 0.95, 1.0))},
            trials=10,
        ),
    },
    differs=(
        "a copy is noisy with probability p, where the paper has one clean label and α noisy ones of each image",
        "20 copies of each image whatever p is, so that the number of examples stays the same",
    ),
)
