"""How networks of several named studies are trained and compressed: parts of a base, joined by `|`."""

from typing import Any, TypeAlias

from search_spaces.space import Choices

Base: TypeAlias = dict[str, Any]

# As many epochs of the default training on digits as random labels take, and some.
FITTED: Base = {"replicates": 3, "training.epochs": 600}
RANDOM_LABELS = FITTED | {"data.label_noise": 1.0}
# The placebo beside it: classes that only have other names leave nothing to memorise.
AND_RENAMED = {"data.noise_kind": Choices(values=("uniform", "renamed"))}

# Studies of dense networks: the one level that every trial has costs next to nothing.
ONE_LEVEL: Base = {"compression.target_ratio": 2.0, "compression.depth": 1}
DENSE_ALONE = ONE_LEVEL | {"control": False}

# Of examples: each network is given its own random share of them, and all have the same changed labels.
SHARES_OF_DIGITS: Base = {
    "data.name": "digits",
    "data.subset": 0.7,
    "data.noise_draw": "study",
    "model.name": "mlp",
    "model.width": 128,
    "model.hidden_layers": 2,
    "training.epochs": 400,
    "training.batch_size": 50,
    "training.lr": 0.05,
    "training.momentum": 0.9,
    "training.stop_at_train_loss": 0.01,
}

# Of tickets: the smallest fifth of the weights that are left goes at each level (Frankle & Carbin 2019).
SMALLEST_FIFTH: Base = {
    "compression.criterion": "magnitude_l1",
    "compression.granularity": "weight",
    "compression.rate": 0.2,
}
LENET_OF_TICKETS: Base = {
    "model.name": "lenet_300_100",
    "training.optimizer": "adam",
    "training.lr": 0.0012,
    "training.batch_size": 60,
    "training.stop_at_train_loss": None,
}

MNIST: Base = {"data.name": "mnist", "training.batch_size": 128, "training.lr": 0.1}
LENET_ON_MNIST = MNIST | {"model.name": "lenet_300_100", "model.width": 300, "training.epochs": 200}
CIFAR10: Base = {"data.name": "cifar10", "training.batch_size": 128}
MLP_ON_CIFAR10 = CIFAR10 | {"model.width": 512, "model.hidden_layers": 3, "training.lr": 0.01}  # Zhang et al. 2017
CONV4_ON_CIFAR10 = CIFAR10 | {"model.name": "conv4", "model.width": 64}
CONV6_ON_CIFAR10 = CIFAR10 | {"model.name": "conv6", "model.width": 64}
RESNET20_ON_CIFAR10 = CIFAR10 | {"model.name": "resnet20", "model.width": 16}
