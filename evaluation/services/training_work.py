"""What the training worker does: take a training, write its dataset, train, register the model.

A model folder that exists is finished: the trainer leaves it whole or not at all. An interrupted attempt leaves its
checkpoints in the training's work folder, from where the next one goes on.
"""

import json
import logging
import shutil
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import WorkState
from evaluation.models import ModelVersion, TrainingKind, TrainingRun
from evaluation.selectors.models import active_model
from evaluation.selectors.training import training_under_way
from evaluation.services.datasets import dataset_export
from evaluation.services.lease import kept_lease
from evaluation.services.models import model_activate
from evaluation.services.progress import ProgressWriter
from evaluation.services.training import RUN_TRAINING, training_end, training_take
from ml.training import ConfigError, DatasetError, TrainingCancelled, TrainingDiverged, available_configs, train
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)


def training_run() -> None:
    """Train the next in the queue, register its model, activate the first one that can answer.

    One a task: whoever stops the worker need not wait for the whole queue. Does nothing when none waits.
    """
    run = training_take(lease=LEASE)
    if run is None:
        return
    progress = ProgressWriter(run=run, lease=LEASE, work=_work(run))
    try:
        with kept_lease(run, lease=LEASE):
            metrics = _train(run, progress)
        progress.finish()
    except TrainingCancelled:
        progress.finish()
        if progress.lease_lost:
            logger.warning("training %s was taken over by another worker", run.id)
        else:
            training_end(run, state=WorkState.CANCELLED)
    except Exception as error:  # the page must say why; the log has the traceback
        logger.exception("training %s failed", run.id)
        progress.finish()
        training_end(run, state=WorkState.FAILED, error=_reason(error))
    else:
        _register(run, metrics)
        _tidy(_work(run))
        training_end(run, state=WorkState.DONE, metrics=metrics)
    if training_under_way() is not None:
        nudge(RUN_TRAINING)


def _train(run: TrainingRun, progress: ProgressWriter) -> dict:
    """The metrics of the finished model folder, which an earlier attempt may have finished already."""
    output = settings.MODELS_DIR / run.id
    if output.exists():
        return json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    progress.stage("dataset")
    for folder in (settings.DATASETS_DIR, settings.MODELS_DIR, settings.TRAININGS_DIR):
        folder.mkdir(parents=True, exist_ok=True)
    result = train(
        _config(run),
        dataset=_dataset(run),
        output=output,
        work=_work(run),
        changes=_changes(run),
        on_progress=progress.write,
        should_stop=progress.should_stop,
    )
    return result.metrics


def _work(run: TrainingRun) -> Path:
    return settings.TRAININGS_DIR / run.id


def _config(run: TrainingRun) -> Path:
    for info in available_configs():
        if info.name == run.config:
            return info.path
    raise ConfigError(f"there is no configuration {run.config!r} on this machine")


def _changes(run: TrainingRun) -> list[str]:
    changes = run.changes.splitlines()
    if not run.start_from:
        return changes
    model = ModelVersion.objects.filter(id=run.start_from).first()
    folder = settings.MODELS_DIR / (model.folder if model else run.start_from)
    if not folder.exists():
        raise ConfigError(f"start_from={folder} is not on this machine any more")
    return [*changes, f"start_from={json.dumps(str(folder))}"]  # JSON is YAML too, whatever the path holds


def _dataset(run: TrainingRun) -> Path:
    folder = settings.DATASETS_DIR / (run.dataset_of or run.id)
    if run.dataset_of and not folder.exists():
        raise DatasetError(f"{folder} is not on this machine any more: use a new dataset")
    counts = dataset_export(run_id=run.id, folder=folder, unlabelled=run.kind == TrainingKind.PRETRAIN)
    TrainingRun.objects.filter(id=run.id).update(records=counts["records"])
    return folder


def _register(run: TrainingRun, metrics: dict) -> None:
    name = f"{run.config} #{run.number}"
    values = {"name": name, "kind": run.kind, "folder": run.id, "metrics": metrics, "created_at": timezone.now()}
    model, _made = ModelVersion.objects.get_or_create(id=run.id, defaults=values)
    if model.can_answer and active_model() is None:
        model_activate(model_id=run.id, username=run.started_by)


def _reason(error: Exception) -> str:
    if isinstance(error, DatasetError):
        return _("The examples cannot be used: %(error)s") % {"error": error}
    if isinstance(error, ConfigError):
        return _("The configuration cannot be used: %(error)s") % {"error": error}
    return str(error) if isinstance(error, TrainingDiverged) else f"{type(error).__name__}: {error}"


def _tidy(work: Path) -> None:
    """Throw away what only a training that goes on needs; its log, curve and manifest stay."""
    shutil.rmtree(work / "checkpoints", ignore_errors=True)
    for path in work.glob("best-*.safetensors"):
        path.unlink(missing_ok=True)
