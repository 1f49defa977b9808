"""Is it memorising or mere difficulty? Rules that a wide teacher makes hard, beside labels that follow no rule."""

from search_spaces.claims import Claim, Greater, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.protocols import AND_RENAMED, RANDOM_LABELS
from search_spaces.quantities import Metric, Slope, Twins
from search_spaces.space import Choices, SearchSpace

_UNITS = "data.teacher.units"

SPACE = SearchSpace(
    title="Do networks with a hard rule compress as badly as networks that memorised?",
    claim="Harder rules compress worse, but at every difficulty a rule compresses further than labels without one.",
    source="Seeds of this project; teachers as in Goldt et al. 2019, arXiv:1906.08632",
    base=RANDOM_LABELS | {"data.name": "teacher", "data.teacher.examples": 2000, "compression.depth": 6},
    span={"data.teacher.units": Choices(values=(2, 16, 128)), **AND_RENAMED},
    trials=48,
    claims=(
        Claim(
            name="a_rule_compresses_further",
            says="Networks that learned the teacher's rule compress further than their twins with random labels.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            by=_UNITS,
        ),
        Claim(
            name="harder_rules_compress_less",
            says="The more units the teacher has, the earlier networks that learned its rule break.",
            quantity=Slope(of=Metric(metric="control/compressibility/auc"), over=_UNITS),
            comparison=Less(),
        ),
        RENAMED_CLASSES,
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base={"data.teacher.examples": 20000, "model.width": 512, "training.lr": 0.1}),
        "large": Size(base={"data.teacher.examples": 100000, "model.width": 1024, "training.lr": 0.1}),
    },
    differs=("the question is this project's own: no paper has its protocol",),
)
