"""Which parts of a compression go together. Torch-free, so that a study is refused before it starts."""

from collections.abc import Iterator

from trainables.compression.interfaces import CRITERIA, Criterion
from trainables.config import CompressionConfig, TrialConfig
from trainables.interfaces import MODELS
from trainables.stack.plan import BatchNorm, Plan, Residual
from trainables.stack.planned import PlannedModel

_ANY_SIDE = 32


def check(config: TrialConfig) -> None:
    """Refuses what cannot be carried out.

    Raises:
        ValueError: Says which fields do not go together, why, and what would.
    """
    compression = config.compression
    _check_recovery(config)
    if compression.method == "prune":
        _check_pruning(compression)
        if compression.criterion == "batch_norm_scale" and not has_batch_norm(config.model.name):
            raise ValueError(
                f"criterion=batch_norm_scale needs a model with batch norm, {config.model.name} has none; choose "
                "another criterion, e.g. magnitude_l2, or a model such as resnet20"
            )
    elif compression.granularity == "weight" or compression.scope == "global":
        raise ValueError(
            f"granularity={compression.granularity}, scope={compression.scope} is for method=prune, which "
            f"{compression.method} is not; leave granularity=unit, scope=layer"
        )
    if compression.method == "low_rank":
        _check_low_rank(compression)


def _check_low_rank(compression: CompressionConfig) -> None:
    if compression.recovery != "none":
        raise ValueError(f"recovery={compression.recovery} would undo what method=low_rank did; use recovery=none")
    if compression.rate is not None:
        raise ValueError("rate is a share of units, method=low_rank removes none; use target_ratio")


def criterion_of(compression: CompressionConfig) -> Criterion:
    """The criterion with the fields given for it."""
    return CRITERIA.get(compression.criterion).model_validate(compression.options(compression.criterion))


def has_batch_norm(model: str) -> bool:
    """Whether the model normalises its channels."""
    entry = MODELS.get(model)
    return issubclass(entry, PlannedModel) and any(
        isinstance(step, BatchNorm) for step in _steps(entry().plan(_ANY_SIDE, 0))
    )


def _steps(plan: Plan) -> Iterator[object]:
    for step in plan:
        if isinstance(step, Residual):
            yield from _steps((*step.body, *step.shortcut))
        else:
            yield step


def _check_recovery(config: TrialConfig) -> None:
    compression, recovery = config.compression, config.compression.recovery
    if recovery in ("rewind", "reinit") and compression.method == "distill":
        raise ValueError(
            f"recovery={recovery} needs units of the dense network, students of distill have none; the scratch arm "
            "beside them is what fresh networks of their sizes learn"
        )
    if compression.rewind_to > 0 and recovery not in ("rewind", "reinit", "shuffled"):
        raise ValueError(
            f"rewind_to={compression.rewind_to:g} is where networks rewind to, which recovery={recovery} does not do; "
            "use recovery=rewind, or leave rewind_to=0"
        )
    if compression.rewind_to >= config.training.epochs:
        raise ValueError(
            f"rewind_to={compression.rewind_to:g} is no moment before the end of dense training, "
            f"training.epochs={config.training.epochs}; use less, e.g. 0.1 of them"
        )
    if recovery == "shuffled" and compression.granularity != "weight":
        raise ValueError(
            "recovery=shuffled shuffles masks of single weights, granularity=weight; units at random places are "
            "criterion=random with recovery=rewind"
        )
    if recovery in ("rewind", "reinit", "shuffled") and compression.recovery_epochs < compression.depth:
        raise ValueError(
            f"recovery={recovery} needs at least one epoch at each of {compression.depth} levels, "
            f"recovery_epochs={compression.recovery_epochs} gives fewer"
        )


def _check_pruning(compression: CompressionConfig) -> None:
    name, criterion = compression.criterion, criterion_of(compression)
    if compression.granularity == "weight" and not criterion.scores_weights:
        able = [n for n in CRITERIA.names() if CRITERIA.get(n).scores_weights]
        raise ValueError(
            f"criterion={name} scores units, not single weights; granularity=weight goes with {', '.join(able)}"
        )
    if compression.granularity == "unit" and compression.scope == "global" and compression.rate is not None:
        raise ValueError(
            "rate with granularity=unit, scope=global would give every network a ratio of its own; use target_ratio"
        )
