"""Do students find their teacher's units? Students of several widths, of a teacher of four units (Goldt; Tian)."""

from typing import TypeAlias

from search_spaces.claims import AtLeast, AtMost, Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import DENSE_ALONE
from search_spaces.quantities import FieldValue, Metric, Slope
from search_spaces.space import Choices, SearchSpace

_OVERLAP = "measure/overlaps"
_Where: TypeAlias = dict[str, tuple[FieldValue, ...]]
# A tenth of the targets are noise where there is a teacher to find; all of them in the placebo.
_SOME: _Where = {"data.label_noise": (0.1,)}
_BOTH: _Where = {**_SOME, "training.trains": ("all",)}

SPACE = SearchSpace(
    title="Does every unit of a teacher find a student, and what becomes of the others?",
    claim="In wide students every unit of the teacher is found, other units shrink, and the error does not grow.",
    source="Tian et al. 2019, arXiv:1905.13405; Goldt et al. 2019, arXiv:1906.08632",
    base=DENSE_ALONE
    | {
        "data.name": "teacher",
        "data.teacher.task": "regression",
        "data.teacher.features": 20,
        "data.teacher.units": 4,
        "data.teacher.examples": 10000,
        "model.hidden_layers": 1,
        "training.lr": 0.05,
        "training.epochs": 60,
        "training.stop_at_train_loss": None,
        "measures": "overlaps",
        "replicates": 3,
    },
    span={
        "data.label_noise": Choices(values=(0.1, 1.0)),
        "training.trains": Choices(values=("all", "first")),
        "model.width": Choices(values=(4, 8, 16, 32)),
    },
    trials=96,
    claims=(
        Claim(
            name="every_unit_is_found",
            says="In students of 16 units and more, nine of ten units of the teacher have one within a cosine of .95.",
            quantity=Metric(metric=f"{_OVERLAP}/found", bounds=(0.0, 1.0)),
            comparison=AtLeast(bound=0.9),
            where={**_BOTH, "model.width": (16, 32)},
            source="Tian et al. 2019, arXiv:1905.13405",
            published="every unit of the teacher is found, with a correlation near 1",
        ),
        Claim(
            name="wider_finds_more",
            says="The wider the student, the more of the teacher's units it finds.",
            quantity=Slope(of=Metric(metric=f"{_OVERLAP}/best"), over="model.width"),
            comparison=Greater(),
            where=_BOTH,
            source="Tian et al. 2019, arXiv:1905.13405",
        ),
        Claim(
            name="others_idle",
            says="The wider the student, the larger the share of its units that say next to nothing.",
            quantity=Slope(of=Metric(metric=f"{_OVERLAP}/idle"), over="model.width"),
            comparison=Greater(),
            where=_BOTH,
            source="Tian et al. 2019, arXiv:1905.13405",
            published="units that are not needed move towards 0",
        ),
        Claim(
            name="error_does_not_grow",
            says="Where both layers train, the error on new examples does not grow with the width.",
            quantity=Slope(of=Metric(metric="test/loss"), over="model.width"),
            comparison=AtMost(bound=0.0),
            where=_BOTH,
            source="Goldt et al. 2019, arXiv:1906.08632, figure 4",
            published="flat or falling if both layers train",
        ),
        Claim(
            name="error_grows_with_one_layer",
            says="Where only the first layer trains, the error on new examples grows with the width.",
            quantity=Slope(of=Metric(metric="test/loss"), over="model.width"),
            comparison=Greater(),
            where={**_SOME, "training.trains": ("first",)},
            source="Goldt et al. 2019, arXiv:1906.08632, figure 2",
            published="with noisy labels the error of soft committee machines grows with their width",
        ),
        Claim(
            name="noise_has_no_teacher",
            says="Where all targets are noise, no unit of the teacher is found.",
            quantity=Metric(metric=f"{_OVERLAP}/found", bounds=(0.0, 1.0)),
            comparison=Equivalent(matters=0.05),
            where={"data.label_noise": 1.0},
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base={"data.teacher.examples": 200000, "data.teacher.features": 100}),
        "large": Size(base={"data.teacher.examples": 1000000, "data.teacher.features": 500, "data.teacher.units": 10}),
    },
    notes=(
        "Why not every unit of the teacher is found: it is the noise, and the length of the training. Without noise "
        "all are found, with 60 and with 240 epochs (8 trials each); with a tenth of the targets changed .81 ± .04 "
        "after 60 epochs and .93 ± .02 after 240 (standard errors of 8 trials): `ockham launch teacher_student --name "
        "longer --trials 32 --set training.epochs=60,240 --set data.label_noise=0.0,0.1 --set training.trains=all "
        "--set model.width=16,32`.",
    ),
    differs=(
        "rectified units and several passes; erf units that see each example once are the study soft_committee",
        "noise puts other targets in the place of a tenth, where the paper adds normal numbers to all",
        "a second layer that does not train is drawn at random, where the paper's is constant",
    ),
)
