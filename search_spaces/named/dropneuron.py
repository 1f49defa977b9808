"""Does a penalty on groups of weights find the units that can go? DropNeuron, for learned and for memorised labels."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.quantities import Difference, Level, Twins
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Can most units be silenced by a penalty, where labels were learned and where they were memorised?",
    claim="With a quarter of their parameters networks with true labels are as good, with random ones not.",
    source="Pan et al. 2016, arXiv:1606.07326",
    base={
        "data.label_noise": 1.0,
        "replicates": 3,
        "training.epochs": 600,
        "compression.method": "group_sparse",
        "compression.target_ratio": 8.0,
        "compression.depth": 3,
    },
    span={"data.noise_kind": Choices(values=("uniform", "renamed"))},
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
        "paper": Size(
            base={
                "data.name": "mnist",
                "model.name": "lenet_300_100",
                "model.width": 300,
                "training.batch_size": 128,
                "training.lr": 0.1,
                "training.epochs": 100,
            },
            trials=8,
        ),
        "large": Size(
            base={"data.name": "cifar10", "model.name": "conv4", "model.width": 64, "training.batch_size": 128},
            trials=8,
        ),
    },
    differs=("the number of units at each level is ours, the paper's follows from its penalty",),
)
