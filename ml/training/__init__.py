"""Training: a configuration and a dataset folder in, a model folder out. Importing this loads no torch."""

from ml.data.records import DatasetError
from ml.training.config import ConfigError, TrainConfig, read_config
from ml.training.configs import ConfigInfo, available_configs
from ml.training.progress import TrainingCancelled, TrainingDiverged, TrainingProgress, TrainResult
from ml.training.run import train

__all__ = [
    "ConfigError",
    "ConfigInfo",
    "DatasetError",
    "TrainConfig",
    "TrainResult",
    "TrainingCancelled",
    "TrainingDiverged",
    "TrainingProgress",
    "available_configs",
    "read_config",
    "train",
]
