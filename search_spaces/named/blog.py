"""The seed experiment: "Compressing neural networks to see if they learn", at its own scale.

One network learns MNIST, its twin the same images with random labels, from the same initial weights. Then a network
with 20 % fewer hidden units is fitted to the outputs of the last one, again and again, until it no longer can be. The
blog fitted on uniform noise images; gaussian noise and the training images are spanned beside it, because on uniform
noise a classifier's outputs soon collapse into one class (see the README for what came out).
"""

from search_spaces.claims import AtMost, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.published import Published
from search_spaces.quantities import Level, Metric, Twins
from search_spaces.space import Choices, SearchSpace
from search_spaces.usual import contrast_by, levels_survived

_TRANSFER = "compression.transfer"
_ABOVE_FRESH = Metric(metric="contrast/retained")


def _by_inputs(name: str, says: str, quantity: Level | Metric) -> Claim:
    """A number for each kind of transfer inputs, described."""
    return Claim(name=name, says=says, quantity=quantity, comparison=Greater(), by=_TRANSFER, role="description")


SPACE = SearchSpace(
    title="Can a network that memorised random labels be distilled into ever smaller ones, as one that learned can?",
    claim=(
        "The random-label network stops following after about 10 rounds of 20 % fewer units; "
        "the true-label one does not."
    ),
    source='The blog post "Compressing neural networks to see if they learn"; Zhang et al. 2017, arXiv:1611.03530',
    base={
        "data.name": "mnist",
        "data.label_noise": 1.0,
        "model.name": "mlp",
        "model.width": 512,
        "model.hidden_layers": 2,
        "training.epochs": 100,
        "training.batch_size": 128,
        "training.lr": 0.1,
        "training.stop_at_train_loss": None,
        "compression.method": "distill",
        # Fewer, and not even a wide student follows a teacher of random labels (2,000 images: 98 % after 20 epochs).
        "compression.distill.epochs": 30,
        "compression.rate": 0.2,
        "compression.depth": 15,
        "replicates": 2,
    },
    span={"compression.transfer": Choices(values=("noise", "gaussian", "train"))},
    crossed=("compression",),
    trials=12,
    claims=(
        Claim(
            name="uniform_noise_measures_nothing",
            says="Fitted on uniform noise, students of the true-label network end near chance as well.",
            quantity=Level(column="train_accuracy", level=-1, arm="control"),
            comparison=AtMost(bound=0.25),
            where={_TRANSFER: "noise"},
        ),
        Claim(
            name="random_labels_stop_earlier",
            says="Fitted on the training images, the random-label network stops following before the true-label one.",
            quantity=Twins(metric="compressibility/auc"),
            comparison=Greater(matters=0.05),
            where={_TRANSFER: "train"},
            published="the random-label network clearly fails to converge after about 10 rounds (on noise)",
        ),
        Claim(
            name="more_than_fresh_networks_do",
            says="Of that, more than what tells fresh networks of the same sizes apart.",
            quantity=_ABOVE_FRESH,
            comparison=Greater(matters=0.05),
            where={_TRANSFER: "train"},
            otherwise="what breaks may be what so small a network can fit, which needs no compression to show",
        ),
        Claim(
            name="gaussian_noise_tells_them_apart",
            says="Fitted on gaussian noise, more of the true-label network gets through, fresh networks subtracted.",
            quantity=_ABOVE_FRESH,
            comparison=Greater(matters=0.05),
            where={_TRANSFER: "gaussian"},
        ),
        RENAMED_CLASSES,
        contrast_by(_TRANSFER),
        _by_inputs("above_fresh_by_transfer", "The contrast above fresh networks of the same sizes.", _ABOVE_FRESH),
        levels_survived(_TRANSFER, twins=False),
        levels_survived(_TRANSFER, twins=True),
        _by_inputs(
            "top_class_share",
            "Share of the inputs to which the last teacher of random labels gives one and the same class.",
            Level(column="teacher_top_class_share", level=-1),
        ),
        _by_inputs(
            "agreement",
            "Share of the inputs on which the last student of random labels says what its teacher says.",
            Level(column="transfer_agreement", level=-1),
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    published=tuple(
        Published(
            title=f"fitted on {inputs}",
            column="train_accuracy",
            arms=("replicate", "control"),
            where={_TRANSFER: transfer},
            points=((10, None),),
            says="from about the tenth round on (dotted) the network of random labels clearly fails to converge",
            source='"Compressing neural networks to see if they learn", on uniform noise, MNIST',
        )
        for transfer, inputs in (("noise", "uniform noise"), ("gaussian", "gaussian noise"), ("train", "the images"))
    ),
    size="paper",
    sizes={
        "small": Size(
            base={
                "data.name": "digits",
                "model.width": 128,
                "training.epochs": 400,
                "training.batch_size": 50,
                "training.lr": 0.05,
                "training.stop_at_train_loss": 0.01,
                "compression.depth": 10,
                "replicates": 3,
            },
            trials=24,
        ),
        "large": Size(base={"data.name": "cifar10", "model.width": 1024, "training.epochs": 300, "replicates": 5}),
    },
    notes=(
        "On the 8 × 8 digits uniform noise carries the rule of true labels to the students (.75 after ten rounds). "
        "That is the data's, not the protocol's: with 1,000 images of MNIST in their place .18 are left (.12 to .23, 8 "
        "trials; chance is .1): `ockham launch blog --size small --name pixels --set data.name=mnist --set "
        "data.train_size=1000 --set compression.transfer=noise --trials 8`.",
    ),
    differs=(
        "gaussian noise and the training images beside the blog's uniform noise",
        "networks of one size and eight pairs of twins, two trained together, where the blog has one of each",
        "momentum and rates are ours: the blog names none",
    ),
)
