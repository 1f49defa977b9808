"""How many ranks does a memorised label need? Truncated decompositions, random sketches and cosine transforms."""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, CONV6_ON_CIFAR10, LENET_ON_MNIST, RANDOM_LABELS
from search_spaces.quantities import Between, Metric, Twins
from search_spaces.space import Choices, SearchSpace

_METHOD = "compression.method"

SPACE = SearchSpace(
    title="Do layers of networks that memorised need more ranks or coefficients?",
    claim="By every method networks with noisy labels lose more than clean twins; a decomposition beats a sketch.",
    source="Denton et al. 2014, arXiv:1404.0736; Arora et al. 2018, arXiv:1802.05296; Heitmann's redundancy project",
    base=RANDOM_LABELS | {"compression.depth": 6},
    span=AND_RENAMED | {"compression.method": Choices(values=("low_rank", "sketch", "dct"))},
    crossed=("compression",),
    trials=48,
    claims=(
        Claim(
            name="memorising_needs_more_numbers",
            says="Networks with random labels break earlier than their clean twins when layers get fewer numbers.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            by=_METHOD,
        ),
        Claim(
            name="decomposition_beats_sketch",
            says="Of equal size, the best approximation keeps more than a random projection.",
            quantity=Between(
                of=Metric(metric="compressibility/auc"), first={_METHOD: "low_rank"}, second={_METHOD: "sketch"}
            ),
            comparison=Greater(matters=0.05),
        ),
        RENAMED_CLASSES,
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=LENET_ON_MNIST),
        "large": Size(base=CONV6_ON_CIFAR10),
    },
    differs=("all layers but the classifier are approximated at once, nothing is retrained",),
)
