"""What a trial's compression will do, from its configuration."""

from trainables.compression.interfaces import CRITERIA, METHODS, RECOVERIES
from trainables.compression.sizing import level_widths
from trainables.compression.weight_counts import level_weights
from trainables.config import TrialConfig
from trainables.data.trial_data import TrialData
from trainables.progress import Progress
from trainables.seeding import Key
from trainables.stack.interfaces import Shape
from trainables.workspace import Course, Workspace


def course(config: TrialConfig, input_shape: Shape, num_classes: int) -> Course:
    """The course of a trial.

    Args:
        config: Of the trial.
        input_shape: [C, H, W] of one example.
        num_classes: Outputs.
    """
    compression = config.compression
    reads = any("criterion" in METHODS.get(name).reads for name in compression.methods)
    return Course(
        widths=level_widths(config, input_shape, num_classes),
        weights=level_weights(config, input_shape, num_classes) if compression.granularity == "weight" else (),
        traces_movement=reads and CRITERIA.get(compression.criterion).traces_training,
        watches=watches_validation(config),
    )


def watches_validation(config: TrialConfig) -> bool:
    """Whether validation is looked at after each epoch of a training: where networks are trained again."""
    return RECOVERIES.get(config.compression.recovery).starts_again


def new_workspace(config: TrialConfig, key: Key, data: TrialData, progress: Progress) -> Workspace:
    """The workspace of a trial, which follows its configuration's course."""
    return Workspace(config, key, data, progress, course(config, tuple(data.images.shape[2:]), data.num_classes))
