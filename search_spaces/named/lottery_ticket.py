"""The lottery ticket: do the weights that survive train better from where they started than from anywhere else?

Iterative magnitude pruning of single weights, 20 % of what is left a level (10 % of the output layer), each time back
to the initial weights and trained again. Beside every ticket the scratch arm trains fresh weights under the same mask.
Differs from the paper: He initial weights, a part of MNIST, and a fixed number of epochs.
"""

from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Do the weights that survive pruning train better from where they started than from fresh values?",
    claim=(
        "At 13.5 % of the weights and below, tickets rewound to their initial weights beat fresh weights under the "
        "same mask and masks shuffled within each layer."
    ),
    source="Frankle & Carbin 2019, arXiv:1803.03635, figure 3 (LeNet-300-100)",
    base={
        "data.name": "mnist",
        "data.train_size": 10000,
        "model.name": "lenet_300_100",
        "training.optimizer": "adam",
        "training.lr": 0.0012,
        "training.batch_size": 60,
        "training.epochs": 15,
        "training.stop_at_train_loss": None,
        "compression.method": "prune",
        "compression.criterion": "magnitude_l1",
        "compression.granularity": "weight",
        "compression.rate": 0.2,
        "compression.depth": 15,
        "compression.recovery_epochs": 225,
        "replicates": 5,
    },
    span={"compression.recovery": Choices(values=("rewind", "reinit", "shuffled"))},
    trials=3,
)
