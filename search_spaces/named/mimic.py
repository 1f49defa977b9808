"""Do small students need teachers, and inputs that nobody labelled? Distilled students beside ones that see labels."""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import same_dense_networks
from search_spaces.protocols import CONV4_ON_CIFAR10, RESNET20_ON_CIFAR10
from search_spaces.quantities import Between, Difference, Level
from search_spaces.space import Choices, SearchSpace

_TRANSFER = "compression.transfer"
_STUDENT = Level(column="test_accuracy", level=-1)
_SOURCE = "Urban et al. 2017, arXiv:1603.05691"

SPACE = SearchSpace(
    title="Do small students learn more from a teacher's answers to unlabelled inputs than from labels?",
    claim="A student on its teacher's answers beats one on labels, and more so with extra unlabelled inputs.",
    source=_SOURCE,
    base={
        "data.subset": 0.2,
        "examples": "never",
        "training.epochs": 400,
        "compression.method": "distill",
        "compression.distill.epochs": 150,
        "compression.target_ratio": 8.0,
        "compression.depth": 1,
        "replicates": 3,
    },
    span={"compression.transfer": Choices(values=("train", "pool"))},
    crossed=("compression",),
    trials=16,
    claims=(
        Claim(
            name="extra_inputs_help",
            says="Students that see their teacher's answers to all images beat those that see the labelled ones only.",
            quantity=Between(of=_STUDENT, first={_TRANSFER: "pool"}, second={_TRANSFER: "train"}),
            comparison=Greater(matters=0.002),
            source=_SOURCE,
        ),
        Claim(
            name="teachers_beat_labels",
            says="With extra unlabelled images, students beat fresh networks of their size that learn the labels.",
            quantity=Difference(
                first=_STUDENT, second=Level(column="test_accuracy", level=-1, arm="scratch_replicate")
            ),
            comparison=Greater(matters=0.005),
            where={_TRANSFER: "pool"},
            source=f"{_SOURCE}, table 1",
            published="shallow students reach their accuracy only with a teacher's outputs",
        ),
        same_dense_networks(_TRANSFER, "pool", "train"),
    ),
)

_HALF = {"data.subset": 0.5}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base=CONV4_ON_CIFAR10 | _HALF | {"training.epochs": 100, "compression.distill.epochs": 100}, trials=8
        ),
        "large": Size(
            base=RESNET20_ON_CIFAR10
            | _HALF
            | {"training.lr": 0.1, "training.epochs": 160, "compression.distill.epochs": 160},
            trials=8,
        ),
    },
    differs=(
        "students are narrower than their teachers, not shallower",
        "extra inputs are images held back, not others",
    ),
    notes=(
        "Before a correction students of the pool saw no more of it than there are labels: what was recorded then says "
        "nothing of extra inputs.",
    ),
)
