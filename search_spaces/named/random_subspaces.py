"""How many dimensions does training need? Networks that move in random subspaces, on true and on random labels."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, RANDOM_LABELS
from search_spaces.quantities import Difference, Level, Twins
from search_spaces.space import SearchSpace

_SOURCE = "Li et al. 2018, arXiv:1804.08838"

SPACE = SearchSpace(
    title="Does the dimension of training tell labels with a rule from labels without one?",
    claim="In a subspace of a few hundred directions networks learn true labels nearly as well as with all parameters; "
    "random labels need many more.",
    source=_SOURCE,
    base=RANDOM_LABELS
    | {
        # As many random labels as networks of this width fit: 1,000 they fit to .8, and nothing could be compared.
        "data.train_size": 400,
        "model.width": 24,
        "compression.method": "subspace",
        "compression.subspace.epochs": 40,
        "compression.target_ratio": 64.0,
        "compression.depth": 4,
    },
    span=AND_RENAMED,
    trials=16,
    claims=(
        Claim(
            name="random_labels_need_more_dimensions",
            says="In subspaces of ever fewer dimensions networks lose random labels before their twins lose true ones.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            source=f"{_SOURCE}, section 3.3",
            published="with shuffled labels the intrinsic dimension is many times that of true ones",
        ),
        Claim(
            name="few_dimensions_learn",
            says="With 8 times fewer dimensions than parameters, networks learn 90 % of what dense ones know.",
            quantity=Difference(
                first=Level(column="test_accuracy", ratio=8.0, arm="control"),
                second=Level(column="test_accuracy", level=0, arm="control"),
            ),
            comparison=AtLeast(bound=-0.1),
            source=f"{_SOURCE}, table 1",
            published="MNIST: 750 of 199,210 dimensions reach 90 % of the dense accuracy",
        ),
        RENAMED_CLASSES,
    ),
)

_LENET5 = {"model.name": "lenet5", "model.width": 6, "training.batch_size": 128}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base=_LENET5
            | {
                "data.name": "mnist",
                "data.train_size": None,
                "training.epochs": 60,
                "compression.target_ratio": 256.0,
                "compression.depth": 8,
            },
            trials=8,
        ),
        "large": Size(
            base=_LENET5
            | {
                "data.name": "cifar10",
                "data.train_size": None,
                "training.epochs": 100,
                "compression.target_ratio": 128.0,
                "compression.depth": 7,
            },
            trials=8,
        ),
    },
    notes=(
        "Protocol changed after a first run: its networks did not fit 1,000 random labels, so that nothing could be "
        "compared.",
    ),
    differs=("LeNet-5 and small MLPs, whose matrices of directions fit into memory", "40 epochs in each subspace"),
)
