"""How many ranks does a memorised label need? Truncated decompositions, sketches, compressive sensing, cosines."""

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
    span=AND_RENAMED | {"compression.method": Choices(values=("low_rank", "sketch", "sensing", "dct"))},
    crossed=("compression",),
    trials=64,
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
        Claim(
            name="sparse_answers_beat_least_squares",
            says="From equal random measurements, weights that are taken for sparse keep more than least squares.",
            quantity=Between(
                of=Metric(metric="control/compressibility/auc"),
                first={_METHOD: "sensing"},
                second={_METHOD: "sketch"},
            ),
            comparison=Greater(matters=0.02),
            source="Heitmann's redundancy project",
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
    notes=(
        "Compressive sensing was added, with its claim, after first runs of the other three methods.",
        "Why sparse answers do not beat least squares: weights are not sparse. Where training makes them so, they do: "
        "with an L1 penalty .10 (.03 to .18, 4 dense cells), without one −.05 (−.08 to −.02), in either weights "
        "themselves are taken for sparse: `ockham launch low_rank --name sparse --trials 16 --set "
        "compression.method=sketch,sensing --set compression.sensing.basis=weights --set training.l1=0.001`.",
    ),
    differs=("all layers but the classifier are approximated at once, nothing is retrained",),
)
