"""One training, from the dataset folder to the model folder."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from ml.data.records import Dataset, DatasetError, read_dataset
from ml.training.config import ConfigError, TrainConfig, read_config
from ml.training.progress import TrainingCancelled, TrainingProgress, TrainResult


def train(
    config: TrainConfig | Path,
    *,
    dataset: Path,
    output: Path,
    on_progress: Callable[[TrainingProgress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train a ViltMatcher and leave it as a new model folder at `output`, whole or not at all.

    `on_progress` is called from this thread, about once a step; `should_stop` is asked as often. Raises ConfigError and
    DatasetError for what is wrong with the input, TrainingCancelled once `should_stop` says yes.
    """
    if output.exists():
        raise ConfigError(f"output={output} is already there: name a new folder")
    settings = config if isinstance(config, TrainConfig) else read_config(config)
    data = read_dataset(dataset)
    _check(data)
    output.parent.mkdir(parents=True, exist_ok=True)

    def tell(progress: TrainingProgress) -> None:
        if on_progress is not None:
            on_progress(progress)
        if should_stop is not None and should_stop():
            raise TrainingCancelled

    from ml.serving.model_folder import save_model_folder, sync_to_disk
    from ml.training.vilt import train_vilt

    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        trained = train_vilt(settings, data, scratch=Path(scratch), tell=tell)
        made = Path(scratch) / "model"
        save_model_folder(made, trained)
        made.replace(output)
        sync_to_disk(output.parent)
    return TrainResult(folder=output, metrics=trained.metrics)


def _check(data: Dataset) -> None:
    records = data.split("train")
    if not records:
        raise DatasetError(f"{data.folder} has no training records: label and approve some listings first")
    if len({record.product for record in records}) < 2:
        raise DatasetError(
            f"{data.folder} has training records of one product only: at least 2 are needed, "
            "or there is nothing to tell apart"
        )
