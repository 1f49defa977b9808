"""The claims with which a study comes into being: what a named study claims, as far as its settings leave it so."""

import json

from search_spaces import catalog
from search_spaces.carrying import carry_claims
from search_spaces.claims import Claim
from search_spaces.space import SearchSpace
from study.config.task import task_of_study


def with_claims(space: SearchSpace) -> tuple[SearchSpace, list[str]]:
    """`space` with those of a named study's claims that it can carry, and a line for each that it can't.

    Claims that somebody wrote stay as they are: what they ask for and the space lacks is refused, not left out.
    Trials that are a selection decide nothing; what is claimed of them waits until some are confirmed.
    """
    if not space.claims:
        return space, []
    shipped = [claim for name in catalog.names() for claim in catalog.get(name).claims]
    kept: list[Claim] = []
    notes: list[str] = []
    for claim in space.claims:  # in their order, which is part of what a study is
        if claim not in shipped:
            kept.append(claim)
            continue
        mine, said = carry_claims(space.model_copy(update={"claims": (in_terms(claim, space),)}))
        kept += mine.claims
        notes += said
    return space.model_copy(update={"claims": tuple(kept)}), notes


def in_terms(claim: Claim, space: SearchSpace) -> Claim:
    """The claim about the score of the study's task: accuracy is what named studies speak of."""
    try:
        score = task_of_study(space).score
    except ValueError:  # it is told of the field
        return claim
    if score == "accuracy":
        return claim
    quantity = json.loads(json.dumps(claim.model_dump(mode="json")["quantity"]).replace("accuracy", score))
    return Claim.model_validate({**claim.model_dump(mode="json"), "quantity": quantity})
