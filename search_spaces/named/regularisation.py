"""Do penalties and dropout keep networks from memorising? Weight decay, L1 and dropout on half noisy labels."""

from search_spaces.claims import Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import random_labels_teach_nothing
from search_spaces.protocols import CONV6_ON_CIFAR10, DENSE_ALONE, MLP_ON_CIFAR10
from search_spaces.quantities import Between, Level, Metric
from search_spaces.space import Choices, SearchSpace

_WITH = {"training.weight_decay": 0.01, "training.l1": 0.0005, "model.dropout": 0.4}
_NAMES = {"training.weight_decay": "weight_decay", "training.l1": "l1", "model.dropout": "dropout"}
# Half of the labels are changed where something of the rule is left to learn; all of them in the placebo.
_HALF = {"data.label_noise": 0.5}
_SOURCE = "Arpit et al. 2017, arXiv:1706.05394; Zhang et al. 2017, arXiv:1611.03530"


def _prevents(field: str) -> Claim:
    return Claim(
        name=f"{_NAMES[field]}_prevents_memorising",
        says=f"With {_NAMES[field].replace('_', ' ')} networks fit fewer of the changed labels.",
        quantity=Between(
            of=Level(column="changed_accuracy", level=0), first={field: 0.0}, second={field: _WITH[field]}
        ),
        where=_HALF,
        comparison=Greater(matters=0.05),
        source="Arpit et al. 2017, arXiv:1706.05394, figure 8",
        published="dropout hinders memorisation most, at equal performance on clean data",
    )


def _helps(field: str) -> Claim:
    return Claim(
        name=f"{_NAMES[field]}_helps_on_new_images",
        says=f"With {_NAMES[field].replace('_', ' ')} test accuracy is higher.",
        quantity=Between(of=Metric(metric="test/accuracy"), first={field: _WITH[field]}, second={field: 0.0}),
        where=_HALF,
        comparison=Greater(matters=0.02),
        source="Zhang et al. 2017, arXiv:1611.03530, table 1",
        published="CIFAR-10 with true labels: 85.75 % without, 86.03 % with weight decay",
    )


SPACE = SearchSpace(
    title="Do weight decay, L1 and dropout keep networks from memorising noisy labels?",
    claim="Each of them leaves more of the changed labels unlearnt, and test accuracy higher.",
    source=_SOURCE,
    base=DENSE_ALONE | {"replicates": 2, "training.epochs": 100},
    span={
        "data.label_noise": Choices(values=(0.5, 1.0)),
        "training.weight_decay": Choices(values=(0.0, 0.01)),
        "training.l1": Choices(values=(0.0, 0.0005)),
        "model.dropout": Choices(values=(0.0, 0.4)),
    },
    trials=96,
    claims=(*map(_prevents, _WITH), *map(_helps, _WITH), random_labels_teach_nothing(0.1)),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=MLP_ON_CIFAR10),
        "large": Size(base=CONV6_ON_CIFAR10),
    },
    differs=("no augmentation: what is changed each time cannot be memorised", "half of the labels are noisy"),
)
