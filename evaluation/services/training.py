"""The queue of trainings: what an operator orders, cancels and resumes.

    pending → running → done | failed | cancelled          failed | cancelled → pending

A worker that dies leaves a lease behind; when that has run out the training is queued again and goes on from its last
checkpoint. After `max_attempts` it is given up, until somebody resumes it. The work itself is `training_work`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import WorkState
from evaluation.models import ModelVersion, TrainingKind, TrainingRun
from evaluation.selectors.training import (
    MIN_LABELS,
    MIN_PRODUCTS,
    OPEN_STATES,
    enough_labels,
    label_counts,
    trainings_with_datasets,
    usable_listings,
)
from ml.training import ConfigError, ConfigInfo, available_configs, read_config
from mmproject.ids import new_id
from mmproject.queue import nudge

RUN_TRAINING = "evaluation.tasks.run_training"
CONFIG = "vilt_demo"
MAX_ATTEMPTS = 3
MAX_NUMBER_CLASHES = 20


def training_start(
    *,
    user: AbstractBaseUser,
    config: str = CONFIG,
    changes: Sequence[str] = (),
    dataset_of: str = "",
    start_from: str = "",
    run_id: str = "",
) -> TrainingRun:
    """Queue a training. The same `run_id` again, of a second click, is the same training.

    `changes` are key=value; `dataset_of` is a training whose dataset is to be used again, by default what people have
    said by now is written anew; `start_from` is a model version.

    Raises ValidationError, by the name of the argument, for what cannot be trained like that.
    """
    run_id = run_id or new_id()
    if (known := TrainingRun.objects.filter(id=run_id).first()) is not None:
        return known
    info = _checked_config(config, changes)
    _check_dataset(dataset_of, kind=info.kind)
    _check_model(start_from, changes)
    now = timezone.now()
    run = TrainingRun(
        id=run_id,
        config=config,
        kind=info.kind,
        changes="\n".join(changes),
        dataset_of=dataset_of,
        start_from=start_from,
        started_by=user.get_username(),
        created_at=now,
        leased_until=now,
        max_attempts=MAX_ATTEMPTS,
    )
    return _queued(run)


def training_cancel(*, run_id: str) -> None:
    """Stop it: at once when it waits, else at the worker's next step."""
    TrainingRun.objects.filter(id=run_id, state__in=OPEN_STATES).update(cancel_requested=True)
    TrainingRun.objects.filter(id=run_id, state=WorkState.PENDING).update(
        state=WorkState.CANCELLED, finished_at=timezone.now()
    )


def training_resume(*, run_id: str) -> bool:
    """Queue a failed or cancelled training again, to go on from its last checkpoint; False when it is neither."""
    ended = TrainingRun.objects.filter(id=run_id, state__in=(WorkState.FAILED, WorkState.CANCELLED))
    resumed = ended.update(
        state=WorkState.PENDING,
        error="",
        cancel_requested=False,
        finished_at=None,
        leased_until=timezone.now(),
        max_attempts=F("attempts") + MAX_ATTEMPTS,
    )
    if resumed:
        nudge(RUN_TRAINING)
    return bool(resumed)


def trainings_resume() -> int:
    """End trainings that were cancelled or tried too often, and wake a worker for those that nobody works on."""
    left = list(TrainingRun.objects.filter(state__in=OPEN_STATES, leased_until__lte=timezone.now()))
    for run in left:
        if run.cancel_requested:
            training_end(run, state=WorkState.CANCELLED)
        elif run.attempts >= run.max_attempts:
            training_end(run, state=WorkState.FAILED, error=_given_up(run))
    if left:
        nudge(RUN_TRAINING)
    return len(left)


def training_take(*, lease: timedelta) -> TrainingRun | None:
    """The oldest training that nobody works on, now leased to the caller; None when there is none."""
    trainings_waiting = TrainingRun.objects.filter(state__in=OPEN_STATES, cancel_requested=False)
    now = timezone.now()
    for run in trainings_waiting.filter(leased_until__lte=now, attempts__lt=F("max_attempts")).order_by("created_at"):
        # Changes only if nobody else has raised the attempts since: a compare-and-set.
        taken = TrainingRun.objects.filter(id=run.id, state=run.state, attempts=run.attempts).update(
            state=WorkState.RUNNING,
            attempts=run.attempts + 1,
            lease_token=new_id(),
            leased_until=now + lease,
            started_at=now,
            progress={},
            error="",
        )
        if taken:
            return TrainingRun.objects.get(id=run.id)
    return None


def training_end(run: TrainingRun, *, state: Any, error: str = "", metrics: dict | None = None) -> None:
    """End the attempt that `run` was read in; a later attempt of another worker is left alone."""
    TrainingRun.objects.filter(id=run.id, state__in=OPEN_STATES, lease_token=run.lease_token).update(
        state=state, error=error[:1000], metrics=metrics or {}, finished_at=timezone.now()
    )


def _checked_config(config: str, changes: Sequence[str]) -> ConfigInfo:
    info = next((info for info in available_configs() if info.name == config), None)
    if info is None:
        raise ValidationError({"config": _("There is no configuration “%(name)s”.") % {"name": config}})
    try:
        read_config(info.path, changes)
    except ConfigError as error:
        raise ValidationError({"changes": str(error)}) from None
    return info


def _check_dataset(dataset_of: str, *, kind: str) -> None:
    if dataset_of:
        if dataset_of not in {run.id for run in trainings_with_datasets()}:
            raise ValidationError({"dataset_of": _("There is no dataset of a training “%(id)s”.") % {"id": dataset_of}})
    elif kind == TrainingKind.PRETRAIN:
        listings = usable_listings()
        if listings < MIN_LABELS:
            text = _("Too little to pre-train on: %(listings)d listings with a picture; at least %(min)d are needed.")
            raise ValidationError({"dataset_of": text % {"listings": listings, "min": MIN_LABELS}})
    else:
        counts = label_counts()
        if not enough_labels(counts):
            text = _(
                "Too little to train on: %(labels)d approved labels of %(products)d products; "
                "at least %(min_labels)d labels of %(min_products)d products are needed."
            )
            figures = {"labels": sum(row.labels for row in counts), "products": len(counts)}
            limits = {"min_labels": MIN_LABELS, "min_products": MIN_PRODUCTS}
            raise ValidationError({"dataset_of": text % (figures | limits)})


def _check_model(start_from: str, changes: Sequence[str]) -> None:
    if not start_from:
        return
    if not ModelVersion.objects.filter(id=start_from).exists():
        raise ValidationError({"start_from": _("There is no model “%(id)s”.") % {"id": start_from}})
    if any(change.partition("=")[0].strip() == "start_from" for change in changes):
        raise ValidationError({"changes": _("start_from is set here and by the model chosen to start from: take one.")})


def _queued(run: TrainingRun) -> TrainingRun:
    """Save it under the next number, which another start may take first, and wake a worker."""
    for _clash in range(MAX_NUMBER_CLASHES):
        run.number = (TrainingRun.objects.order_by("-number").values_list("number", flat=True).first() or 0) + 1
        try:
            run.save(force_insert=True)
        except IntegrityError:
            if (same := TrainingRun.objects.filter(id=run.id).first()) is not None:
                return same  # a second click at the same moment
        else:
            nudge(RUN_TRAINING)
            return run
    raise RuntimeError(f"no number could be had for a training after {MAX_NUMBER_CLASHES} tries")


def _given_up(run: TrainingRun) -> str:
    text = _("Given up: the training worker stopped %(count)d times while it worked on this. Its log says why.")
    return text % {"count": run.attempts}
