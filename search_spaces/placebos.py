"""Claims of studies that must come out null: what they say holds where nothing was memorised."""

from search_spaces.claims import Claim, Equivalent
from search_spaces.quantities import Twins

RENAMED_CLASSES = Claim(
    name="new_names_change_nothing",
    says="Networks for which classes were only renamed compress as far as their clean twins.",
    quantity=Twins(metric="compressibility/auc"),
    comparison=Equivalent(matters=0.05),
    where={"data.noise_kind": "renamed"},
    role="placebo",
)
