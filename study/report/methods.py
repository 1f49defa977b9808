"""How the study was done, as a paragraph for a paper, and how to cite what did it."""

from importlib.metadata import version

from study.answer.words import join_words, plural
from study.config import StudyConfig
from study.report.material import Material, short
from study.report.provenance import commit
from trainables.config import defaults

_WORDS_OF_RECOVERY = {
    "none": "without retraining",
    "finetune": "with fine-tuning",
    "rewind": "with rewinding to earlier weights",
}


def methods_paragraph(material: Material) -> str:
    """What was trained, compressed and compared, with what was spanned and how often; plain text."""
    config, counted = material.config, material.counted_trials
    return " ".join(
        sentence
        for sentence in (
            _data(config),
            _training(config),
            _compression(config),
            _measures(config, material),
            f"{_design(config)} {plural(len(counted), 'complete trial')} entered the answer; intervals are Student's t "
            f"at 95 % over trials. Ockham {version('ockham')}, commit {commit()}.",
        )
        if sentence
    )


def citation(material: Material, year: int) -> str:
    """BibTeX for the software at this version, and what the study itself is after."""
    entry = (
        "@software{ockham,\n"
        "  title   = {Ockham: has this network learned something, or memorised it?},\n"
        f"  version = {{{version('ockham')}, commit {commit()}}},\n"
        f"  year    = {{{year}}},\n"
        f"  note    = {{Study {material.config.name}, identity {material.config.fingerprint()}}}\n"
        "}"
    )
    source = material.config.space.source
    return f"{entry}\n% the study is after: {source}" if source else entry


def _words(config: StudyConfig, *names: str) -> str:
    """Fields that differ from what the sentence says, as `width 64, 96 or 160`; spanned ones with all their values."""
    said = []
    for name in names:
        if name in config.space.span:
            said.append(f"{short(name)} {_values_text(config.space.span[name])}")
        elif name in config.space.base:
            said.append(f"{short(name)} {_value(config.space.base[name])}")
    return join_words(said)


def _values_text(choice: object) -> str:
    values = getattr(choice, "values", None)
    if values is None:
        low, high = getattr(choice, "low", None), getattr(choice, "high", None)
        return f"from {_value(low)} to {_value(high)}"
    words = [_value(value) for value in values]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _value(value: object) -> str:
    if isinstance(value, tuple | list):
        return "/".join(_value(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")


def _field(config: StudyConfig, name: str) -> str:
    """A field's value, or its values where it is spanned."""
    if name in config.space.span:
        return _values_text(config.space.span[name])
    return _value(config.space.base.get(name, defaults()[name]))


def _data(config: StudyConfig) -> str:
    noise = _field(config, "data.label_noise")
    clean = noise == "0"
    labels = "true labels" if clean else f"label noise {noise} ({_field(config, 'data.noise_kind')})"
    more = _words(config, "data.split", "data.train_size", "data.subset", "data.noise_draw", "data.inputs")
    return f"Networks were trained on {_field(config, 'data.name')} with {labels}{f' ({more})' if more else ''}."


def _training(config: StudyConfig) -> str:
    model = _words(config, "model.width", "model.hidden_layers", "model.init_scale", "model.dropout")
    rules = {"training.stop_at_train_loss": "train loss", "training.stop_at_train_accuracy": "train accuracy"}
    stops = [f"{words} {value}" for name, words in rules.items() if (value := _field(config, name)) != "None"]
    until = f", until {' or '.join(stops)} was met" if stops else ""
    more = _words(config, "training.momentum", "training.weight_decay", "training.schedule")
    return (
        f"Model: {_field(config, 'model.name')}{f' ({model})' if model else ''}; "
        f"{_field(config, 'training.optimizer')}, learning rate {_field(config, 'training.lr')}, "
        f"batches of {_field(config, 'training.batch_size')}"
        f"{f', {more}' if more else ''}, at most {_field(config, 'training.epochs')} epochs{until}."
    )


def _compression(config: StudyConfig) -> str:
    reads = "compression.criterion" in {*config.space.span, *config.space.base}
    by = f" by {_field(config, 'compression.criterion')}" if reads else ""
    rate = _field(config, "compression.rate")
    how_far = (
        f"{rate} removed at each of" if rate != "None" else f"to 1/{_field(config, 'compression.target_ratio')} in"
    )
    recovery = _field(config, "compression.recovery")
    return (
        f"Each trained network was then compressed ({_field(config, 'compression.method')}{by}, "
        f"{_field(config, 'compression.granularity')}s, {how_far} {_field(config, 'compression.depth')} levels, "
        f"{_WORDS_OF_RECOVERY.get(recovery, f'recovery {recovery}')})."
    )


def _measures(config: StudyConfig, material: Material) -> str:
    networks = f"Each trial trained {_field(config, 'replicates')} networks that differ in their seed"
    if material.has_noise and _field(config, "control") == "True":
        networks += ", each beside a twin with true labels from the same initial weights on the same batches"
    return (
        f"{networks}. Compressibility is the normalised area under the {material.task.label} on the labels given along "
        "log₂ of the compression ratio; a network counts only if it fitted its labels."
    )


def _design(config: StudyConfig) -> str:
    span = _words(config, *config.space.span)
    how = "A balanced design" if config.sampler == "design" else f"The sampler {config.sampler}"
    return f"{how} (seed {config.seed}) laid out {plural(config.trials, 'trial')}{f' over {span}' if span else ''};"
