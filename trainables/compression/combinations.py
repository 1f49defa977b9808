"""Which parts of a compression go together. Torch-free, so that a study is refused before it starts."""

from trainables.compression.interfaces import CRITERIA, METHODS, RECOVERIES, Criterion, Rewriting
from trainables.compression.pipeline import Pipeline, pipeline_of
from trainables.config import CompressionConfig, TrialConfig
from trainables.data.conditions import NOISES
from trainables.data.interfaces import DATASETS
from trainables.data.task import task_of
from trainables.stack.interfaces import MODELS
from trainables.stack.planned import PlannedModel
from trainables.stack.steps import BatchNorm

_ANY_SIDE = 32


def check(config: TrialConfig) -> None:
    """Refuses what cannot be carried out.

    Raises:
        ValueError: Says which fields do not go together, why, and what would.
    """
    compression = config.compression
    pipeline = pipeline_of(compression)
    _check_task(config)
    _check_augmentation(config)
    _check_recovery(config, pipeline)
    _check_ticket(compression)
    _check_retraining(compression, pipeline)
    if "criterion" in pipeline.reads:
        _check_pruning(compression)
        if compression.criterion == "batch_norm_scale" and not has_batch_norm(config.model.name):
            raise ValueError(
                f"criterion=batch_norm_scale needs a model with batch norm, {config.model.name} has none; choose "
                "another criterion, e.g. magnitude_l2, or a model such as resnet20"
            )
    elif compression.granularity == "weight" or compression.scope == "global" or compression.direction == "highest":
        raise ValueError(
            f"granularity={compression.granularity}, scope={compression.scope}, direction={compression.direction} is "
            f"for method=prune, which {compression.method} is not; leave unit, layer and lowest"
        )
    _check_methods(compression, pipeline)
    for method in pipeline.methods:
        method.check(config)
    _check_ratio(compression)


def _check_methods(compression: CompressionConfig, pipeline: Pipeline) -> None:
    first, recovery = compression.methods[0], compression.recovery
    recovers = RECOVERIES.get(recovery).trains
    if METHODS.get(first).keeps_widths:
        if recovers:
            raise ValueError(
                f"recovery={recovery} would undo what method={first} did; use recovery=none, or a pipeline whose first "
                f"method makes networks smaller, e.g. prune+{first if pipeline.maker is None else 'quantize'}"
            )
        if compression.rate is not None:
            raise ValueError(f"rate is a share of units, method={first} removes none; use target_ratio")
    masked = pipeline.masks(compression) is not None
    for name, method in zip(compression.methods, pipeline.methods, strict=True):
        if masked and method.stage == "form":
            raise ValueError(
                f"method={compression.method}: {name} would fill in what is masked; use granularity=unit, scope=layer"
            )
        if isinstance(method, Rewriting) and method.needs_trained_weights and (recovers or pipeline.trains):
            raise ValueError(
                f"{name}.of=update needs networks that are as they were trained from their initial weights; leave out "
                f"recovery={recovery}, {first}, or use of=weights"
            )
        steps = method.level_numbers(compression.depth)
        if len(set(steps)) < len(steps):
            raise ValueError(
                f"depth={compression.depth} is more levels than {name} has steps: {', '.join(map(str, steps))}; "
                "use fewer levels or a wider range"
            )


def _check_ratio(compression: CompressionConfig) -> None:
    code = [name for name in compression.methods if METHODS.get(name).stage == "code"]
    if code and compression.ratio == "parameters":
        raise ValueError(
            f"ratio=parameters stays where it is under method={code[0]}, which only gives parameters fewer bits; use "
            "ratio=description_length"
        )


def _check_task(config: TrialConfig) -> None:
    """What is said of labels has to mean something for the task."""
    task, training, compression = task_of(config.data), config.training, config.compression
    data = f"data.name={config.data.name}"
    kinds = [name for name in NOISES.names() if NOISES.get(name).is_for(has_classes=task.has_classes)]
    if config.data.noise_kind not in kinds:
        of, asks = ("numbers", "classes") if task.has_classes else ("classes", "numbers")
        raise ValueError(
            f"data.noise_kind={config.data.noise_kind} is of {of}, and {data} asks for {asks}; use {' or '.join(kinds)}"
        )
    if task.has_classes:
        return
    if config.examples == "always":
        raise ValueError(
            f"examples=always records which labels networks have right, and {data} asks for numbers; leave it at auto"
        )
    if training.stop_at_train_accuracy is not None:
        raise ValueError(
            f"training.stop_at_train_accuracy={training.stop_at_train_accuracy:g} is of classes, and {data} asks for "
            "numbers; leave it at none and use training.stop_at_train_loss, the share of their variance that is not "
            f"explained (0.01 is {task.label} = 0.99)"
        )
    if training.label_smoothing:
        raise ValueError(
            f"training.label_smoothing={training.label_smoothing:g} spreads a target over classes, and {data} asks for "
            "numbers; leave it at 0"
        )
    for name in (*compression.methods, compression.criterion):
        if compression.options(name).get("temperature", 1.0) != 1.0:
            raise ValueError(
                f"compression.{name}.temperature is of probabilities of classes, and {data} asks for numbers; leave it "
                "at 1"
            )


