"""Which examples does a network memorise, and are they the ones that compression loses first?

Networks on digits, each given a random 70 % of the training examples, with labels that were changed once for all
networks of the study: an example is memorised if networks that were given it have its label right and those that were
not have it wrong. `ockham examples memorised_examples` names them, and says how well the score finds the labels that
were changed; the claims here are about the changed labels themselves, which are known.

Differs from Feldman & Zhang: digits and an MLP instead of MNIST and ImageNet, 40 networks a noise level instead of
2,000, and labels that are known to be wrong.

Seen (seed 0, a minute on two cores): at noise .1 and .25 the score tells changed labels from kept ones with an AUROC of
.996 (.993 to .999) and .992 (.987 to .997), and .93 of the most memorised 86 and 201 are the changed ones; the
memorised share is .164 and .328, of clean twins .036 and .033; kept examples outlast changed ones by .20 and .15 of
compressibility. Renamed classes, the placebo, joined later and take as long again.
"""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, SHARES_OF_DIGITS
from search_spaces.quantities import KeptOverChanged, Level
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Feldman & Zhang 2020, arXiv:2008.03703"

SPACE = SearchSpace(
    title="Which examples did networks memorise, and are they the first that compression loses?",
    claim=(
        "Networks fit nearly all changed labels that they are given, and lose these under compression before the "
        "examples whose label was kept."
    ),
    source=_SOURCE,
    base=SHARES_OF_DIGITS
    | {
        "training.optimizer": "sgd",
        "compression.method": "prune",
        "compression.target_ratio": 16.0,
        "compression.depth": 6,
        "replicates": 5,
    },
    span={"data.label_noise": Choices(values=(0.1, 0.25)), **AND_RENAMED},
    trials=32,
    claims=(
        Claim(
            name="changed_labels_are_fitted",
            says="Networks fit at least 95 % of the changed labels that they are given.",
            quantity=Level(column="changed_accuracy", level=0),
            comparison=AtLeast(bound=0.95),
            by="data.label_noise",
            where={"data.noise_kind": "uniform"},
        ),
        Claim(
            name="memorised_examples_go_first",
            says="Networks keep examples with true labels further into compression than those with changed ones.",
            quantity=KeptOverChanged(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            by="data.label_noise",
            source="Hooker et al. 2019, arXiv:1911.05248; arXiv:2306.06238",
            published="examples on which compressed and dense networks differ are rare, hard or mislabelled ones",
        ),
        RENAMED_CLASSES,
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={
                "data.name": "mnist",
                "data.noise_kind": "uniform",
                "model.name": "lenet_300_100",
                "model.width": 300,
                "training.epochs": 100,
                "training.batch_size": 128,
                "control": False,
                "replicates": 50,
            },
            trials=40,
        ),
        "large": Size(
            base={"data.name": "cifar10", "model.name": "resnet20", "model.width": 16, "training.epochs": 100},
            trials=400,
        ),
    },
    differs=("an MLP and known noise, where the paper has ResNet-50, ImageNet and true labels",),
)
