"""Why MLflow takes nothing, and what to do about it where waiting will not help."""

from study.config import StudyConfig
from study.ledger import intact
from study.tracking.error_log import line
from study.tracking.insisting import is_refusal


def explain_trouble(config: StudyConfig, error: Exception) -> str:
    """What keeps MLflow from taking a study's results, in a sentence."""
    store = config.run.own_store
    if store is not None and (damage := intact.trouble_of(store)):
        mending = config.command("doctor", "--mend")
        return f"MLflow's store in {store.parent} is damaged ({damage}); put a new one in its place with: {mending}"
    # A server that answers 400 to everything is there.
    return f"MLflow does not {'take results' if is_refusal(error) else 'answer'} ({line(error)})"


def is_unknown_there(error: Exception) -> bool:
    """Whether the server does not know a run or an experiment that it once made."""
    return getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST"
