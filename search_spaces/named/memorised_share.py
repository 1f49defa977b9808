"""How much of a data set do networks memorise, and how many of its labels are wrong?

Networks on digits, each given a random 70 % of the training examples, at six levels of label noise, and as many where
classes only changed their names. `ockham examples memorised_share` tells, for each condition, the memorised share of
the data and apart from it the estimated share of wrong labels, each with its interval.
"""

from search_spaces.claims import AtLeast, Claim
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import DENSE_ALONE, SHARES_OF_DIGITS
from search_spaces.quantities import Level
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="How much of a data set is memorised, and how many of its labels are wrong?",
    claim="The memorised share rises with label noise, and does not where classes only change their names.",
    source="Feldman & Zhang 2020, arXiv:2008.03703",
    base=SHARES_OF_DIGITS | DENSE_ALONE | {"compression.method": "prune", "measures.names": "none", "replicates": 12},
    span={
        "data.label_noise": Choices(values=(0.0, 0.05, 0.1, 0.25, 0.5, 1.0)),
        "data.noise_kind": Choices(values=("uniform", "renamed")),
    },
    trials=36,
    claims=(
        Claim(
            name="labels_are_fitted",
            says="Networks fit at least 95 % of the labels that they are given, whatever these are.",
            quantity=Level(column="train_accuracy", level=0),
            comparison=AtLeast(bound=0.95),
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={
                "data.name": "mnist",
                "data.train_size": 5000,
                "model.name": "lenet_300_100",
                "model.width": 300,
                "training.batch_size": 100,
                "replicates": 50,
            },
            trials=240,
        ),
        "large": Size(base={"data.name": "cifar10", "model.name": "resnet20", "model.width": 16}, trials=240),
    },
    differs=("an MLP, digits and known noise, where the paper has ResNet-50, ImageNet and true labels",),
)
