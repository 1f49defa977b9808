"""The lottery ticket: do the weights that survive train better from where they started than from anywhere else?

Iterative magnitude pruning of single weights of LeNet-300-100 on MNIST, 20 % of what is left a level (10 % of the
output layer), each time back to the initial weights and trained again with Adam, rate 1.2e-3 and batches of 60. Level 7
has 21 % of the weights, level 9 has 13.5 %. Beside every ticket the scratch arm trains fresh weights under the ticket's
own mask (the paper's random reinitialisation, so that `baseline/…` is its `reinit`); the second trial moves masks of
such tickets to random places of each layer and starts from the initial weights there.

Differs from the paper: 6 epochs of 55,000 images (5,500 steps) under a cosine schedule, with which dense networks reach
98 %, instead of 50,000 steps at a constant rate; He initial weights; depth 10.
The paper's one-shot pruning to 21 %: `--set compression.depth=1 --set compression.rate=0.79 --set
compression.recovery_epochs=6`. Late rewinding: `--set compression.rewind_to=0.1` (epochs).

Seen (test accuracy, four networks): dense .983; tickets .983 at 21 % and at 13.5 %, where fresh weights have .977 and
.974, shuffled masks .973 and .966.
"""

from search_spaces.claims import AtLeast, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RANDOM_PLACES
from search_spaces.protocols import LENET_OF_TICKETS, SMALLEST_FIFTH
from search_spaces.published import Published
from search_spaces.quantities import Arm, Between, Difference, Level
from search_spaces.space import Choices, SearchSpace

_REWIND, _SHUFFLED = {"compression.recovery": "rewind"}, {"compression.recovery": "shuffled"}
_SOURCE = "Frankle & Carbin 2019, arXiv:1803.03635, figure 3 (LeNet-300-100)"


def _accuracy_at(ratio: float, arm: Arm = "replicate") -> Level:
    return Level(column="test_accuracy", ratio=ratio, arm=arm)


SPACE = SearchSpace(
    title="Do the weights that survive pruning train better from where they started than from fresh values?",
    claim=(
        "At 21 % of the weights tickets rewound to their initial weights are at least as good as the dense network; at "
        "13.5 % and below they beat fresh weights under the same mask and masks shuffled within each layer."
    ),
    source=_SOURCE,
    base=LENET_OF_TICKETS
    | SMALLEST_FIFTH
    | {
        "data.name": "mnist",
        "training.epochs": 6,
        "training.schedule": "cosine",
        "compression.method": "prune",
        "compression.depth": 10,
        "compression.recovery_epochs": 60,
        "replicates": 4,
    },
    span={"compression.recovery": Choices(values=("rewind", "shuffled"))},
    crossed=("compression",),
    trials=2,
    claims=(
        Claim(
            name="tickets_are_as_good_as_dense",
            says="At 21 % of the weights tickets lose at most half a point of test accuracy.",
            quantity=Difference(first=_accuracy_at(4.6), second=Level(column="test_accuracy", level=0)),
            comparison=AtLeast(bound=-0.005),
            where={"compression.recovery": ("rewind",)},
            source=_SOURCE,
            published="0.3 points better than dense at 13.5 %, as good at 21 %",
        ),
        Claim(
            name="tickets_beat_fresh_weights",
            says="At 13.5 % of the weights tickets beat fresh weights under the same mask.",
            quantity=Difference(first=_accuracy_at(7.3), second=_accuracy_at(7.3, "scratch_replicate")),
            comparison=Greater(matters=0.002),
            where={"compression.recovery": ("rewind",)},
            source=_SOURCE,
            published="at 21 % a ticket reaches its smallest validation loss 2.51 times faster than fresh weights",
        ),
        Claim(
            name="tickets_beat_shuffled_masks",
            says="At 13.5 % of the weights tickets beat masks that were shuffled within layers.",
            quantity=Between(of=_accuracy_at(7.3), first=dict(_REWIND), second=dict(_SHUFFLED)),
            comparison=Greater(matters=0.002),
            source=_SOURCE,
        ),
        RANDOM_PLACES,
    ),
)

_MNIST = f"{_SOURCE.partition(',')[0]}, section 2, MNIST, at the iteration of the smallest validation loss"

STUDY = NamedStudy(
    space=SPACE,
    published=(
        Published(
            title="tickets − their dense networks",
            column="test_accuracy",
            minus="dense",
            where=_REWIND,
            points=((9, 0.003), (15, 0.0)),
            says="more than 0.3 points better with 13.5 % of the weights, as good as the dense network with 3.6 %",
            source=_MNIST,
        ),
        Published(
            title="tickets − fresh weights under the same masks",
            column="test_accuracy",
            minus="scratch_replicate",
            where=_REWIND,
            points=((7, 0.005),),
            says="half a point better with 21 % of the weights",
            source=_MNIST,
        ),
    ),
    sizes={
        "small": Size(
            base={
                "data.name": "digits",
                "model.width": 150,
                "training.epochs": 40,
                "compression.recovery_epochs": 400,
                "replicates": 3,
            },
            trials=16,
        ),
        "paper": Size(
            base={
                "model.init": "glorot",
                "training.epochs": 400,
                "training.steps": 50000,
                "training.schedule": "constant",
                "compression.depth": 15,
                "compression.recovery_epochs": 825,
                "replicates": 3,
            },
            trials=2,
        ),
        "large": Size(
            base={
                "data.name": "cifar10",
                "model.name": "conv6",
                "model.width": 64,
                "training.epochs": 60,
                "compression.depth": 15,
                "compression.recovery_epochs": 900,
            },
            trials=6,
        ),
    },
    differs=(
        "three networks, where the paper has five (`--set replicates=5`, or more trials with `ockham resume`)",
        "a level trains 55 epochs, 50,417 steps, where the paper has 50,000 at each",
    ),
)
