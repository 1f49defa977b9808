"""The study `criteria` on a convolutional network: Conv-2 of a quarter of its width, on 1,000 images of MNIST.

Units are channels and hidden units. Small enough for two cores: the full width takes 16 times as long.
"""

from search_spaces.named.criteria import CRITERIA, SOURCE
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Which criterion finds the channels that a convolutional network can do without?",
    claim=(
        "Removing the lowest first keeps more accuracy than removing at random, and that more than removing the "
        "highest first, for magnitude and for first-order Taylor; criteria at initialisation lie near random."
    ),
    source=SOURCE,
    base={
        "data.name": "mnist",
        "data.split": (1000, 500, 1000),
        "model.name": "conv2",
        "model.width": 16,
        "training.epochs": 15,
        "training.batch_size": 50,
        "training.lr": 0.02,
        "training.stop_at_train_loss": 0.01,
        "compression.method": "prune",
        "compression.target_ratio": 32.0,
        "compression.depth": 6,
        "replicates": 4,
    },
    span={
        "compression.criterion": Choices(values=CRITERIA),
        "compression.direction": Choices(values=("lowest", "highest")),
    },
    trials=36,
)