def _check_augmentation(config: TrialConfig) -> None:
    """What a network says of an example itself is memorised; where it never sees it twice that is not asked."""
    augment, data = config.training.augment, config.data
    if augment == "none":
        return
    if config.model.tied_units:
        raise ValueError(
            f"training.augment={augment} changes examples each time, so that no unit can be tied to them as "
            f"model.tied_units={config.model.tied_units:g} asks; use augment=none, or tied_units=0"
        )
    if not data.clean:
        raise ValueError(
            f"training.augment={augment} changes examples each time, so that memorising them is not measured; use "
            "augment=none with noisy labels or corrupted inputs"
        )
    if not DATASETS.get(data.name).has_images:
        raise ValueError(f"training.augment={augment} is for images, {data.name} has none; use augment=none")


def criterion_of(compression: CompressionConfig) -> Criterion:
    """The criterion with the fields given for it."""
    return CRITERIA.get(compression.criterion).model_validate(compression.options(compression.criterion))


def has_batch_norm(model: str) -> bool:
    """Whether the model normalises its channels."""
    entry = MODELS.get(model)
    plan = entry().plan(_ANY_SIDE, 0) if issubclass(entry, PlannedModel) else ()
    return any(isinstance(part, BatchNorm) for step in plan for part in step.parts)


def _check_ticket(compression: CompressionConfig) -> None:
    if compression.ticket is None:
        return
    wanted = {"method": "prune", "granularity": "weight", "depth": 1}
    off = {name: value for name, value in wanted.items() if getattr(compression, name) != value}
    if off or not RECOVERIES.get(compression.recovery).starts_again:
        raise ValueError(
            f"ticket={compression.ticket} is masks of single weights and where these start, to be trained once: use "
            "method=prune, granularity=weight, depth=1 and recovery=rewind (or its controls, reinit and shuffled)"
        )


def _check_recovery(config: TrialConfig, pipeline: Pipeline) -> None:
    compression, recovery = config.compression, config.compression.recovery
    kind = RECOVERIES.get(recovery)
    new = [name for name, method in zip(compression.methods, pipeline.methods, strict=True) if method.makes_new_units]
    if kind.starts_again and new:
        raise ValueError(
            f"recovery={recovery} needs units of the dense network, networks of {new[0]} have none; the scratch arm "
            "beside them is what fresh networks of their sizes learn"
        )
    if compression.rewind_to > 0 and not kind.starts_again:
        raise ValueError(
            f"rewind_to={compression.rewind_to:g} is where networks rewind to, which recovery={recovery} does not do; "
            "use recovery=rewind, or leave rewind_to=0"
        )
    _check_rewind_point(config)
    if kind.moves_weights and compression.granularity != "weight":
        raise ValueError(
            f"recovery={recovery} shuffles masks of single weights, granularity=weight; units at random places are "
            "criterion=random with recovery=rewind"
        )
    if kind.starts_again and compression.recovery_epochs < compression.depth:
        raise ValueError(
            f"recovery={recovery} needs at least one epoch at each of {compression.depth} levels, "
            f"recovery_epochs={compression.recovery_epochs} gives fewer"
        )


def _check_retraining(compression: CompressionConfig, pipeline: Pipeline) -> None:
    """What is said of a training needs one."""
    recovers = RECOVERIES.get(compression.recovery).trains
    for name in ("recovery_lr", "recovery_schedule"):
        if not recovers and (said := getattr(compression, name)) is not None:
            raise ValueError(
                f"{name}={said} is of the training that follows a compression step, and "
                f"recovery={compression.recovery} trains nothing; use recovery=finetune, or leave {name}=none"
            )
    if compression.scratch_budget != "recovery" and not recovers and not pipeline.trains:
        raise ValueError(
            f"scratch_budget={compression.scratch_budget} is of the fresh networks beside a recovery or distillation, "
            f"and method={compression.method} with recovery={compression.recovery} trains none; use recovery=finetune, "
            "or leave scratch_budget=recovery"
        )


def _check_rewind_point(config: TrialConfig) -> None:
    """A network that stops before that point would rewind to its end, and clean twins stop long before noisy ones."""
    training, rewind_to = config.training, config.compression.rewind_to
    if rewind_to == 0:
        return
    rules = {name: getattr(training, name) for name in ("stop_at_train_loss", "stop_at_train_accuracy")}
    for name, rule in rules.items():
        if rule is not None:
            raise ValueError(
                f"rewind_to={rewind_to:g} needs networks that all train past it, training.{name}={rule:g} may stop "
                f"some before; use training.{name}=none"
            )
    if training.steps is None and rewind_to >= training.epochs:
        raise ValueError(
            f"rewind_to={rewind_to:g} is no moment before the end of dense training, "
            f"training.epochs={training.epochs}; use less, e.g. 0.1 of them"
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
