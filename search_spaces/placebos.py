"""Claims of studies that must come out null: what they say holds where nothing was memorised."""

from search_spaces.claims import Claim, Equivalent
from search_spaces.quantities import Between, Difference, FieldValue, Level, Metric, Setting, Twins, Value

TRUE_LABELS: Setting = {"data.label_noise": 0.0}

RENAMED_CLASSES = Claim(
    name="new_names_change_nothing",
    says="Networks for which classes were only renamed compress as far as their clean twins.",
    quantity=Twins(metric="compressibility/auc"),
    comparison=Equivalent(matters=0.05),
    where={"data.noise_kind": "renamed"},
    role="placebo",
)

# Where a mask knows nothing of the weights, those before training are as good as any others.
RANDOM_PLACES = Claim(
    name="random_places_know_no_weights",
    says="Under masks at random places initial weights train no better than fresh ones.",
    quantity=Difference(
        first=Level(column="test_accuracy", level=-1),
        second=Level(column="test_accuracy", level=-1, arm="scratch_replicate"),
    ),
    comparison=Equivalent(matters=0.02),
    where={"compression.recovery": "shuffled"},
    role="placebo",
)


def new_names_change_nothing(
    name: str, says: str, of: Value, *, matters: float, widths: tuple[FieldValue, ...]
) -> Claim:
    """That classes with other names (`renamed` noise of 1) give what true ones do, in networks of these widths."""
    return Claim(
        name=name,
        says=says,
        quantity=Between(of=of, first={"data.label_noise": 1.0}, second=TRUE_LABELS),
        comparison=Equivalent(matters=matters),
        where={"model.width": widths},
        role="placebo",
    )


def random_labels_teach_nothing(chance: float, published: str = "") -> Claim:
    """That what networks with random labels say of new inputs is right as often as chance is."""
    return Claim(
        name="random_labels_teach_nothing",
        says="Networks that were given random labels say what chance says of new images.",
        quantity=Metric(metric="test/accuracy"),
        comparison=Equivalent(to=chance, matters=0.05),
        where={"data.label_noise": 1.0},
        published=published,
        role="placebo",
    )


def same_dense_networks(field: str, first: FieldValue, second: FieldValue) -> Claim:
    """That an instrument meets the networks that the other one met: nothing it does is there yet."""
    return Claim(
        name="dense_networks_are_the_same",
        says="Before anything is compressed it does not matter how it will be.",
        quantity=Between(of=Level(column="test_accuracy", level=0), first={field: first}, second={field: second}),
        comparison=Equivalent(matters=0.005),
        role="placebo",
    )
