"""In how few directions does a network learn? What is left of it when only the first directions of its update stay."""

from search_spaces.claims import AtLeast, Claim, Equivalent, Greater, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import AND_RENAMED, FITTED, ONE_LEVEL
from search_spaces.quantities import Difference, Metric, Twins
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Nagarajan & Kolter 2019, arXiv:1902.04742"
_DIRECTIONS = Twins(metric="measure/update_projection/directions")


def _projection(name: str) -> Metric:
    return Metric(metric=f"control/measure/update_projection/{name}", bounds=(0.0, 1.0))


SPACE = SearchSpace(
    title="Does what training added lie in a few directions, and in more of them where labels were memorised?",
    claim="16 directions keep the accuracy of networks that learned; random ones do not; memorising takes more.",
    source=_SOURCE,
    base=FITTED | ONE_LEVEL | {"model.hidden_layers": 3, "training.batch_size": 64, "measures": "update_projection"},
    span={"data.label_noise": Choices(values=(0.5, 1.0)), **AND_RENAMED},
    trials=32,
    claims=(
        Claim(
            name="few_directions_are_enough",
            says="With the first 16 directions of their update networks with true labels keep 95 % accuracy.",
            quantity=_projection("score"),
            comparison=AtLeast(bound=0.95),
            source=_SOURCE,
            published="16 of 1024 directions keep the accuracy",
        ),
        Claim(
            name="random_directions_are_not",
            says="The first 16 directions keep more than 16 random ones.",
            quantity=Difference(first=_projection("score"), second=_projection("random_score")),
            comparison=Greater(matters=0.1),
            source=_SOURCE,
        ),
        Claim(
            name="memorising_takes_more_directions",
            says="Networks with true labels need fewer directions than those with noisy ones.",
            quantity=_DIRECTIONS,
            comparison=Less(matters=1.0),
            by="data.label_noise",
            source=_SOURCE,
        ),
        Claim(
            name="new_names_take_no_more",
            says="Renamed classes take as many directions as true ones.",
            quantity=_DIRECTIONS,
            comparison=Equivalent(matters=4.0),
            where={"data.noise_kind": "renamed"},
            role="placebo",
        ),
    ),
)

_PROTOCOL = {
    "data.name": "mnist",
    "data.train_size": 4096,
    "model.width": 1024,
    "model.hidden_layers": 5,
    "training.lr": 0.1,
    "training.momentum": 0.0,
}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=_PROTOCOL, trials=8),
        "large": Size(base={**_PROTOCOL, "data.train_size": 16384}, trials=16),
    },
    differs=("networks stop at a loss of .01, the paper's at a margin",),
)
