"""Does dimension tell real from random? Of inputs, and of what layers make of them (the manifold hypothesis)."""

from search_spaces.claims import Claim, Equivalent, Less
from search_spaces.named_study import NamedStudy, Size
from search_spaces.protocols import CONV6_ON_CIFAR10, MNIST, ONE_LEVEL, RANDOM_LABELS
from search_spaces.quantities import Twins
from search_spaces.space import Choices, SearchSpace

SPACE = SearchSpace(
    title="Does the dimension of the data, or of what layers make of them, tell real data from random ones?",
    claim="Images lie on fewer dimensions than noise of their moments, and layers that learned on fewer than others.",
    source="Facco et al. 2017, arXiv:1803.06992; Ansuini et al. 2019, arXiv:1905.12784",
    base=RANDOM_LABELS | ONE_LEVEL | {"measures": "intrinsic_dimension+representations"},
    span={"data.inputs": Choices(values=("true", "gaussian"))},
    trials=16,
    claims=(
        Claim(
            name="images_have_few_dimensions",
            says="Images lie on fewer dimensions than noise with their mean and variance.",
            quantity=Twins(metric="measure/intrinsic_dimension/inputs"),
            comparison=Less(matters=1.0),
            where={"data.inputs": "gaussian"},
            source="Facco et al. 2017, arXiv:1803.06992",
        ),
        Claim(
            name="learned_layers_have_few_dimensions",
            says="The last hidden layer of networks that learned has fewer dimensions than of those that memorised.",
            quantity=Twins(metric="measure/intrinsic_dimension/last"),
            comparison=Less(matters=0.25),
            by="data.inputs",
            source="Ansuini et al. 2019, arXiv:1905.12784, figure 5",
            published="that the dimension falls in the last layers is not found with randomised labels",
        ),
        Claim(
            name="learned_layers_use_few_directions",
            says="The covariance of hidden layers that learned has a smaller effective dimension.",
            quantity=Twins(metric="measure/representations/effective_dimension"),
            comparison=Less(matters=1.0),
            by="data.inputs",
        ),
        Claim(
            name="labels_are_no_inputs",
            says="What labels say changes no dimension of the images.",
            quantity=Twins(metric="measure/intrinsic_dimension/inputs"),
            comparison=Equivalent(matters=0.01),
            where={"data.inputs": "true"},
            role="placebo",
        ),
    ),
)

STUDY = NamedStudy(
    space=SPACE,
    size="small",
    sizes={
        "paper": Size(base=MNIST | {"model.width": 512, "training.epochs": 200}),
        "large": Size(base=CONV6_ON_CIFAR10 | {"training.epochs": 200}),
    },
    differs=("MLPs and small convolutional networks, where Ansuini et al. look at networks for ImageNet",),
)
