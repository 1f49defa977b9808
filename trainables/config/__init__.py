"""The configuration of one trial, a file a section: typed, frozen, unknown keys refused.

The dotted paths of these fields (`data.label_noise`, `compression.prune.…`) are at once the keys of a search space, the
parameter names in MLflow and the keys of `--set`. Fields that only one entry of a registry has live under that entry's
name: `compression.distill.epochs` belongs to `trainables/compression/methods/distill.py`.
"""

from trainables.config.compression import CompressionConfig
from trainables.config.data import DataConfig, is_clean
from trainables.config.measures import MeasuresConfig
from trainables.config.model import ModelConfig
from trainables.config.training import TrainingConfig
from trainables.config.trial import SHAPING, TrialConfig, defaults

__all__ = [
    "SHAPING",
    "CompressionConfig",
    "DataConfig",
    "MeasuresConfig",
    "ModelConfig",
    "TrainingConfig",
    "TrialConfig",
    "defaults",
    "is_clean",
]
