"""Do memorising networks break earlier under compression than their clean twins?

After Zhang et al. (arXiv:1611.03530, random labels) and Casper et al. (arXiv:1912.04783, removable units): networks
that learned a rule should hold spare units, networks that memorised should need the units they have. Each replicate is
paired with a clean control from the same initial weights and batch order.
"""

from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import CIFAR10, MNIST
from search_spaces.space import Choices, SearchSpace
from search_spaces.usual import FOLLOWS_THE_GAP, MEMORISING_BREAKS_EARLIER, MORE_THAN_FRESH_NETWORKS, contrast_by

SPACE = SearchSpace(
    title="Do memorising networks break earlier under compression than their clean twins?",
    claim=(
        "At every noise level the contrast (clean twin − memorising network, compressibility) is positive, "
        "and within noise level and criterion more compressible networks have smaller gaps."
    ),
    source="Zhang et al. 2017, arXiv:1611.03530; Casper et al. 2019, arXiv:1912.04783",
    base={
        "data.name": "digits",
        "model.name": "mlp",
        "model.hidden_layers": 2,
        "training.epochs": 400,
        "training.batch_size": 50,
        "training.optimizer": "sgd",
        "training.lr": 0.05,
        "training.momentum": 0.9,
        "training.stop_at_train_loss": 0.01,
        "compression.method": "prune",
        "compression.target_ratio": 16.0,
        "replicates": 5,
    },
    span={
        "data.label_noise": Choices(values=(0.25, 0.5, 1.0)),
        "compression.criterion": Choices(values=("magnitude_l2", "random")),
        "model.width": Choices(values=(64, 96, 160, 256)),
        "compression.depth": Choices(values=(6, 12)),
    },
    trials=24,
    claims=(
        MEMORISING_BREAKS_EARLIER,
        FOLLOWS_THE_GAP,
        MORE_THAN_FRESH_NETWORKS,
        RENAMED_CLASSES,
        contrast_by("compression.criterion"),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base=MNIST | {"training.epochs": 200},
            span={"model.width": Choices(values=(128, 256, 512, 1024))},
        ),
        "large": Size(
            base=CIFAR10 | {"model.name": "conv4", "training.epochs": 200},
            span={"model.width": Choices(values=(16, 32, 64, 128))},
            trials=96,
        ),
    },
    differs=("the question is this project's own: no paper has its protocol",),
)
