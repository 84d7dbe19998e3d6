"""One training, from the dataset folder to the model folder."""

import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml.data.bad_records import BadRecords
from ml.data.records import Dataset, read_dataset
from ml.training.config import ConfigError, TrainConfig, read_config
from ml.training.progress import TrainingProgress, TrainResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ml.serving.model_folder import ModelFolder

log = logging.getLogger(__name__)
Tell = Callable[[TrainingProgress], None]
ShouldStop = Callable[[], bool]


def train(
    config: TrainConfig | Path,
    *,
    dataset: Path,
    output: Path,
    work: Path | None = None,
    changes: Sequence[str] = (),
    on_progress: Tell | None = None,
    should_stop: ShouldStop | None = None,
) -> TrainResult:
    """Train, and leave the model as a new folder at `output`, whole or not at all.

    `work` keeps the log, the curve and the checkpoints; where it holds those of this very training already, the
    training goes on from the last checkpoint exactly as if nothing had happened. Without it they are thrown away.
    `on_progress` is called from this thread, about once a step; `should_stop` is asked as often.

    Under torchrun each process calls this with the same arguments; the first one writes and tells.

    Raises ConfigError and DatasetError for what is wrong with the input, TrainingDiverged when the loss is lost, and
    TrainingCancelled once `should_stop` says yes; a checkpoint is then in `work`.
    """
    if output.exists():
        raise ConfigError(f"output={output} is already there: name a new folder")
    settings = config if isinstance(config, TrainConfig) else read_config(config, changes)
    bad = BadRecords()
    data = read_dataset(dataset, bad=bad)
    output.parent.mkdir(parents=True, exist_ok=True)
    if work is not None:
        return _train(settings, data, bad=bad, output=output, work=work, tell=on_progress, should_stop=should_stop)
    with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as scratch:
        work = Path(scratch)
        return _train(settings, data, bad=bad, output=output, work=work, tell=on_progress, should_stop=should_stop)


def _train(
    config: TrainConfig,
    data: Dataset,
    *,
    bad: BadRecords,
    output: Path,
    work: Path,
    tell: Tell | None,
    should_stop: ShouldStop | None,
) -> TrainResult:
    from ml.training.session import Session

    work.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with logged_to(work / "log.txt"):
        if bad.count:
            log.warning("%d lines of the dataset are left out, the first is %s", bad.count, bad.first)
        session = Session(config, data, bad=bad, work=work, tell=tell, should_stop=should_stop)
        trained = session.run()
        trained.metrics["minutes"] = round((session.seconds_before + time.monotonic() - started) / 60, 3)
        if session.first:
            _save(trained, output=output)
        session.wait_for_all()
    return TrainResult(folder=output, metrics=trained.metrics)


def _save(trained: "ModelFolder", *, output: Path) -> None:
    from ml.serving.model_folder import save_model_folder, sync_to_disk

    made = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent)) / "model"
    try:
        save_model_folder(made, trained)
        made.replace(output)
        sync_to_disk(output.parent)
    finally:
        shutil.rmtree(made.parent)


@contextmanager
def logged_to(path: Path) -> "Iterator[None]":
    """What the library logs, appended to a file as well."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("ml")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(handler)
        handler.close()
