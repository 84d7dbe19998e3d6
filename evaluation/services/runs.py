"""Prediction runs: from a keyword to one waiting Prediction a listing, and from the last answer to `done`.

    pending (its crawl is under way) → running (listings fixed, predictions wait or are answered) → done | failed

`run_advance` moves a run as far as it can go now; the polling page and the periodic task both call it.
"""

import logging
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler import services as crawler
from crawler.models import Listing, WorkState
from crawler.selectors import listings_by_ids
from evaluation.models import ModelVersion, Prediction, PredictionRun, TrainingPicture
from evaluation.selectors.models import active_model
from mmproject.queue import nudge

logger = logging.getLogger(__name__)

PREDICT_PENDING = "evaluation.tasks.predict_pending"
RESUME_AFTER = timedelta(seconds=5)
OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


def run_start(
    *, keyword: str, page: int = 1, force_update: bool = False, source: str | None = None, user: AbstractBaseUser
) -> PredictionRun:
    """Test the active model on one search page, from the cache or crawled now.

    The crawl and the run are the intent: everything else follows from them, whoever dies in between.
    Raises ValidationError, keyed by field, for what the crawler refuses, and keyed `model` without a model.
    """
    model = active_model()
    if model is None:
        raise ValidationError({"model": _("There is no model to test yet: a training has to finish first.")})
    result = crawler.search(
        keyword=keyword, page=page, source=source, force_update=force_update, requested_by=user.get_username()
    )
    run = PredictionRun.objects.create(
        model_id=model.id,
        model_name=model.name,
        keyword=result.keyword,
        source=result.source,
        page=result.page,
        crawl_id=result.crawl.id if result.state == "pending" and result.crawl else "",
        started_by_id=user.pk,
        started_by=user.get_username(),
        created_at=timezone.now(),
    )
    return _settle(run, result)


def run_advance(*, run_id: str) -> PredictionRun:
    """Do for the run whatever can be done now; safe to call at any time, by anyone, any number of times.

    Raises PredictionRun.DoesNotExist.
    """
    run = PredictionRun.objects.get(id=run_id)
    if run.state == WorkState.PENDING:
        if run.crawl_id:
            result = crawler.crawl_result(crawl_id=run.crawl_id)
        else:
            result = crawler.search(keyword=run.keyword, page=run.page, source=run.source, requested_by=run.started_by)
        return _settle(run, result)
    if run.state == WorkState.RUNNING:
        predictions_create(run)
        run_finish(run_id=run.id)
        run.refresh_from_db()
    return run


def runs_resume() -> int:
    """Advance every run that is not finished, and have waiting predictions picked up; returns how many runs."""
    cutoff = timezone.now() - RESUME_AFTER
    runs = PredictionRun.objects.filter(state__in=OPEN_STATES, created_at__lt=cutoff).order_by("created_at")
    advanced = 0
    for run_id in list(runs.values_list("id", flat=True)):
        try:
            run_advance(run_id=run_id)
        except Exception:  # one run that cannot go on must not hold up the others
            logger.exception("prediction run %s cannot go on", run_id)
        advanced += 1
    if Prediction.objects.filter(state=WorkState.PENDING, leased_until__lte=timezone.now()).exists():
        nudge(PREDICT_PENDING)
    return advanced


def _settle(run: PredictionRun, result: "crawler.SearchResult") -> PredictionRun:
    """Carry the outcome of the search over to a run that waits for it."""
    waiting = PredictionRun.objects.filter(id=run.id, state=WorkState.PENDING)
    if result.state == "pending":
        if not run.crawl_id and result.crawl:  # the cache entry it came from is gone: wait for the new crawl
            waiting.update(crawl_id=result.crawl.id)
    elif result.state == "failed":
        waiting.update(state=WorkState.FAILED, error=result.error[:500], finished_at=timezone.now())
    elif not result.listings:
        waiting.update(state=WorkState.DONE, finished_at=timezone.now())
    else:
        listing_ids = list(dict.fromkeys(listing.id for listing in result.listings))
        waiting.update(state=WorkState.RUNNING, listing_ids=listing_ids, total=len(listing_ids))
    run.refresh_from_db()
    if run.state == WorkState.RUNNING:
        predictions_create(run)
        run_finish(run_id=run.id)
        run.refresh_from_db()
    return run


