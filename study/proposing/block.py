"""The smallest balanced piece of a plan: what is looked at as a whole."""

import math

from search_spaces.space import CONDITIONS
from search_spaces.spanned import Choices
from study.config import StudyConfig
from study.proposing import Proposer

_LEAST = 6


def block_of(config: StudyConfig) -> int:
    """How many trials of a study make a balanced block; at least six, by whole blocks.

    Where dense networks meet all instruments that is a dense cell's trials, else each combination of the two fields
    that a design lays out first, once. It depends on the space alone, so that a study stops at the same trial on every
    machine.
    """
    space = config.space
    if config.draws == "cell" and space.instruments:
        proposer = Proposer(config)
        first = proposer.propose(len(config.configurations)).cell
        most = math.prod(len(choices.values) for choices in space.instruments.values())
        same = [proposer.propose(len(config.configurations) + place).cell == first for place in range(most)]
        return sum(same)
    lists = {name: spanned.values for name, spanned in space.span.items() if isinstance(spanned, Choices)}
    leading = sorted(lists, key=lambda name: name not in CONDITIONS)[:2]
    size = math.prod(len(lists[name]) for name in leading)
    return size * math.ceil(_LEAST / size)
