"""Whether a trial records what its networks say of each training example."""

from trainables.config import TrialConfig
from trainables.data.trial_data import TrialData

# Trials with more rows are recorded only when asked for.
MOST_ROWS = 10**8


def why_not(config: TrialConfig, data: TrialData) -> str:
    """Why a trial does not record what its networks say of each example; "" if it does."""
    rows = data.all_labels.shape[0] * data.all_labels.shape[1]
    if config.examples == "never":
        return "examples=never"
    if config.examples == "always":
        return ""
    if config.data.subset == 1:
        return "every network is given all examples; examples=always records them all the same"
    if not data.task.has_classes:
        return "networks are asked for numbers, which are not right or wrong"
    if rows > MOST_ROWS:
        return f"{rows:,} rows (networks times examples) are more than {MOST_ROWS:,}; examples=always records them"
    return ""
