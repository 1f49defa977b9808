"""Do units that the teacher does not have harm a student that sees each example once? Committee machines (Goldt et al.)

Online gradient descent: one pass over fresh examples, so that no label can be memorised and what is left of the error
is what noise keeps alive. Teacher and students are committees of erf units; the teacher has two.
"""

from search_spaces.claims import AtMost, Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import DENSE_ALONE
from search_spaces.quantities import Between, FieldValue, Metric
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Goldt et al. 2019, arXiv:1906.08632"
_ERROR = Metric(metric="test/loss")
_WIDER = Between(of=_ERROR, first={"model.width": 8}, second={"model.width": 2})


def _noisy(trains: str) -> dict[str, tuple[FieldValue, ...]]:
    return {"training.trains": (trains,), "data.label_noise": (1.0,)}


SPACE = SearchSpace(
    title="Do more units than the teacher has harm a student that sees each example once?",
    claim="With noisy targets the error grows with the width if only the first layer trains, and not if both do.",
    source=_SOURCE,
    base=DENSE_ALONE
    | {
        "data.name": "teacher",
        "data.split": (36000, 1000, 5000),
        "data.teacher.task": "regression",
        "data.teacher.activation": "erf",
        "data.teacher.second": "ones",
        "data.teacher.features": 20,
        "data.teacher.units": 2,
        "data.teacher.examples": 42000,
        "data.noise_kind": "added",
        "data.added.deviation": 0.3,
        "model.name": "committee",
        "model.committee.outgoing": "ones",
        "training.epochs": 1,
        "training.batch_size": 4,
        "training.lr": 0.02,
        "training.momentum": 0.0,
        "training.stop_at_train_loss": None,
        "replicates": 3,
    },
    span={
        "data.label_noise": Choices(values=(0.0, 1.0)),
        "training.trains": Choices(values=("all", "first")),
        "model.width": Choices(values=(2, 8)),
    },
    trials=64,
    claims=(
        Claim(
            name="error_grows_with_one_layer",
            says="Where only the first layer trains, students of 8 units have a larger error than students of 2.",
            quantity=_WIDER,
            comparison=Greater(),
            where=_noisy("first"),
            source=f"{_SOURCE}, section 2",
            published="the final error increases with network size when training only the first layer",
        ),
        Claim(
            name="error_does_not_grow_with_both",
            says="Where both layers train, it is no larger.",
            quantity=_WIDER,
            comparison=AtMost(bound=0.0),
            where=_noisy("all"),
            source=f"{_SOURCE}, section 3",
            published="it stays constant or even decreases with size when training both layers",
        ),
        Claim(
            name="without_noise_nothing_is_left",
            says="Without noise students of 8 units are left with no error, whichever layers train.",
            quantity=_ERROR,
            comparison=Equivalent(matters=0.02),
            where={"data.label_noise": 0.0, "model.width": 8},
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
                "data.split": (2000000, 1000, 20000),
                "data.teacher.features": 100,
                "data.teacher.examples": 2021000,
            },
            span={"model.width": Choices(values=(2, 4, 6, 8))},
            trials=128,
        ),
        "large": Size(
            base={
                "data.split": (8000000, 1000, 20000),
                "data.teacher.features": 500,
                "data.teacher.examples": 8021000,
            },
            span={"model.width": Choices(values=(2, 4, 6, 8))},
            trials=128,
        ),
    },
    notes=(
        "Protocol changed after first trials: fewer examples, for time, and a placebo of students of 8 units alone.",
        "Those of 2 units of which both layers train are still on their way after one pass: without noise they are "
        "left with an error of .005, so that what 8 units reach beside them is a weak test.",
    ),
    differs=(
        "batches of 4, where the paper sees examples one by one",
        "a student of both layers starts with outgoing weights of 1; units have biases",
    ),
)
