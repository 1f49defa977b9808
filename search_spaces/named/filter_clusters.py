"""Do filters of images cluster? Angles of trained and of initial filters to the nearest of four centres."""

from search_spaces.claims import Claim, Equivalent, Greater, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import TRUE_LABELS
from search_spaces.quantities import Difference, Metric, Slope, Twins
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Brutzkus & Globerson 2019, arXiv:1810.03037, section 7"
_ANGLE = "measure/alignment/angle"

SPACE = SearchSpace(
    title="Do the filters of a convolutional layer gather around a few centres when they are trained?",
    claim="Trained filters are closer to four centres than initial ones, and more filters generalise better.",
    source=_SOURCE,
    base={
        "data.noise_kind": "renamed",
        "model.name": "filters",
        "model.filters.kernel": 3,
        "model.filters.pool": 2,
        "training.epochs": 200,
        "training.lr": 0.02,
        "measures": "alignment",
        "compression.target_ratio": 1.5,
        "compression.depth": 1,
        "replicates": 3,
    },
    span={"model.width": Choices(values=(16, 32, 64)), "data.label_noise": Choices(values=(0.0, 1.0))},
    trials=24,
    claims=(
        Claim(
            name="filters_cluster",
            says="Trained filters lie closer to the centres of four clusters than initial ones.",
            quantity=Difference(first=Metric(metric=_ANGLE), second=Metric(metric="measure/alignment/initial_angle")),
            comparison=Less(matters=1.0),
            source=_SOURCE,
            published="the distribution of angles to the nearest centre moves towards 0 with training",
        ),
        Claim(
            name="more_filters_generalise_better",
            says="Test accuracy grows with the number of filters.",
            quantity=Slope(of=Metric(metric="test/accuracy"), over="model.width"),
            comparison=Greater(),
            where=TRUE_LABELS,
            source=_SOURCE,
        ),
        Claim(
            name="new_names_turn_no_filters",
            says="Where classes only have other names, filters lie as close to their centres.",
            quantity=Twins(metric=_ANGLE),
            comparison=Equivalent(matters=1.0),
            where={"data.label_noise": 1.0},
            role="placebo",
        ),
    ),
)

_PROTOCOL = {"data.name": "mnist", "model.filters.kernel": 5, "training.batch_size": 128, "training.epochs": 30}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=_PROTOCOL, span={"model.width": Choices(values=(16, 64, 256))}, trials=12),
        "large": Size(
            base={**_PROTOCOL, "data.name": "cifar10"}, span={"model.width": Choices(values=(16, 64, 256))}, trials=12
        ),
    },
    differs=("windows of 2 × 2 are pooled where the paper has 3 × 3",),
)
