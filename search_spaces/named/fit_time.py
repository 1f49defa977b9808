"""Do random labels take longer to fit? The time that memorising takes, each network beside its clean twin."""

from search_spaces.claims import Claim, Equivalent, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import AND_RENAMED, CIFAR10, FITTED, MNIST
from search_spaces.quantities import Association, Metric, Twins
from search_spaces.space import Choices, SearchSpace

_EPOCHS = Twins(metric="train/epochs_to_fit")

SPACE = SearchSpace(
    title="Do networks take longer to fit labels that they have to memorise?",
    claim="At every noise level the clean twin fits its labels in fewer epochs, and renamed classes cost none.",
    source="Zhang et al. 2017, arXiv:1611.03530, figure 1; Arpit et al. 2017, arXiv:1706.05394",
    base=FITTED | {"compression.depth": 6},
    span={"data.label_noise": Choices(values=(0.25, 0.5, 1.0)), **AND_RENAMED},
    trials=48,
    claims=(
        Claim(
            name="memorising_takes_longer",
            says="Clean twins fit their labels in fewer epochs.",
            quantity=_EPOCHS,
            comparison=Less(matters=1.0),
            by="data.label_noise",
            source="Zhang et al. 2017, arXiv:1611.03530, figure 1a",
            published="random labels take a small constant factor longer",
        ),
        Claim(
            name="what_takes_longer_compresses_less",
            says="Within noise, networks that took longer to fit their labels break earlier under compression.",
            quantity=Association(
                first=Metric(metric="train/epochs_to_fit"), second=Metric(metric="compressibility/auc")
            ),
            comparison=Less(),
        ),
        Claim(
            name="new_names_cost_no_time",
            says="Renamed classes take as many epochs as true ones.",
            quantity=_EPOCHS,
            comparison=Equivalent(matters=2.0),
            where={"data.noise_kind": "renamed"},
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=MNIST | {"model.width": 512, "training.epochs": 300}),
        "large": Size(base=CIFAR10 | {"model.name": "conv4", "training.epochs": 300}),
    },
    notes=(
        "Within a noise level only seeds differ here, so that the association of fit time and compressibility has "
        "little to go by: it was open after 48 trials.",
    ),
    differs=("an MLP on MNIST, where Zhang et al. fit CIFAR-10 and ImageNet",),
)
