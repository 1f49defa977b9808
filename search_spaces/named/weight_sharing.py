"""How many different weights does a memorised label need? Weights that share values by clusters or by a hash."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, CONV4_ON_CIFAR10, LENET_ON_MNIST, RANDOM_LABELS
from search_spaces.quantities import Between, Difference, Level, Metric, Twins
from search_spaces.space import Choices, SearchSpace

_METHOD = "compression.method"

SPACE = SearchSpace(
    title="Do networks that memorised need more different weights?",
    claim="Where weights share values, networks with random labels lose more than their clean twins.",
    source="Han et al. 2016, arXiv:1510.00149; Chen et al. 2015, arXiv:1504.04788",
    base=RANDOM_LABELS | {"compression.depth": 3},
    span=AND_RENAMED | {"compression.method": Choices(values=("share", "hashed", "hashed_trained", "dct_trained"))},
    crossed=("compression",),
    trials=64,
    claims=(
        Claim(
            name="memorising_needs_more_values",
            says="Networks with random labels break earlier than their clean twins when weights share values.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            by=_METHOD,
        ),
        Claim(
            name="many_clusters_cost_nothing",
            says="With 256 values a layer, clean twins lose at most half a point of training accuracy.",
            quantity=Difference(
                first=Level(column="train_accuracy", level=1, arm="control"),
                second=Level(column="train_accuracy", level=0, arm="control"),
            ),
            comparison=AtLeast(bound=-0.005),
            where={_METHOD: "share"},
            source="Han et al. 2016, arXiv:1510.00149, table 2",
            published="256 shared weights a convolution, 32 a dense layer, without loss (after retraining)",
        ),
        Claim(
            name="clusters_beat_a_hash",
            says="Clusters of weights keep more than a hash that knows nothing of them.",
            quantity=Between(
                of=Metric(metric="control/compressibility/auc"), first={_METHOD: "share"}, second={_METHOD: "hashed"}
            ),
            comparison=Greater(matters=0.05),
        ),
        Claim(
            name="trained_values_keep_more",
            says="Values that are trained under the hash keep more of true labels than values fitted afterwards.",
            quantity=Between(
                of=Metric(metric="control/compressibility/auc"),
                first={_METHOD: "hashed_trained"},
                second={_METHOD: "hashed"},
            ),
            comparison=Greater(matters=0.05),
            source="Chen et al. 2015, arXiv:1504.04788",
            published="hashed networks of an eighth of the parameters lose little on MNIST",
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
    differs=(
        "hashed weights are both fitted to trained ones and trained, as the paper does",
        "one share of values in all layers",
    ),
)
