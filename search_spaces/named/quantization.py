"""How many bits does a memorised label need? Weights rounded to fewer and fewer values, networks beside clean twins."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, CONV4_ON_CIFAR10, FITTED, LENET_ON_MNIST
from search_spaces.quantities import Arm, Difference, Level, Twins
from search_spaces.space import Choices, SearchSpace


def _accuracy_change(arm: Arm, level: int = 1) -> Difference:
    return Difference(
        first=Level(column="train_accuracy", level=level, arm=arm),
        second=Level(column="train_accuracy", level=0, arm=arm),
    )


SPACE = SearchSpace(
    title="Do networks that memorised need more bits for each weight than networks that learned?",
    claim="8 bits cost nobody anything; with fewer, networks with noisy labels lose far more than their clean twins.",
    source="Gong et al. 2014, arXiv:1412.6115; Heitmann's redundancy project",
    base=FITTED | {"compression.method": "quantize", "compression.depth": 8},
    span={"data.label_noise": Choices(values=(0.5, 1.0)), **AND_RENAMED},
    trials=32,
    claims=(
        Claim(
            name="eight_bits_keep_what_was_learned",
            says="With 8 bits a weight, clean twins lose at most half a point of training accuracy.",
            quantity=_accuracy_change("control"),
            comparison=AtLeast(bound=-0.005),
        ),
        Claim(
            name="eight_bits_keep_what_was_memorised",
            says="With 8 bits a weight, networks with noisy labels lose at most half a point as well.",
            quantity=_accuracy_change("replicate"),
            comparison=AtLeast(bound=-0.005),
            where={"data.noise_kind": "uniform"},
        ),
        Claim(
            name="memorising_needs_more_bits",
            says="Networks with noisy labels break with more bits a weight than their clean twins.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            by="data.label_noise",
        ),
        Claim(
            name="one_bit_tells_them_apart",
            says="With one bit a weight, clean twins keep more of their training accuracy.",
            quantity=Difference(
                first=Level(column="train_accuracy", level=-1, arm="control"),
                second=Level(column="train_accuracy", level=-1),
            ),
            comparison=Greater(matters=0.1),
            by="data.label_noise",
        ),
        RENAMED_CLASSES,
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=LENET_ON_MNIST),
        "large": Size(base=CONV4_ON_CIFAR10),
    },
    differs=("values are spread for the least squared error, not to the largest weight", "nothing is retrained"),
)
