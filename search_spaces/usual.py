"""What this project asks of any study: do memorising networks break earlier, and is their gap larger?

The default study claims it; a study that claims nothing is asked it all the same, as exploration.
"""

import itertools
import math
import re

from search_spaces.carrying import carry_claims, refusals
from search_spaces.claims import Claim, Greater, Less
from search_spaces.placebos import RENAMED_CLASSES
from search_spaces.quantities import Association, Metric, Setting, Twins
from search_spaces.space import SearchSpace
from search_spaces.spanned import Choices
from trainables.compression.interfaces import RECOVERIES, TRANSFERS, Recovery, Transfer
from trainables.registry import Registry

MEMORISING_BREAKS_EARLIER = Claim(
    name="memorising_breaks_earlier",
    says="Networks that memorised noisy labels break earlier under compression than their clean twins.",
    quantity=Twins(metric="compressibility/auc"),
    comparison=Greater(matters=0.05),
    by="data.label_noise",
    source="Casper et al. 2019, arXiv:1912.04783, of removable units",
    published="networks with real labels have more removable units, with no number for this contrast",
)
MORE_THAN_FRESH_NETWORKS = Claim(
    name="more_than_fresh_networks_do",
    says="Something of that is left once what tells fresh networks of the same sizes apart is subtracted.",
    quantity=Metric(metric="contrast/retained"),
    comparison=Greater(),
    otherwise="what breaks earlier may be relearning and not the compressed network",
)
FOLLOWS_THE_GAP = Claim(
    name="compressibility_follows_the_gap",
    says="Within noise and criterion, networks that compress further have smaller generalization gaps.",
    quantity=Association(first=Metric(metric="compressibility/auc"), second=Metric(metric="gap/accuracy")),
    comparison=Less(),
)
HOW_FAR = Claim(
    name="how_far_networks_compress",
    says="How far networks compress (compressibility, 0 to 1).",
    quantity=Metric(metric="compressibility/auc"),
    comparison=Greater(),
    role="description",
)

# What changes the question, so that no mean over its values answers one.
_APART = ("compression.method", "compression.recovery", "compression.transfer")
_MOST_SETTINGS, _MOST_VALUES, _MOST_ROWS = 12, 8, 64


def contrast_by(field: str) -> Claim:
    """The contrast between twins for each value of a field, described."""
    return Claim(
        name=f"contrast_by_{field.rpartition('.')[2]}",
        says="The contrast in compressibility, clean twin − noisy network.",
        quantity=Twins(metric="compressibility/auc"),
        comparison=Greater(),
        by=field,
        role="description",
    )


def levels_survived(field: str, *, twins: bool) -> Claim:
    """Levels before half of the score above chance is lost, for each value of a field, described.

    Where both arms survive next to none, a contrast between them says little.
    """
    whose = "the clean twins" if twins else "the networks with noisy labels"
    return Claim(
        name=f"levels_survived{'_by_twins' if twins else ''}_by_{field.rpartition('.')[2]}",
        says=f"Levels that {whose} survive, before half of the score above chance is lost.",
        quantity=Metric(metric="control/levels_survived" if twins else "levels_survived"),
        comparison=Greater(),
        by=field,
        role="description",
    )


def usual_claims(space: SearchSpace) -> tuple[Claim, ...]:
    """What can be asked of the trials of a space whose study states no claims of its own.

    Ways of compressing that change the question (method, recovery, inputs of a distillation) are asked one by one,
    criteria and the like together and described apart. Of true labels alone is asked how far networks compress.
    """
    lists = {name: spanned for name, spanned in space.span.items() if isinstance(spanned, Choices)}
    ways = {name: found for name, found in lists.items() if name.startswith("compression.")}
    if refusals(MEMORISING_BREAKS_EARLIER.model_copy(update={"by": ()}), space):
        asked = [FOLLOWS_THE_GAP, _claim_by_way(HOW_FAR, ways)]
    else:
        asked = [
            _under_setting(claim, setting)
            for setting in _settings({name: found for name, found in ways.items() if name in _APART})
            for claim in (MEMORISING_BREAKS_EARLIER, MORE_THAN_FRESH_NETWORKS)
        ]
        asked += [FOLLOWS_THE_GAP, RENAMED_CLASSES]
        asked += [
            levels_survived(name, twins=twins)
            for name in ways
            if name in _APART and space.base.get("compression.rate") is not None
            for twins in (False, True)
        ]
        asked += [
            contrast_by(name)
            for name, found in ways.items()
            if name not in (*_APART, "compression.depth") and len(found.values) <= _MOST_VALUES
        ]
    return carry_claims(space.model_copy(update={"claims": tuple(asked)}))[0].claims


def _settings(apart: dict[str, Choices]) -> list[Setting]:
    """All combinations of what is asked one by one; one empty setting where nothing is."""
    combined = itertools.product(*([(name, value) for value in found.values] for name, found in apart.items()))
    return [dict(pairs) for pairs in itertools.islice(combined, _MOST_SETTINGS)]


def _under_setting(claim: Claim, setting: Setting) -> Claim:
    """The claim about the trials with a setting."""
    if not setting:
        return claim
    values = "_".join(re.sub(r"[^a-z0-9]+", "_", str(value).lower()) for value in setting.values())
    words = ", ".join(_words(name, str(value)) for name, value in setting.items())
    return claim.model_copy(
        update={
            "name": f"{claim.name}_{values}"[:64],
            "says": f"{words[:1].upper()}{words[1:]}: {claim.says[:1].lower()}{claim.says[1:]}",
            "where": {name: (value,) for name, value in setting.items()},
        }
    )


def _words(field: str, value: str) -> str:
    """`fitted on uniform noise`, `with method prune`."""
    entries: Registry[Recovery] | Registry[Transfer] = RECOVERIES if field == "compression.recovery" else TRANSFERS
    if field != "compression.method" and value in entries.names():
        return entries.get(value).phrase
    return f"with {field.rpartition('.')[2]} {value.replace('_', ' ')}"


def _claim_by_way(claim: Claim, ways: dict[str, Choices]) -> Claim:
    """The claim for each combination of as many of the ways as can be listed."""
    names = [name for name in ways if name != "compression.depth"]
    while math.prod(len(ways[name].values) for name in names) > _MOST_ROWS:
        names.pop()
    return claim.model_copy(update={"by": tuple(names)})
