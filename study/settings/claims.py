"""The claims with which a study comes into being: what a named study claims, as far as its settings leave it so."""

import json

from search_spaces import catalog
from search_spaces.carrying import carried
from search_spaces.claims import Claim
from search_spaces.space import SearchSpace
from study.config.task import task_of_study


def with_claims(space: SearchSpace, *, explores: bool) -> tuple[SearchSpace, list[str]]:
    """`space` with those of a named study's claims that it can carry, and a line for each that it can't.

    Claims that somebody wrote stay as they are: what they ask for and the space lacks is refused, not left out.

    Args:
        explores: Whether trials are a selection, which decides nothing.
    """
    if not space.claims or explores:
        return space.model_copy(update={"claims": ()}), []
    shipped = [claim for name in catalog.names() for claim in catalog.get(name).claims]
    named = [claim for claim in space.claims if claim in shipped]
    kept, notes = carried(space.model_copy(update={"claims": tuple(_in_terms(claim, space) for claim in named)}))
    written = tuple(claim for claim in space.claims if claim not in shipped)
    return kept.model_copy(update={"claims": (*kept.claims, *written)}), list(notes)


def _in_terms(claim: Claim, space: SearchSpace) -> Claim:
    """The claim about the score of the study's task: accuracy is what named studies speak of."""
    try:
        score = task_of_study(space).score
    except ValueError:  # it is told of the field
        return claim
    if score == "accuracy":
        return claim
    quantity = json.loads(json.dumps(claim.model_dump(mode="json")["quantity"]).replace("accuracy", score))
    return Claim.model_validate({**claim.model_dump(mode="json"), "quantity": quantity})
