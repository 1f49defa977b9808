"""Are there tickets made of whole units? Units cut and rewound, beside fresh networks of the same sizes (Heitmann)."""

from search_spaces.claims import Claim, Equivalent
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import same_dense_networks
from search_spaces.quantities import Between, Difference, Level
from search_spaces.space import Choices, SearchSpace

_CRITERION = "compression.criterion"
_LAST = Level(column="test_accuracy", level=-1)

SPACE = SearchSpace(
    title="Do units that survive pruning train better from where they started than fresh units do?",
    claim="Structured tickets are no better than fresh networks of their sizes, whatever chose the units.",
    source="Heitmann's redundancy project; Liu et al. 2019, arXiv:1810.05270",
    base={
        "compression.rate": 0.3,
        "compression.depth": 6,
        "compression.recovery": "rewind",
        "compression.recovery_epochs": 120,
        "training.stop_at_train_loss": None,
        "training.epochs": 20,
        "replicates": 3,
    },
    span={"compression.criterion": Choices(values=("magnitude_l2", "random"))},
    crossed=("compression",),
    trials=16,
    claims=(
        Claim(
            name="no_better_than_fresh",
            says="With an eighth of the units left, structured tickets do as well as fresh networks of their sizes.",
            quantity=Difference(first=_LAST, second=Level(column="test_accuracy", level=-1, arm="scratch_replicate")),
            comparison=Equivalent(matters=0.02),
            by=_CRITERION,
            source="Liu et al. 2019, arXiv:1810.05270, section 5",
            published="with structured pruning the original initialisation gives no advantage",
        ),
        Claim(
            name="no_better_than_random_units",
            says="Units of large norm make no better tickets than random ones.",
            quantity=Between(of=_LAST, first={_CRITERION: "magnitude_l2"}, second={_CRITERION: "random"}),
            comparison=Equivalent(matters=0.02),
        ),
        same_dense_networks(_CRITERION, "magnitude_l2", "random"),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={
                "data.name": "mnist",
                "model.name": "lenet_300_100",
                "model.width": 300,
                "training.batch_size": 60,
            },
            trials=16,
        ),
        "large": Size(
            base={"data.name": "cifar10", "model.name": "conv6", "model.width": 64, "training.batch_size": 60},
            trials=16,
        ),
    },
    differs=("the question is Heitmann's, with no published figure",),
)
