"""The study `criteria` on a convolutional network: Conv-2 of a quarter of its width, on 1,000 images of MNIST.

Units are channels and hidden units. Small enough for two cores: the full width takes 16 times as long.

Seen (compressibility lowest first / highest first; random .35 and .39, ± .16): Fisher .76/.14 (± .04), activation
variance .74/.11, movement .73/.14, distance .72/.12, FPGM .68/.13, gradient .68/.14 (± .05), Taylor .67/.12,
magnitude_l1 .66/.16, activation mean .66/.14, magnitude_l2 .64/.18, SNIP .51/.19, SynFlow .46/.25, APoZ .39/.22, GraSP
.19/.20, and the wrong way round frame potential .20/.51, correlation .24/.42, cosine .22/.41. Four networks of one
seed: intervals are wide.
"""

from search_spaces.named.criteria import CLAIMS, CRITERIA, FEW, SOURCE
from search_spaces.named_study import NamedStudy, Size
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Which criterion finds the channels that a convolutional network can do without?",
    claim=(
        "Unretrained, lowest-first keeps more accuracy than random removal, and that more than highest-first, for "
        "Fisher, gradient, Taylor, movement, magnitude and the moments of activations; criteria that remove channels "
        "which others repeat are better the other way round, as in the multilayer perceptron of the study criteria."
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
    crossed=("compression",),
    trials=36,
    claims=CLAIMS,
)

STUDY = NamedStudy(
    space=SPACE,
    sizes={
        "small": Size(
            base={"data.name": "digits", "data.split": (500, 400, 397), "model.width": 8, "replicates": 3},
            span={"compression.criterion": FEW},
            trials=80,
        ),
        "paper": Size(base={"data.split": (55000, 5000, 10000), "model.width": 64}, trials=288),
        "large": Size(
            base={"data.name": "cifar10", "data.split": (45000, 5000, 10000), "model.name": "conv6", "model.width": 64},
            trials=288,
        ),
    },
    differs=("Conv-2 on MNIST, where Molchanov et al. prune ResNet and DenseNet on CIFAR-10 and ImageNet",),
)
