"""Can networks fit anything? Zhang et al.'s randomization tests: labels and pixels replaced by chance.

Every arm of their table: true, half random and random labels, on images as they are, with one permutation of the
pixels, with another for each image, and on noise with the images' moments. No twins: arms are compared with each other.
"""

from search_spaces.claims import AtLeast, Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import random_labels_teach_nothing
from search_spaces.protocols import CIFAR10, DENSE_ALONE, MLP_ON_CIFAR10
from search_spaces.quantities import Between, Metric, Order, Setting
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Zhang et al. 2017, arXiv:1611.03530"
_EPOCHS, _TEST = Metric(metric="train/epochs_to_fit"), Metric(metric="test/accuracy")


def _arm(noise: float, inputs: str = "true") -> Setting:
    return {"data.label_noise": noise, "data.inputs": inputs}


SPACE = SearchSpace(
    title="Can networks fit labels and images that mean nothing?",
    claim="All arms are fitted; random labels take longer, and the test accuracy falls with the noise to chance.",
    source=f"{_SOURCE}, figure 1 and table 1",
    base=DENSE_ALONE | {"replicates": 2, "training.epochs": 600},
    span={
        "data.label_noise": Choices(values=(0.0, 0.5, 1.0)),
        "data.inputs": Choices(values=("true", "shuffled_pixels", "random_pixels", "gaussian")),
    },
    trials=96,
    claims=(
        Claim(
            name="everything_is_fitted",
            says="Networks fit 99 % of the labels, whatever was replaced by chance.",
            quantity=Metric(metric="train/accuracy"),
            comparison=AtLeast(bound=0.99),
            by="data.label_noise",
            source=f"{_SOURCE}, table 1",
            published="CIFAR-10, training accuracy 100 % on true and on random labels",
        ),
        Claim(
            name="random_labels_take_longer",
            says="Random labels take more epochs to fit than true ones.",
            quantity=Between(of=_EPOCHS, first=_arm(1.0), second=_arm(0.0)),
            comparison=Greater(matters=5.0),
            source=f"{_SOURCE}, figure 1a",
            published="only by a small constant factor longer",
        ),
        Claim(
            name="test_accuracy_falls_with_noise",
            says="Test accuracy falls from true over half random to random labels.",
            quantity=Order(of=_TEST, settings=(_arm(0.0), _arm(0.5), _arm(1.0))),
            comparison=Greater(matters=0.05),
            source=f"{_SOURCE}, figure 1c",
        ),
        random_labels_teach_nothing(0.1, published="MLP 3 × 512 on CIFAR-10: 10.48 %"),
        Claim(
            name="one_permutation_is_nothing_to_an_mlp",
            says="One permutation of the pixels for all images changes no epoch that an MLP needs.",
            quantity=Between(of=_EPOCHS, first=_arm(0.0, "shuffled_pixels"), second=_arm(0.0)),
            comparison=Equivalent(matters=2.0),
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=MLP_ON_CIFAR10 | {"training.epochs": 300}, trials=24),
        "large": Size(
            base=CIFAR10 | {"model.name": "wide_resnet", "training.lr": 0.1, "training.epochs": 300}, trials=24
        ),
    },
    differs=(
        "an MLP 3 × 512 (a wide residual network in size large) in place of Inception and AlexNet",
        "regularised arms are the study regularisation",
    ),
)
