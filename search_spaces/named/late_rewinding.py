"""Is the start too early to go back to? Tickets rewound to the first epoch beside tickets rewound to the very start."""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import same_dense_networks
from search_spaces.protocols import RESNET20_ON_CIFAR10, SMALLEST_FIFTH
from search_spaces.quantities import Between, Difference, Level
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Frankle et al. 2019, arXiv:1903.01611"
_REWIND = "compression.rewind_to"
_LAST = Level(column="test_accuracy", level=-1)
_FRESH = Level(column="test_accuracy", level=-1, arm="scratch_replicate")

SPACE = SearchSpace(
    title="Are tickets better when they go back to an early moment of training than to its very start?",
    claim="Rewound to the first epoch, tickets beat those that are reset to the start.",
    source=_SOURCE,
    base=SMALLEST_FIFTH
    | {
        "model.name": "lenet_300_100",
        "model.width": 150,
        "training.lr": 0.1,
        "training.epochs": 40,
        "training.stop_at_train_loss": None,
        "compression.depth": 8,
        "compression.recovery": "rewind",
        "compression.recovery_epochs": 320,
        "replicates": 3,
    },
    span={"compression.rewind_to": Choices(values=(0.0, 1.0))},
    crossed=("compression",),
    trials=16,
    claims=(
        Claim(
            name="late_beats_reset",
            says="At the last level tickets rewound to the first epoch beat those reset to the start.",
            quantity=Between(of=_LAST, first={_REWIND: 1.0}, second={_REWIND: 0.0}),
            comparison=Greater(matters=0.002),
            source=f"{_SOURCE}, figure 1",
            published="ResNet-20 and VGG-19 on CIFAR-10: only rewound tickets match the dense network",
        ),
        Claim(
            name="late_matches_dense",
            says="At the last level tickets rewound to the first epoch lose at most half a point.",
            quantity=Difference(first=_LAST, second=Level(column="test_accuracy", level=0)),
            comparison=AtLeast(bound=-0.005),
            where={_REWIND: 1.0},
            source=_SOURCE,
        ),
        Claim(
            name="late_beats_fresh",
            says="At the last level they beat fresh weights under the same mask.",
            quantity=Difference(first=_LAST, second=_FRESH),
            comparison=Greater(matters=0.002),
            where={_REWIND: 1.0},
            source=_SOURCE,
        ),
        same_dense_networks(_REWIND, 1.0, 0.0),
    ),
)

_RESNET = RESNET20_ON_CIFAR10 | {
    "training.schedule": "step",
    "training.weight_decay": 1e-4,
    "training.augment": "flip+crop",
    "training.epochs": 160,
    "compression.depth": 15,
    "compression.recovery_epochs": 2400,
}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=_RESNET, trials=6),
        "large": Size(base={**_RESNET, "model.name": "resnet18", "model.width": 64}, trials=6),
    },
    differs=("one late moment, the first epoch, where the paper tries several", "an MLP on digits in size small"),
)
