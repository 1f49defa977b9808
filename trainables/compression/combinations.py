"""Which parts of a compression go together. Torch-free, so that a study is refused before it starts."""

from trainables.compression.interfaces import CRITERIA
from trainables.config import CompressionConfig, TrialConfig


def check(config: TrialConfig) -> None:
    """Refuses what cannot be carried out.

    Raises:
        ValueError: Says which fields do not go together, why, and what would.
    """
    compression = config.compression
    _check_recovery(compression)
    if compression.method == "prune":
        _check_criterion(compression)


def _check_recovery(compression: CompressionConfig) -> None:
    recovery = compression.recovery
    if recovery == "rewind" and compression.method == "distill":
        raise ValueError("recovery=rewind needs units of the dense network; students of distill have none")
    if recovery in ("rewind", "reinit") and compression.recovery_epochs < compression.depth:
        raise ValueError(
            f"recovery={recovery} needs at least one epoch at each of {compression.depth} levels, "
            f"recovery_epochs={compression.recovery_epochs} gives fewer"
        )


def _check_criterion(compression: CompressionConfig) -> None:
    name = compression.criterion
    criterion = CRITERIA.get(name).model_validate(compression.options(name))
    if criterion.needs_initial and compression.recovery == "reinit" and compression.depth > 1:
        raise ValueError(
            f"criterion={name} scores by the weights before training, which recovery=reinit draws anew after each "
            "level; choose recovery=none, finetune or rewind, or depth=1"
        )
