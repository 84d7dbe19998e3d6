"""Training: a configuration and a dataset folder in, a model folder out. Importing this loads no torch."""

from ml.data.records import DatasetError
from ml.training.config import ConfigError, TrainConfig, read_config
from ml.training.progress import TrainingCancelled, TrainingProgress, TrainResult
from ml.training.run import train

__all__ = [
    "ConfigError",
    "DatasetError",
    "TrainConfig",
    "TrainResult",
    "TrainingCancelled",
    "TrainingProgress",
    "read_config",
    "train",
]
