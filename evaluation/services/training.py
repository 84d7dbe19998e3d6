"""Training runs: queued by a click, worked on under a lease, ended with a registered model or a reason.

    pending → running → done | failed | cancelled

A worker that dies leaves a lease behind; when it has run out the training is queued again and starts anew.
After MAX_ATTEMPTS it is given up. A model folder that exists is finished: the trainer leaves it whole or not at all.
"""

import json
import logging
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import WorkState
from evaluation.models import ModelVersion, TrainingRun
from evaluation.selectors.models import active_model
from evaluation.selectors.training import MIN_LABELS, MIN_PRODUCTS, enough_labels, label_counts
from evaluation.services.datasets import dataset_export
from evaluation.services.models import model_activate
from evaluation.services.progress import ProgressWriter
from ml.training import DatasetError, TrainingCancelled, train
from mmproject.ids import new_id
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

RUN_TRAINING = "evaluation.tasks.run_training"
CONFIG = "vilt_demo"
LEASE = timedelta(seconds=120)
MAX_ATTEMPTS = 3
OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


def training_start(*, user: AbstractBaseUser, config: str = CONFIG) -> TrainingRun:
    """Queue a training on what is approved now. Raises ValidationError for too little, or when one is under way."""
    counts = label_counts()
    if not enough_labels(counts):
        total = sum(row.labels for row in counts)
        text = _(
            "Too little to train on: %(labels)d approved labels of %(products)d products; "
            "at least %(min_labels)d labels of %(min_products)d products are needed."
        )
        figures = {"labels": total, "products": len(counts), "min_labels": MIN_LABELS, "min_products": MIN_PRODUCTS}
        raise ValidationError(text % figures)
    # Numbered before looking whether one is under way: whoever started in between took that number, and we collide.
    number = (TrainingRun.objects.order_by("-number").values_list("number", flat=True).first() or 0) + 1
    under_way = _("A training is queued or running already: wait for it, or cancel it.")
    if TrainingRun.objects.filter(state__in=OPEN_STATES).exists():
        raise ValidationError(under_way)
    now = timezone.now()
    run = TrainingRun(number=number, config=config, started_by=user.get_username(), created_at=now, leased_until=now)
    try:
        run.save(force_insert=True)
    except IntegrityError:
        raise ValidationError(under_way) from None
    nudge(RUN_TRAINING, run.id)
    return run


def training_cancel(*, run_id: str) -> None:
    """Stop it: at once when it waits, else at the worker's next step."""
    TrainingRun.objects.filter(id=run_id, state__in=OPEN_STATES).update(cancel_requested=True)
    TrainingRun.objects.filter(id=run_id, state=WorkState.PENDING).update(
        state=WorkState.CANCELLED, finished_at=timezone.now()
    )


def trainings_resume() -> int:
    """Queue trainings again whose worker is gone, and end those that were cancelled or tried too often."""
    left = TrainingRun.objects.filter(state__in=OPEN_STATES, leased_until__lte=timezone.now()).order_by("created_at")
    for run in left:
        if run.cancel_requested:
            _end(run, state=WorkState.CANCELLED)
        elif run.attempts >= MAX_ATTEMPTS:
            _end(run, state=WorkState.FAILED, error=_given_up(run))
        else:
            nudge(RUN_TRAINING, run.id)
    return len(left)


def training_run(*, run_id: str) -> None:
    """Train, register the model, activate it when it is the first. Does nothing while another worker has the lease."""
    run = _lease(run_id)
    if run is None:
        return
    progress = ProgressWriter(run=run, lease=LEASE)
    try:
        metrics = _train(run, progress)
    except TrainingCancelled:
        if progress.lease_lost:
            logger.warning("training %s was taken over by another worker", run.id)
        else:
            _end(run, state=WorkState.CANCELLED)
    except DatasetError as error:
        _end(run, state=WorkState.FAILED, error=_("The examples cannot be used: %(error)s") % {"error": error})
    except Exception as error:  # the page must say why; the log has the traceback
        logger.exception("training %s failed", run.id)
        _end(run, state=WorkState.FAILED, error=f"{type(error).__name__}: {error}")
    else:
        _register(run, metrics)
        _end(run, state=WorkState.DONE, metrics=metrics)


def _lease(run_id: str) -> TrainingRun | None:
    run = TrainingRun.objects.filter(id=run_id, state__in=OPEN_STATES).first()
    now = timezone.now()
    if run is None or run.leased_until > now:
        return None
    if run.cancel_requested or run.attempts >= MAX_ATTEMPTS:
        trainings_resume()
        return None
    # Changes only if nobody else has raised the attempts since: a compare-and-set.
    taken = TrainingRun.objects.filter(id=run_id, state=run.state, attempts=run.attempts).update(
        state=WorkState.RUNNING,
        attempts=run.attempts + 1,
        lease_token=new_id(),
        leased_until=now + LEASE,
        started_at=now,
        progress={},
        curve=[],
        error="",
    )
    return TrainingRun.objects.get(id=run_id) if taken else None


def _train(run: TrainingRun, progress: ProgressWriter) -> dict:
    """The metrics of the finished model folder, which an earlier attempt may have finished already."""
    output = settings.MODELS_DIR / run.id
    if output.exists():
        return json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    progress.stage("dataset")
    settings.DATASETS_DIR.mkdir(parents=True, exist_ok=True)
    settings.MODELS_DIR.mkdir(parents=True, exist_ok=True)
    dataset = settings.DATASETS_DIR / run.id
    counts = dataset_export(run_id=run.id, folder=dataset)
    TrainingRun.objects.filter(id=run.id).update(records=counts["records"])
    config = settings.BASE_DIR / "ml" / "configs" / f"{run.config}.yaml"
    result = train(config, dataset=dataset, output=output, on_progress=progress.write, should_stop=progress.should_stop)
    return result.metrics


def _register(run: TrainingRun, metrics: dict) -> None:
    name = f"{run.config} #{run.number}"
    ModelVersion.objects.get_or_create(
        id=run.id, defaults={"name": name, "folder": run.id, "metrics": metrics, "created_at": timezone.now()}
    )
    if active_model() is None:
        model_activate(model_id=run.id, username=run.started_by)


def _end(run: TrainingRun, *, state: Any, error: str = "", metrics: dict | None = None) -> None:
    """End the attempt that `run` was read in; a later attempt of another worker is left alone."""
    TrainingRun.objects.filter(id=run.id, state__in=OPEN_STATES, lease_token=run.lease_token).update(
        state=state, error=error[:1000], metrics=metrics or {}, finished_at=timezone.now()
    )


def _given_up(run: TrainingRun) -> str:
    text = _("Given up: the training worker stopped %(count)d times while it worked on this. Its log says why.")
    return text % {"count": run.attempts}
