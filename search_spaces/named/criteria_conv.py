"""The study `criteria` on a convolutional network: Conv-2 of a quarter of its width, on 1,000 images of MNIST.

Units are channels and hidden units. Small enough for two cores: the full width takes 16 times as long.
"""

from search_spaces.named.criteria import CRITERIA, SOURCE
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Which criterion finds the channels that a convolutional network can do without?",
    claim=(
        "Unretrained, lowest-first keeps more accuracy than random removal, and that more than highest-first, for "
        "magnitude and Taylor, as in the multilayer perceptron of the study criteria."
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
