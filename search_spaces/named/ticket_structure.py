"""Are the weights of a ticket spread evenly over units? Kept weights per unit, beside masks at random places."""

from search_spaces.claims import Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import LENET_OF_TICKETS, SMALLEST_FIFTH
from search_spaces.quantities import Level
from search_spaces.space import Choices, SearchSpace


def _structure(name: str) -> Level:
    return Level(column=f"measure/ticket_structure/{name}", level=-1)


_TICKETS, _RANDOM = {"compression.recovery": "rewind"}, {"compression.recovery": "shuffled"}

SPACE = SearchSpace(
    title="Are the weights of a ticket spread evenly over the units of a layer?",
    claim="Tickets concentrate: kept weights vary more over units than at random, and where one is kept others are.",
    source="Heitmann's redundancy project; Frankle & Carbin 2019, arXiv:1803.03635",
    base=LENET_OF_TICKETS
    | SMALLEST_FIFTH
    | {
        "model.width": 150,
        "training.epochs": 30,
        "compression.depth": 8,
        "compression.recovery_epochs": 240,
        "measures": "ticket_structure",
        "replicates": 3,
    },
    span={"compression.recovery": Choices(values=("rewind", "shuffled"))},
    crossed=("compression",),
    trials=16,
    claims=(
        Claim(
            name="kept_weights_concentrate",
            says="The variance over units of kept incoming weights is larger than of random masks.",
            quantity=_structure("dispersion"),
            comparison=Greater(than=1.0, matters=0.2),
            where=dict(_TICKETS),
        ),
        Claim(
            name="kept_weights_keep_together",
            says="Given one kept weight of a unit, another one is kept more often than at random.",
            quantity=_structure("together"),
            comparison=Greater(than=1.0, matters=0.02),
            where=dict(_TICKETS),
        ),
        Claim(
            name="random_masks_are_even",
            says="Of masks at random places the variance is that of random masks.",
            quantity=_structure("dispersion"),
            comparison=Equivalent(to=1.0, matters=0.2),
            where=dict(_RANDOM),
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={
                "data.name": "mnist",
                "model.width": 300,
                "training.epochs": 10,
                "compression.depth": 15,
                "compression.recovery_epochs": 150,
            },
            trials=16,
        ),
        "large": Size(
            base={
                "data.name": "cifar10",
                "model.name": "conv6",
                "model.width": 64,
                "compression.depth": 15,
                "compression.recovery_epochs": 450,
            },
            trials=16,
        ),
    },
    notes=(
        "It is not that 5 times fewer weights are too many: over 15 levels the variance is largest with a third of the "
        "weights (1.19 of that of random masks, mean of 8 trials) and 1.00 (.88 to 1.11) with a twentieth; a second "
        "weight is then 1.015 times as likely. Tickets are spread nearly evenly here: `ockham launch "
        "ticket_structure --name deeper --trials 8 --set compression.depth=15 --set "
        "compression.recovery_epochs=450 --set compression.recovery=rewind`.",
    ),
    differs=("the question is Heitmann's, with no published figure",),
)
