"""The verdicts of a study as its ledger and files have it now; reading them writes nothing."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search_spaces import catalog
from search_spaces.carrying import carried
from search_spaces.claims import Claim
from search_spaces.space import CONDITIONS, SearchSpace
from study.config import StudyConfig
from study.ledger import ENDED, Ledger
from study.proposing import Proposer
from study.settings.exploratory import claims_added
from trainables.config import TrialConfig

if TYPE_CHECKING:
    from pandas import DataFrame

    from study.answer.standing import Standing
    from study.answer.verdict import Verdicts
    from study.ledger import TrialRow

# What decides about units and conditions where a space does not say it.
_USUAL = {name: TrialConfig().flat()[name] for name in ("replicates", *CONDITIONS)}


def verdicts_of(ledger: Ledger) -> "Verdicts":
    """What is known of each claim, those included that were stated, or met, once there were data.

    Raises:
        Damaged: Files that a claim needs are not what was written.
    """
    return verdicts_from(ledger, ledger.trials())


def verdicts_from(ledger: Ledger, rows: Sequence["TrialRow"]) -> "Verdicts":
    """The same from some of its trials, as if there were no others yet."""
    import pandas as pd

    from study.answer.deciding import needs_networks
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
) -> "Verdicts":
    """The same from frames that are there already.

    Args:
        trials, networks: Of `rows`.
        plan: `plan_of(config)`, where that is known already.
    """
    from study.answer.deciding import verdicts

    standing = standing_of(config, sum(row.state in ENDED and not row.added for row in rows))
    later = (*claims_met_later(config), *claims_added(config))
    plan = plan_of(config) if plan is None else plan
    return verdicts(config.space, trials, networks, plan=plan, standing=standing, exploratory=later)


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


def standing_of(config: StudyConfig, ended: int) -> "Standing":
    """How far the study has come, compared with its plan; one that is older than plans had the trials that it has."""
    from study.answer.standing import Standing

    total = config.trials - config.added
    return Standing(config.planned or total, total, ended)


def claims_met_later(config: StudyConfig) -> tuple[Claim, ...]:
    """Of a study that claims nothing what the named study of the same space claims now: nobody stated it before."""
    if config.space.claims or config.role != "design":
        return ()
    mine = _asked(config.space)
    same = [space for space in map(catalog.get, catalog.names()) if space.claims and _asked(space) == mine]
    return carried(config.space.model_copy(update={"claims": same[0].claims}))[0].claims if same else ()


def _asked(space: SearchSpace) -> dict[str, object]:
    """What makes a space the one of a named study, whatever was frozen into it since."""
    asked: dict[str, object] = space.model_dump(mode="json", include={"title", "span"})
    return asked
