"""Why do wider networks generalise better? Distances and unit capacities of networks of one hidden layer.

After Neyshabur et al.: the wider a network is that fits its labels, the shorter the way that each of its units, and all
of them together, went from where they started.
"""

from search_spaces.claims import Claim, Greater, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import TRUE_LABELS, new_names_change_nothing
from search_spaces.protocols import DENSE_ALONE
from search_spaces.quantities import Metric, Slope
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Neyshabur et al. 2019, arXiv:1805.12076"


def _falls(measure: str, what: str, figure: int) -> Claim:
    """That a norm falls as networks become wider."""
    return Claim(
        name=f"{measure}_falls",
        says=f"{what} falls with every doubling of the width.",
        quantity=Slope(of=Metric(metric=f"measure/norms/{measure}"), over="model.width", scale="log"),
        comparison=Less(),
        where=TRUE_LABELS,
        source=f"{_SOURCE}, figure {figure}",
        published="it falls with the width, at equal fit",
    )


SPACE = SearchSpace(
    title="Do units of wider networks have to move less to fit the same labels?",
    claim="At equal fit the mean capacity of a unit and the distance from initialisation fall as the width grows.",
    source=f"{_SOURCE}, figures 1 to 3",
    base=DENSE_ALONE
    | {
        "replicates": 3,
        "model.hidden_layers": 1,
        "training.batch_size": 64,
        "training.epochs": 1000,
        "measures": "norms",
        "data.noise_kind": "renamed",
    },
    span={
        "model.width": Choices(values=(16, 32, 64, 128, 256, 512)),
        "data.label_noise": Choices(values=(0.0, 1.0)),
    },
    trials=96,
    claims=(
        _falls("unit_capacity", "The mean capacity of a unit", 3),
        _falls("distance", "The distance from initialisation", 2),
        _falls("unit_impact", "The mean length of a unit's outgoing weights", 3),
        Claim(
            name="wider_is_no_worse",
            says="Test accuracy grows with the width.",
            quantity=Slope(of=Metric(metric="test/accuracy"), over="model.width"),
            comparison=Greater(),
            where=TRUE_LABELS,
            source=f"{_SOURCE}, figure 1",
        ),
        new_names_change_nothing(
            "new_names_move_as_far",
            "Renamed classes take networks of 128 units as far from their initialisation as true ones do.",
            Metric(metric="measure/norms/relative_distance"),
            matters=0.05,
            widths=(128,),
        ),
    ),
)

_PROTOCOL = {"training.lr": 0.001, "training.momentum": 0.9}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={"data.name": "mnist", **_PROTOCOL},
            span={"model.width": Choices(values=(8, 32, 128, 512, 2048, 8192))},
            trials=36,
        ),
        "large": Size(
            base={"data.name": "cifar10", **_PROTOCOL},
            span={"model.width": Choices(values=(8, 32, 128, 512, 2048, 8192, 32768))},
            trials=42,
        ),
    },
    differs=("every other power of two between 2³ and 2¹³ in place of all up to 2¹⁵",),
)
