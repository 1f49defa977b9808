"""Are wide networks full of units that they can do without? Knock-outs at several widths (Casper et al.)."""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import random_labels_teach_nothing
from search_spaces.protocols import CIFAR10, DENSE_ALONE, MNIST
from search_spaces.quantities import Between, Metric, Slope
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Casper et al. 2019, arXiv:1912.04783"


def _share(name: str) -> Metric:
    return Metric(metric=f"measure/removable_and_repeated/{name}", bounds=(0.0, 1.0))


def _over_width(name: str) -> Slope:
    return Slope(of=_share(name), over="model.width")


SPACE = SearchSpace(
    title="Does the share of units that a network can do without grow with its width?",
    claim="Wider networks keep more without half of their units and have more removable units, with any labels.",
    source=_SOURCE,
    base=DENSE_ALONE | {"replicates": 2, "training.epochs": 600, "measures": "removable_and_repeated"},
    span={
        "data.label_noise": Choices(values=(0.0, 1.0)),
        "model.width": Choices(values=(48, 96, 192, 384)),
    },
    trials=64,
    claims=(
        Claim(
            name="wider_stands_knockouts",
            says="Accuracy without a random half of the units grows with the width.",
            quantity=_over_width("knocked_out"),
            comparison=Greater(),
            by="data.label_noise",
            source=f"{_SOURCE}, figure 3",
            published="accuracy without half of the units rises with the width",
        ),
        Claim(
            name="wider_has_removable_units",
            says="The share of removable units grows with the width.",
            quantity=_over_width("removable"),
            comparison=Greater(),
            by="data.label_noise",
            source=_SOURCE,
        ),
        Claim(
            name="wider_has_frivolous_units",
            says="The share of units that are removable or repeated grows with the width.",
            quantity=_over_width("either"),
            comparison=Greater(),
            by="data.label_noise",
            source=_SOURCE,
            published="both kinds of units proliferate when the width is increased",
        ),
        Claim(
            name="learning_leaves_more",
            says="Networks with true labels have more removable units than those with random ones.",
            quantity=Between(of=_share("removable"), first={"data.label_noise": 0.0}, second={"data.label_noise": 1.0}),
            comparison=Greater(matters=0.05),
            source=_SOURCE,
        ),
        random_labels_teach_nothing(0.1),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base=MNIST | {"training.epochs": 200},
            span={"model.width": Choices(values=(128, 256, 512, 1024, 2048))},
            trials=80,
        ),
        "large": Size(
            base=CIFAR10 | {"model.name": "conv4", "training.epochs": 200},
            span={"model.width": Choices(values=(16, 32, 64, 128, 256))},
            trials=80,
        ),
    },
    differs=("MLPs on MNIST (Conv-4 on CIFAR-10 in size large) where the paper has also networks for ImageNet",),
)
