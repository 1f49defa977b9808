"""Is it the weights or the architecture that structured pruning finds? Fine-tuned networks beside fresh ones."""

from search_spaces.claims import AtLeast, AtMost, Claim, Equivalent
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import CONV6_ON_CIFAR10, RESNET20_ON_CIFAR10
from search_spaces.quantities import Between, Difference, Level, Setting
from search_spaces.space import Choices, SearchSpace

_CRITERION, _DIRECTION = "compression.criterion", "compression.direction"
_LOWEST: Setting = {_CRITERION: "magnitude_l1", _DIRECTION: "lowest"}
_HIGHEST: Setting = {_CRITERION: "magnitude_l1", _DIRECTION: "highest"}
_RANDOM: Setting = {_CRITERION: "random", _DIRECTION: "lowest"}
_LAST = Level(column="test_accuracy", level=-1)

SPACE = SearchSpace(
    title="Do networks whose units were cut beat fresh networks of the same sizes?",
    claim=(
        "Fine-tuned at 8 times fewer parameters, networks lose little; fresh ones of the same sizes with the same "
        "budget do as well, and which units were cut hardly matters any more."
    ),
    source="Han et al. 2015, arXiv:1506.02626; Li et al. 2017, arXiv:1608.08710; Liu et al. 2019, arXiv:1810.05270",
    base={
        "compression.rate": 0.32,
        "compression.depth": 6,
        "compression.recovery": "finetune",
        "compression.recovery_epochs": 120,
        "compression.scratch_budget": "total",
        "replicates": 3,
    },
    span={
        "compression.criterion": Choices(values=("magnitude_l1", "random")),
        "compression.direction": Choices(values=("lowest", "highest")),
    },
    crossed=("compression",),
    trials=32,
    claims=(
        Claim(
            name="fine_tuned_as_dense",
            says="Fine-tuned at 8 times fewer parameters, networks lose at most two points of test accuracy.",
            quantity=Difference(
                first=Level(column="test_accuracy", ratio=8.0), second=Level(column="test_accuracy", level=0)
            ),
            comparison=AtLeast(bound=-0.02),
            where={_CRITERION: "magnitude_l1", _DIRECTION: "lowest"},
            source="Han et al. 2015, arXiv:1506.02626, table 1",
            published="LeNet-300-100 12 times smaller, AlexNet 9, VGG-16 13, without loss (weights, not units)",
        ),
        Claim(
            name="fresh_is_as_good",
            says="With 90 % of the units cut, fine-tuned networks are at most a point better than fresh ones.",
            quantity=Difference(first=_LAST, second=Level(column="test_accuracy", level=-1, arm="scratch_replicate")),
            comparison=AtMost(bound=0.01),
            where={_CRITERION: "magnitude_l1", _DIRECTION: "lowest"},
            source="Liu et al. 2019, arXiv:1810.05270, table 2",
            published="with structured pruning fresh networks are as good or better",
        ),
        Claim(
            name="direction_does_not_matter",
            says="Fine-tuned, it does not matter whether the lowest or the highest norms were cut.",
            quantity=Between(of=_LAST, first=_LOWEST, second=_HIGHEST),
            comparison=Equivalent(matters=0.02),
            source="Heitmann's redundancy project",
            published="after retraining a tie",
        ),
        Claim(
            name="magnitude_does_not_matter",
            says="Fine-tuned, lowest norms first are no better than random units.",
            quantity=Between(of=_LAST, first=_LOWEST, second=_RANDOM),
            comparison=Equivalent(matters=0.02),
        ),
        Claim(
            name="random_has_no_direction",
            says="Cut at random, it does not matter from which end.",
            quantity=Between(of=_LAST, first=_RANDOM, second={_CRITERION: "random", _DIRECTION: "highest"}),
            comparison=Equivalent(matters=0.02),
            role="placebo",
        ),
    ),
)

_LONG = {"training.epochs": 100, "compression.recovery_epochs": 240}

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=CONV6_ON_CIFAR10 | _LONG, trials=12),
        "large": Size(base=RESNET20_ON_CIFAR10 | _LONG | {"training.lr": 0.1}, trials=12),
    },
    notes=(
        "Where the tie of lowest and highest norms ends: fine-tuned, the first are better by .003 (.000 to .005, 95 %, "
        "8 dense cells) while 31 % of the units are left, by .013 (.008 to .018) at 15 % and by .029 (.023 to .035) at "
        "10 %, where networks that kept their lowest norms are .021 worse than fresh ones (.014 to .027).",
        "It is not the length of the training, nor its rate: four times the epochs leave .024 (.017 to .031), four "
        "times the rate makes it .15 (.03 to .26): `ockham launch rethinking --name longer --trials 16 --set "
        "compression.criterion=magnitude_l1 --set compression.recovery_epochs=480`, and with --set "
        "compression.recovery_lr=0.2 in place of the epochs.",
    ),
    differs=("Conv-6 in place of VGG-16", "what is cut untuned is the studies criteria and criteria_conv"),
)
