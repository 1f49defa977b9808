"""Can what a network memorised be cut out of it, at what cost for all else?

Networks on digits that fit labels of which a tenth is changed. Units go that carry much of changed examples and little
of kept ones (`criterion=memorisation`), beside equal-size random removal from the same networks; and other networks are
trained with units tied to examples, which are cut out after training: there memory was given a place of its own.
"""

from search_spaces.claims import AtLeast, AtMost, Claim, Greater
from search_spaces.named_study import NamedStudy, Size
from search_spaces.placebos import same_dense_networks
from search_spaces.quantities import Between, Difference, Level, Setting
from search_spaces.space import Choices, SearchSpace

_CRITERION, _TIED = "compression.criterion", "model.tied_units"
_MAINI = "Maini et al. 2023, arXiv:2307.09542"
# The level at which the two ways are compared, about 1.4 times smaller than the dense network.
_CUT = 1
# Networks with tied units before anything is cut, counted once: both criteria meet the same.
_DENSE_AND_TIED: Setting = {_TIED: 0.8, _CRITERION: "random"}


def _accuracy(of: str, level: int = _CUT) -> Level:
    return Level(column=f"{of}_accuracy", level=level)


def _by(criterion: str) -> Setting:
    return {_CRITERION: criterion}


SPACE = SearchSpace(
    title="Can what a network memorised be cut out of it?",
    claim=(
        "Cutting the units that carry memorised examples takes these from the network and leaves more of all else than "
        "random removal of as many; where units are tied to examples while it trains, memory lies in them."
    ),
    source=_MAINI,
    base={
        "data.name": "digits",
        "data.label_noise": 0.1,
        "model.name": "mlp",
        "model.width": 128,
        "model.hidden_layers": 2,
        "model.tied_examples": 0.05,
        "training.epochs": 200,
        "training.batch_size": 50,
        "training.lr": 0.05,
        "training.momentum": 0.9,
        "compression.method": "prune",
        "compression.target_ratio": 8.0,
        "compression.depth": 6,
        "measures.names": "tied_units",
        "control": False,
        "replicates": 3,
    },
    span={
        _CRITERION: Choices(values=("memorisation", "random")),
        _TIED: Choices(values=(0.0, 0.8)),
    },
    crossed=("compression",),
    trials=32,
    claims=(
        Claim(
            name="memory_can_be_cut_out",
            says="Cutting units that carry memorised examples takes more of the accuracy on changed labels, beyond "
            "what it takes on kept ones, than random removal of as many.",
            quantity=Between(
                of=Difference(first=_accuracy("kept"), second=_accuracy("changed")),
                first=_by("memorisation"),
                second=_by("random"),
            ),
            where={_TIED: 0.0},
            comparison=Greater(matters=0.1),
        ),
        Claim(
            name="and_costs_no_more",
            says="It costs at most 0.05 more test accuracy than random removal of as many.",
            quantity=Between(of=_accuracy("test"), first=_by("memorisation"), second=_by("random")),
            where={_TIED: 0.0},
            comparison=AtLeast(bound=-0.05),
        ),
        Claim(
            name="most_of_it_goes",
            says="A network 1.4 times smaller has lost at least six in ten of the changed labels that it had.",
            quantity=_accuracy("changed"),
            where={_TIED: 0.0, _CRITERION: "memorisation"},
            comparison=AtMost(bound=0.4),
        ),
        Claim(
            name="tied_units_memorise",
            says="Networks with units tied to examples fit 95 % of the changed labels, with these units there.",
            quantity=Level(column="measure/tied_units/changed_accuracy", level=0),
            where=_DENSE_AND_TIED,
            comparison=AtLeast(bound=0.95),
            source=_MAINI,
            published="100 % of noisy examples with the memorising neurons",
        ),
        Claim(
            name="tied_units_hold_memory",
            says="Without the tied units they have at most two in ten of the changed labels right.",
            quantity=_accuracy("changed", 0),
            where=_DENSE_AND_TIED,
            comparison=AtMost(bound=0.2),
            source=_MAINI,
            published="3 % of noisy examples without them",
        ),
        Claim(
            name="tied_units_hold_little_else",
            says="Without the tied units they have at least eight in ten of the kept labels right.",
            quantity=_accuracy("kept", 0),
            where=_DENSE_AND_TIED,
            comparison=AtLeast(bound=0.8),
            source=_MAINI,
        ),
        same_dense_networks(_CRITERION, "memorisation", "random"),
        Claim(
            name="test_accuracy_after_cutting",
            says="Test accuracy after cutting units that carry memorised examples.",
            quantity=_accuracy("test"),
            where={_CRITERION: "memorisation"},
            by=_TIED,
            comparison=Greater(),
            role="description",
        ),
        Claim(
            name="test_accuracy_without_tied_units",
            says="Test accuracy of dense networks, evaluated without their tied units.",
            quantity=_accuracy("test", 0),
            where={_CRITERION: "random"},
            by=_TIED,
            comparison=Greater(),
            role="description",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(
            base={"data.name": "mnist", "model.name": "lenet5", "training.epochs": 50, "training.batch_size": 128},
        ),
        "large": Size(
            base={"data.name": "cifar10", "model.name": "resnet20", "model.width": 16, "training.epochs": 50},
        ),
    },
    differs=(
        "an MLP on digits, where the paper has ResNet-9 and others on MNIST, SVHN and CIFAR-10",
        "which examples a unit is tied to is drawn by a hash of their inputs, in the paper by their numbers",
        "fully connected layers have tied units, in the paper convolutions",
    ),
)
