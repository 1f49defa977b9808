"""The verdicts of a study as its ledger and files have it now; reading them writes nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search_spaces import catalog
from search_spaces.carrying import carry_claims
from search_spaces.claims import Claim
from search_spaces.space import CONDITIONS, SearchSpace
from search_spaces.usual import usual_claims
from study.config import StudyConfig
from study.ledger import ENDED, Ledger
from study.proposing import Proposer
from study.settings.claims import in_terms
from study.settings.exploratory import claims_added
from trainables.config import defaults

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.answer.robustness import Robustness
    from study.answer.standing import Standing
    from study.answer.verdict import Verdicts
    from study.ledger import TrialRow

# What decides about units and conditions where a space does not say it.
_USUAL = {name: defaults()[name] for name in ("replicates", *CONDITIONS)}


def verdicts_of(ledger: Ledger) -> "Verdicts":
    """What is known of each claim, those included that were stated, or met, once there were data.

    Raises:
        Damaged: Files that a claim needs are not what was written.
    """
    return verdicts_from(ledger, ledger.trials())


def verdicts_from(ledger: Ledger, rows: Sequence["TrialRow"]) -> "Verdicts":
    """The same from some of its trials, as if there were no others yet."""
    import pandas as pd

    from study.answer.cases import needs_networks
    from study.ledger.frames import network_frame, trial_frame

    config, plan = ledger.config, plan_of(ledger.config)
    claims = (*config.space.claims, *claims_met_later(config), *claims_added(config))
    networks = pd.DataFrame({"trial": pd.Series(dtype="int64")})
    if needs_networks(claims, config.space, plan):
        numbers = {row.number for row in rows}
        networks = network_frame(config.directory, rows, [one for one in ledger.files() if one.number in numbers])
    return verdicts_in(config, rows, trial_frame(rows), networks, plan=plan)


def verdicts_in(
    config: StudyConfig,
    rows: Sequence["TrialRow"],
    trials: "DataFrame",
    networks: "DataFrame",
    *,
    plan: "DataFrame | None" = None,
    courses: bool = False,
) -> "Verdicts":
    """The same from frames that are there already.

    Args:
        trials, networks: Of `rows`.
        plan: `plan_of(config)`, where that is known already.
        courses: Whether to say how each came about, unit by unit.
    """
    from study.answer.deciding import verdicts

    standing = standing_with(config, rows)
    later = (*claims_met_later(config), *claims_added(config))
    plan = plan_of(config) if plan is None else plan
    return verdicts(config.space, trials, networks, plan=plan, standing=standing, exploratory=later, courses=courses)


def robustness_of(ledger: Ledger) -> "Robustness":
    """The verdicts under other choices than those of the study.

    Raises:
        Damaged: Files that this needs are not what was written.
    """
    from study.ledger.frames import network_frame, trial_frame

    config, rows = ledger.config, ledger.trials()
    networks = network_frame(config.directory, rows, ledger.files())
    return robustness_in(config, rows, trial_frame(rows), networks)


def robustness_in(
    config: StudyConfig,
    rows: Sequence["TrialRow"],
    trials: "DataFrame",
    networks: "DataFrame",
    *,
    plan: "DataFrame | None" = None,
) -> "Robustness":
    """The same from frames that are there already; claims that were stated later count as well.

    Args:
        trials, networks: Of `rows`.
        plan: `plan_of(config)`, where that is known already.
    """
    from study.answer.robustness import robustness

    claims = (*config.space.claims, *claims_met_later(config), *claims_added(config))
    space = config.space.model_copy(update={"claims": claims})
    plan = plan_of(config) if plan is None else plan
    return robustness(space, trials, networks, plan=plan, standing=standing_with(config, rows))


def standing_with(config: StudyConfig, rows: Sequence["TrialRow"]) -> "Standing":
    """How far the study has come with these trials."""
    ended = [row for row in rows if row.state in ENDED]
    return standing_of(config, sum(not row.added for row in ended), sum(row.is_repetition for row in ended))


def plan_of(config: StudyConfig) -> "DataFrame":
    """The design trials that the study first planned: number, cell, dotted parameters; none where trials explore."""
    import pandas as pd

    if config.role != "design":
        return pd.DataFrame({"number": pd.Series(dtype="int64")})
    proposer = Proposer(config)
    rows = []
    for number in range(config.planned or config.trials - config.added):
        proposal = proposer.propose(number)
        params = {**config.space.base, **proposal.params}
        params = {name: "+".join(map(str, v)) if isinstance(v, list | tuple) else v for name, v in params.items()}
        rows.append({"number": number, "cell": proposal.cell_as(number, config.draws), **_USUAL, **params})
    return pd.DataFrame(rows)


def standing_of(config: StudyConfig, ended: int, chosen: int = 0) -> "Standing":
    """How far the study has come, compared with its plan, which one that is older than plans has not written down."""
    from study.answer.standing import Standing

    return Standing(config.planned, config.trials - config.added, ended, chosen, config.role == "explore")


def claims_met_later(config: StudyConfig) -> tuple[Claim, ...]:
    """What is asked of a study that claims nothing: nobody stated it before there were data.

    That is what the named study of the same space claims now, else what is usually asked of such trials.
    """
    if config.space.claims:
        return ()
    mine = _what_is_asked(config.space)
    same = [space for space in map(catalog.get, catalog.names()) if space.claims and _what_is_asked(space) == mine]
    if same:
        return carry_claims(config.space.model_copy(update={"claims": same[0].claims}))[0].claims
    return tuple(in_terms(claim, config.space) for claim in usual_claims(config.space))


def _what_is_asked(space: SearchSpace) -> dict[str, object]:
    """What makes a space the one of a named study, whatever was frozen into it since."""
    asked: dict[str, object] = space.model_dump(mode="json", include={"title", "span"})
    return asked