def predictions_create(run: PredictionRun) -> int:
    """Make the predictions that `run` still lacks and nudge the workers; returns how many were made.

    A listing without a picture fails alone, at once. Two callers at the same time make each prediction once.
    """
    made = 0
    for _attempt in range(3):
        existing = set(Prediction.objects.filter(run_id=run.id).values_list("listing_id", flat=True))
        missing = [listing_id for listing_id in run.listing_ids if listing_id not in existing]
        if not missing:
            break
        predictions = _predictions(run, listing_ids=missing)
        try:
            Prediction.objects.bulk_create(predictions)
        except IntegrityError:  # somebody else is making them right now: look again at what is missing
            continue
        made += len(predictions)
        break
    if made:
        nudge(PREDICT_PENDING)
    return made


def _predictions(run: PredictionRun, *, listing_ids: list[str]) -> list[Prediction]:
    listings = {listing.id: listing for listing in listings_by_ids(listing_ids)}
    pictures = {listing.image_sha256 for listing in listings.values() if listing.image_sha256}
    keys = {TrainingPicture.make_id(run_id=run.model_id, image_sha256=sha): sha for sha in pictures}
    found = TrainingPicture.objects.filter(id__in=list(keys)).values_list("id", flat=True)
    trained_on = {keys[key] for key in found}
    now = timezone.now()
    predictions = []
    for position, listing_id in enumerate(run.listing_ids):
        if listing_id not in listing_ids:
            continue
        listing = listings.get(listing_id) or Listing(id=listing_id, source=run.source)
        prediction = Prediction(
            id=Prediction.make_id(run_id=run.id, model_id=run.model_id, listing_id=listing_id),
            run_id=run.id,
            position=position,
            model_id=run.model_id,
            model_name=run.model_name,
            listing_id=listing_id,
            **listing.offer(),
            trained_on=listing.image_sha256 in trained_on,
            leased_until=now,
            created_at=now,
        )
        if not listing.image_sha256:
            prediction.state = WorkState.FAILED
            prediction.error = (listing.image_error or _("The listing has no picture."))[:300]
            prediction.predicted_at = now
        predictions.append(prediction)
    return predictions


def run_finish(*, run_id: str) -> bool:
    """Mark the run done when all of its predictions are there and none waits; whether it is finished now."""
    run = PredictionRun.objects.get(id=run_id)
    if run.state != WorkState.RUNNING:
        return run.state not in OPEN_STATES
    answered = Prediction.objects.filter(run_id=run_id).exclude(state=WorkState.PENDING).count()
    if answered < run.total:
        return False
    PredictionRun.objects.filter(id=run_id, state=WorkState.RUNNING).update(
        state=WorkState.DONE, finished_at=timezone.now()
    )
    return True


def runs_fail(*, model: ModelVersion | None, model_id: str, reason: str) -> None:
    """The model of these runs cannot be used: fail what waits for it, saying why and what to do."""
    name = model.name if model else model_id
    text = _("The model “%(name)s” cannot be loaded: %(reason)s. Use another model or train again, then test again.")
    error = text % {"name": name, "reason": reason.rstrip(". ")[:300]}
    now = timezone.now()
    PredictionRun.objects.filter(model_id=model_id, state=WorkState.RUNNING).update(
        state=WorkState.FAILED, error=error[:500], finished_at=now
    )
    Prediction.objects.filter(model_id=model_id, state=WorkState.PENDING).update(
        state=WorkState.FAILED, error=reason[:300], predicted_at=now
    )
