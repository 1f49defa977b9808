"""What do spectra of trained layers show? Spikes, tails and ranks, beside the same numbers in random order."""

from search_spaces.claims import Claim, Equivalent, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import DENSE_ALONE
from search_spaces.quantities import Difference, Metric, Slope
from search_spaces.space import Choices, SearchSpace

_SOURCE = "Martin & Mahoney 2021, arXiv:1810.01075"
_SPIKES = Metric(metric="measure/spectrum/spikes")
_SHUFFLED = Metric(metric="measure/spectrum/shuffled_spikes")

SPACE = SearchSpace(
    title="Do layers leave the random bulk when they are trained, and does the size of batches move them?",
    claim="Trained layers have spikes above the Marchenko–Pastur edge, the same numbers in random order about none.",
    source=_SOURCE,
    base=DENSE_ALONE
    | {
        "replicates": 2,
        "model.width": 128,
        "model.init_scale": 0.3,
        "training.lr": 0.02,
        "training.epochs": 300,
        "measures": "spectrum",
    },
    span={
        "data.label_noise": Choices(values=(0.0, 1.0)),
        "training.batch_size": Choices(values=(20, 50, 125)),
    },
    trials=48,
    claims=(
        Claim(
            name="training_makes_spikes",
            says="Trained layers have more eigenvalues beyond the random edge than their shuffled selves.",
            quantity=Difference(first=_SPIKES, second=_SHUFFLED),
            comparison=Greater(matters=1.0),
            by="data.label_noise",
            source=f"{_SOURCE}, section 4",
            published="bulk + spikes in small modern networks, none at initialisation",
        ),
        Claim(
            name="small_batches_make_heavy_tails",
            says="The exponent of the spectra's tails falls as batches become smaller.",
            quantity=Slope(of=Metric(metric="measure/spectrum/alpha"), over="training.batch_size"),
            comparison=Greater(),
            source=f"{_SOURCE}, section 6",
            published="a small model shows all 5 + 1 phases, to heavy tails, by the size of its batches alone",
        ),
        Claim(
            name="small_batches_lower_the_rank",
            says="The stable rank falls as batches become smaller.",
            quantity=Slope(of=Metric(metric="measure/spectrum/stable_rank"), over="training.batch_size"),
            comparison=Greater(),
            source=f"{_SOURCE}, section 6",
        ),
        Claim(
            name="shuffled_matrices_are_random",
            says="Matrices whose entries stand in random order have no eigenvalue beyond the edge.",
            quantity=_SHUFFLED,
            comparison=Equivalent(matters=0.75),
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={"data.name": "cifar10", "model.name": "conv4", "model.width": 64, "training.epochs": 100},
            span={"training.batch_size": Choices(values=(8, 16, 32, 100, 250, 500))},
            trials=24,
        ),
        "large": Size(
            base={"data.name": "cifar10", "model.name": "wide_resnet", "model.width": 64, "training.epochs": 100},
            span={"training.batch_size": Choices(values=(8, 16, 32, 100, 250, 500))},
            trials=24,
        ),
    },
    notes=(
        "Why the placebo is open: in networks with true labels the entries of the second layer have a mean of .14 of "
        "their standard deviation, and a mean is a matrix of rank one that no order of the entries takes away. From "
        "128^(-1/2) = .09 on it leaves the bulk (Baik, Ben Arous, Péché 2005): one eigenvalue, 1.05 to 1.20 in four "
        "pairs of networks, 0 to .20 once the mean is subtracted. With random labels it is .06, and there is none.",
        "Why batches do not move the tails here: networks stop once they fit, those of small batches sooner. After 100 "
        "epochs of each the paper's claim holds: the exponent falls as batches become smaller (slope of ranks .71, .27 "
        "to 1.00, 48 trials), and of the stable rank nothing can be said (.12, −.40 to .73): `ockham launch spectra "
        "--name epochs --set training.stop_at_train_loss=none --set training.epochs=100`.",
    ),
    differs=("Conv-4 in place of MiniAlexNet", "spikes are counted beyond the Tracy–Widom quantile of the edge"),
)
