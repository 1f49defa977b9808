"""Can pruning improve what a network says of new images? Units cut and networks tuned again, on noisy labels."""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import same_dense_networks
from search_spaces.protocols import CONV4_ON_CIFAR10, MNIST
from search_spaces.quantities import Between, Difference, Level
from search_spaces.space import Choices, SearchSpace

_DIRECTION = "compression.direction"
_DENSE = Level(column="test_accuracy", level=0)


def _accuracy_at(level: int) -> Level:
    return Level(column="test_accuracy", level=level)


SPACE = SearchSpace(
    title="Does cutting units of networks that memorised improve what they say of new images?",
    claim="Pruning acts as noise: cut and tuned again, networks with noisy labels are better on new images.",
    source="Bartoldson et al. 2020, arXiv:1906.03728; Heitmann's redundancy project",
    base={
        "control": False,
        "replicates": 3,
        "compression.target_ratio": 8.0,
        "compression.depth": 4,
        "compression.recovery": "finetune",
        "compression.recovery_epochs": 20,
    },
    span={
        "data.label_noise": Choices(values=(0.25, 0.5)),
        "compression.direction": Choices(values=("lowest", "highest")),
    },
    crossed=("compression",),
    trials=32,
    claims=(
        Claim(
            name="pruning_helps",
            says="At an eighth of the parameters, cut and tuned again, test accuracy is higher than before.",
            quantity=Difference(first=_accuracy_at(-1), second=_DENSE),
            comparison=Greater(matters=0.01),
            by=("data.label_noise", _DIRECTION),
        ),
        Claim(
            name="cutting_the_largest_helps_more",
            says="Cutting units of the largest norms first helps more than cutting those of the smallest.",
            quantity=Between(of=_accuracy_at(-1), first={_DIRECTION: "highest"}, second={_DIRECTION: "lowest"}),
            comparison=Greater(matters=0.01),
            source="Bartoldson et al. 2020, arXiv:1906.03728",
            published="the benefit of pruning to generalisation increases with its instability",
        ),
        same_dense_networks(_DIRECTION, "highest", "lowest"),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=MNIST | {"model.width": 512}),
        "large": Size(base=CONV4_ON_CIFAR10),
    },
    differs=(
        "networks are pruned after training, the paper's while they train",
        "noisy labels, where it has true ones",
    ),
)
