"""Do tickets carry over? Masks found on other examples, or by another optimizer, beside masks at random places.

The source trains on the half of the examples that the trial's networks are not given; what its networks would prune is
pruned here, and what is left is trained from its initial weights on the trial's own half. One source sees every image
with its pixels in another order: it learns as well, but nothing about where pixels are.
"""

from search_spaces.claims import Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RANDOM_PLACES
from search_spaces.protocols import CONV6_ON_CIFAR10, LENET_OF_TICKETS, RESNET20_ON_CIFAR10, SMALLEST_FIFTH
from search_spaces.quantities import Between, Difference, Level, Setting
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Morcos et al. 2019, arXiv:1906.02773"
_RECOVERY, _OPTIMIZER, _INPUTS = "compression.recovery", "compression.carry.optimizer", "compression.carry.inputs"
_LAST = Level(column="test_accuracy", level=-1)
_FRESH = Level(column="test_accuracy", level=-1, arm="scratch_replicate")


def _with(recovery: str, inputs: str = "true") -> Setting:
    return {_RECOVERY: recovery, _INPUTS: inputs}


SPACE = SearchSpace(
    title="Are tickets good where they were not found: on other examples, or with another optimizer?",
    claim="Tickets of other examples and of another optimizer beat masks at random places and fresh weights.",
    source=_SOURCE,
    base=LENET_OF_TICKETS
    | SMALLEST_FIFTH
    | {
        "data.subset": 0.5,
        "examples": "never",
        "model.width": 150,
        "training.epochs": 20,
        "compression.method": "carry",
        "compression.carry.examples": "others",
        "compression.carry.epochs": 20,
        "compression.carry.lr": 0.01,  # fits by SGD as well as by Adam
        "compression.depth": 8,
        "compression.recovery_epochs": 160,
        "replicates": 3,
    },
    span={
        "compression.recovery": Choices(values=("rewind", "shuffled")),
        "compression.carry.optimizer": Choices(values=("adam", "sgd")),
        "compression.carry.inputs": Choices(values=("true", "shuffled_pixels")),
    },
    crossed=("compression",),
    trials=64,
    claims=(
        Claim(
            name="carried_beats_random_places",
            says="At the last level tickets carried over beat as many weights at random places.",
            quantity=Between(of=_LAST, first=_with("rewind"), second=_with("shuffled")),
            comparison=Greater(matters=0.005),
            by=_OPTIMIZER,
            source=_SOURCE,
            published="tickets generalise across data sets, close to those of the same data set, and across optimizers",
        ),
        Claim(
            name="carried_beats_fresh_weights",
            says="At the last level they beat fresh weights under the same masks.",
            quantity=Difference(first=_LAST, second=_FRESH),
            comparison=Greater(matters=0.005),
            by=_OPTIMIZER,
            where={_RECOVERY: "rewind", _INPUTS: "true"},
            source=_SOURCE,
        ),
        Claim(
            name="where_pixels_are_is_carried",
            says="They beat tickets of images whose pixels stand in another order.",
            quantity=Between(of=_LAST, first=_with("rewind"), second=_with("rewind", "shuffled_pixels")),
            comparison=Greater(matters=0.005),
        ),
        Claim(
            name="random_places_come_from_nowhere",
            says="Of masks at random places it does not matter which optimizer found them.",
            quantity=Between(
                of=_LAST,
                first={_RECOVERY: "shuffled", _OPTIMIZER: "adam"},
                second={_RECOVERY: "shuffled", _OPTIMIZER: "sgd"},
            ),
            comparison=Equivalent(matters=0.02),
            role="placebo",
        ),
        RANDOM_PLACES,
    ),
)

_LONG = {
    "training.optimizer": "sgd",
    "training.lr": 0.1,
    "training.schedule": "step",
    "training.epochs": 160,
    "compression.carry.epochs": 160,
    "compression.depth": 15,
    "compression.recovery_epochs": 2400,
}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=CONV6_ON_CIFAR10 | _LONG | {"training.lr": 0.02}, trials=8),
        "large": Size(base=RESNET20_ON_CIFAR10 | _LONG, trials=8),
    },
    notes=(
        "Protocol changed after a first trial: fewer levels and epochs, for time, and a rate that suits SGD as well.",
    ),
    differs=(
        "Conv-6 and ResNet-20 in place of VGG-19 and ResNet-50",
        "halves of one data set; between data sets a ticket is carried in a file (compression.ticket)",
        "tickets go back to their initial weights, the paper's to an early epoch",
    ),
)
