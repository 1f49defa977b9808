"""Why do larger models generalise better? XOR detection by a layer of filters and a maximum (Brutzkus & Globerson)."""

from search_spaces.claims import Claim, Greater, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import TRUE_LABELS, new_names_change_nothing
from search_spaces.quantities import Between, Difference, Metric, Slope
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Brutzkus & Globerson 2019, arXiv:1810.03037"
_ANGLE = Metric(metric="measure/alignment/angle")

SPACE = SearchSpace(
    title="Do networks with more filters find all patterns where those with few miss some?",
    claim="The more filters, the lower the test error, and filters end near the centres of four clusters.",
    source=_SOURCE,
    base={
        "data.name": "xor",
        "data.xor.layout": "pixels",
        "data.xor.examples": 3000,
        "data.split": (100, 400, 2500),
        "model.name": "filters",
        "model.filters.kernel": 1,
        "model.init_scale": 0.1,
        "training.lr": 0.05,
        "training.epochs": 400,
        "measures": "alignment",
        "compression.target_ratio": 1.5,
        "compression.depth": 1,
        "data.noise_kind": "renamed",
        "control": False,
        "replicates": 3,
    },
    span={"model.width": Choices(values=(4, 8, 32, 128)), "data.label_noise": Choices(values=(0.0, 1.0))},
    trials=96,
    claims=(
        Claim(
            name="more_filters_generalise_better",
            says="Test accuracy grows with the number of filters.",
            quantity=Slope(of=Metric(metric="test/accuracy"), over="model.width"),
            where=TRUE_LABELS,
            comparison=Greater(),
            source=f"{_SOURCE}, figure 1",
            published="larger networks have a smaller test error at the same, zero, training error",
        ),
        Claim(
            name="many_beat_few",
            says="128 filters have a higher test accuracy than 4.",
            quantity=Between(of=Metric(metric="test/accuracy"), first={"model.width": 128}, second={"model.width": 4}),
            where=TRUE_LABELS,
            comparison=Greater(matters=0.01),
            source=_SOURCE,
        ),
        Claim(
            name="filters_cluster",
            says="Trained filters lie closer to the centres of four clusters than initial ones.",
            quantity=Difference(first=_ANGLE, second=Metric(metric="measure/alignment/initial_angle")),
            comparison=Less(matters=1.0),
            where={**TRUE_LABELS, "model.width": (32, 128)},
            source=f"{_SOURCE}, section 6",
        ),
        new_names_change_nothing(
            "new_names_cluster_as_well",
            "Where the two classes have each other's names, trained filters lie as close to their centres.",
            _ANGLE,
            matters=3.0,
            widths=(32, 128),
        ),
    ),
)

_PROTOCOL = {"data.xor.examples": 30000, "data.split": (1000, 4000, 25000), "data.xor.pairs": 20}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=_PROTOCOL, trials=192),
        "large": Size(base={**_PROTOCOL, "data.xor.pairs": 50}, trials=384),
    },
    differs=("the classifier is trained too, and has biases, where the paper fixes it",),
)
