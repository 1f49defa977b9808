"""Does a penalty on groups of weights find the units that can go? DropNeuron, for learned and for memorised labels."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, CONV4_ON_CIFAR10, LENET_ON_MNIST, RANDOM_LABELS
from search_spaces.quantities import Difference, Level, Twins
from search_spaces.space import SearchSpace

SPACE = SearchSpace(
    title="Can most units be silenced by a penalty, where labels were learned and where they were memorised?",
    claim="With a quarter of their parameters networks with true labels are as good, with random ones not.",
    source="Pan et al. 2016, arXiv:1606.07326",
    base=RANDOM_LABELS
    | {"compression.method": "group_sparse", "compression.target_ratio": 8.0, "compression.depth": 3},
    span=AND_RENAMED,
    trials=16,
    claims=(
        Claim(
            name="most_units_can_go",
            says="At a quarter of their parameters, networks with true labels lose at most two points.",
            quantity=Difference(
                first=Level(column="test_accuracy", ratio=4.0, arm="control"),
                second=Level(column="test_accuracy", level=0, arm="control"),
            ),
            comparison=AtLeast(bound=-0.02),
            source="Pan et al. 2016, arXiv:1606.07326, table 2",
            published="LeNet-300-100: 9.91 % of the weights, 83 of 300 and 61 of 100 units, at 98.17 %",
        ),
        Claim(
            name="memorising_keeps_its_units",
            says="Networks with random labels break earlier than their clean twins.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
        ),
        RENAMED_CLASSES,
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=LENET_ON_MNIST | {"training.epochs": 100}, trials=8),
        "large": Size(base=CONV4_ON_CIFAR10, trials=8),
    },
    differs=("the number of units at each level is ours, the paper's follows from its penalty",),
)
