"""Which units can a network do without, and does it matter how one asks?

Every criterion that scores the units of a multilayer perceptron, removing the lowest first and the highest first, on
LeNet-300-100 and MNIST, at five compression ratios and more, without retraining. Random removal is the baseline; a
criterion that means something lies above it one way and below it the other way. LAMP orders units of a layer as
`magnitude_l2` does, batch-norm scale needs batch norm: both are left out.

Redundancy criteria can come out the wrong way round: on 2,000 training examples, cosine's area under the curve was .22
lowest first and .53 highest first (random .44, Taylor .69 and .19; three networks each). A unit unlike all others may
be one that training hardly touched.
"""

from search_spaces.space import Choices, SearchSpace

SOURCE = "Blalock et al. 2020, arXiv:2003.03033; Molchanov et al. 2019, arXiv:1906.10771"
CRITERIA = (
    "magnitude_l1",
    "magnitude_l2",
    "random",
    "taylor",
    "gradient",
    "fisher",
    "snip",
    "grasp",
    "synflow",
    "movement",
    "distance_from_initialisation",
    "activation_mean",
    "activation_variance",
    "apoz",
    "fpgm",
    "correlation",
    "cosine",
    "frame_potential",
)

SPACE = SearchSpace(
    title="Which criterion finds the units that a network can do without?",
    claim=(
        "Removing the lowest first keeps more accuracy than removing at random, and that more than removing the "
        "highest first, for magnitude and for first-order Taylor; criteria at initialisation lie near random."
    ),
    source=SOURCE,
    base={
        "data.name": "mnist",
        "data.train_size": 5000,
        "model.name": "lenet_300_100",
        "training.epochs": 15,
        "training.batch_size": 100,
        "training.lr": 0.1,
        "training.stop_at_train_loss": 0.01,
        "compression.method": "prune",
        "compression.target_ratio": 32.0,
        "compression.depth": 10,
        "replicates": 5,
    },
    span={
        "compression.criterion": Choices(values=CRITERIA),
        "compression.direction": Choices(values=("lowest", "highest")),
    },
    trials=36,
)
