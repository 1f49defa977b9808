"""Which units can a network do without, and does it matter how one asks?

Every criterion that scores the units of a multilayer perceptron, removing the lowest first and the highest first, on
LeNet-300-100 and MNIST, at five compression ratios and more, without retraining. Random removal is the baseline; a
criterion that means something lies above it one way and below it the other way. LAMP orders units of a layer as
`magnitude_l2` does, batch-norm scale needs batch norm: both are left out.

Seen (compressibility lowest first / highest first, ± at most .09 over five networks a trial; random .42 and .39): FPGM
.63/.22, distance .61/.19, magnitude_l2 .60/.20, movement .59/.18, magnitude_l1 .59/.21, Taylor .59/.16, activation
variance .55/.18, Fisher .50/.19; not to be told from random lowest first SNIP .47/.29, SynFlow .44/.35, activation
mean .39/.19, gradient .37/.20; below it both ways APoZ .27/.27, GraSP .23/.24, correlation .21/.34; and the wrong way
round frame potential .23/.51, cosine .22/.49. A unit unlike all others may be one that training hardly touched.
"""

from search_spaces.claims import Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.quantities import Between, Metric, Order, Setting
from search_spaces.space import Choices, SearchSpace
from search_spaces.usual import HOW_FAR

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

_AUC = Metric(metric="compressibility/auc")


def _removal(criterion: str, direction: str) -> Setting:
    return {"compression.criterion": criterion, "compression.direction": direction}


def _finds(criterion: str) -> Claim:
    """That a criterion means something: better than random one way, worse the other way."""
    return Claim(
        name=f"{criterion}_finds_what_can_go",
        says=f"Removing the lowest {criterion.replace('_', ' ')} first keeps more than random removal, and that more "
        "than removing the highest.",
        quantity=Order(
            of=_AUC,
            settings=(_removal(criterion, "lowest"), _removal("random", "lowest"), _removal(criterion, "highest")),
        ),
        comparison=Greater(matters=0.05),
        source=SOURCE,
    )


CLAIMS = (
    _finds("magnitude_l2"),
    _finds("fpgm"),
    _finds("taylor"),
    Claim(
        name="what_others_repeat_is_needed",
        says="Removing units that others repeat first (cosine) keeps less than removing those last.",
        quantity=Between(of=_AUC, first=_removal("cosine", "highest"), second=_removal("cosine", "lowest")),
        comparison=Greater(matters=0.05),
    ),
    Claim(
        name="random_has_no_direction",
        says="Removed at random, it does not matter from which end.",
        quantity=Between(of=_AUC, first=_removal("random", "lowest"), second=_removal("random", "highest")),
        comparison=Equivalent(matters=0.15),
        role="placebo",
    ),
    HOW_FAR.model_copy(update={"by": ("compression.criterion", "compression.direction")}),
)

SPACE = SearchSpace(
    title="Which criterion finds the units that a network can do without?",
    claim=(
        "Unretrained, lowest-first keeps more accuracy than random removal, and that more than highest-first, for "
        "FPGM, distance from initialisation, magnitude, movement, Taylor and activation variance; SNIP and SynFlow, "
        "made for networks at initialisation, can hardly be told from random; criteria that remove units which others "
        "repeat (cosine, frame potential) are worse than random, and better than it the other way round."
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
    crossed=("compression",),
    trials=36,
    claims=CLAIMS,
)

FEW = Choices(values=("magnitude_l2", "random", "taylor", "fpgm", "cosine"))

STUDY = NamedStudy(
    space=SPACE,
    sizes={
        "small": Size(
            base={
                "data.name": "digits",
                "data.train_size": None,
                "model.width": 100,
                "training.epochs": 400,
                "training.batch_size": 50,
                "training.lr": 0.05,
                "compression.depth": 6,
                "replicates": 3,
            },
            span={"compression.criterion": FEW},
            trials=80,
        ),
        "paper": Size(base={"data.train_size": None, "training.epochs": 60}, trials=288),
        "large": Size(base={"data.name": "cifar10", "data.train_size": None, "training.epochs": 100}, trials=288),
    },
    differs=("an MLP on MNIST, where Blalock et al. compare convolutional networks on CIFAR-10 and ImageNet",),
)
