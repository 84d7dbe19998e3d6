"""How a prediction run goes on, from what it waits for to `done`. `run_starts` makes runs.

    pending (its crawl or its page is under way) → running (listings fixed, predictions wait or are answered)
    → done | failed

`run_advance` moves a run as far as it can go now; the polling page and the periodic task both call it.
"""

import logging
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from crawler import services as crawler
from crawler.models import WorkState
from evaluation.models import ModelVersion, Prediction, PredictionRun, RunKind
from evaluation.services.run_predictions import PREDICT_PENDING, predictions_create
from mmproject.queue import nudge

__all__ = [
    "FETCH_ADDRESS",
    "PREDICT_PENDING",
    "predictions_create",
    "run_advance",
    "run_finish",
    "run_fix_listings",
    "run_settle",
    "runs_fail",
    "runs_resume",
]

logger = logging.getLogger(__name__)

FETCH_ADDRESS = "evaluation.tasks.fetch_address"
RESUME_AFTER = timedelta(seconds=5)
OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


def run_advance(*, run_id: str) -> PredictionRun:
    """Do for the run whatever can be done now; safe to call at any time, by anyone, any number of times.

    Raises PredictionRun.DoesNotExist.
    """
    run = PredictionRun.objects.get(id=run_id)
    if run.state == WorkState.PENDING and run.kind == RunKind.SEARCH:
        if run.crawl_id:
            result = crawler.crawl_result(crawl_id=run.crawl_id)
        else:
            result = crawler.search(keyword=run.keyword, page=run.page, source=run.source, requested_by=run.started_by)
        return run_settle(run, result)
    if run.state == WorkState.RUNNING:
        predictions_create(run)
        run_finish(run_id=run.id)
        run.refresh_from_db()
    return run


def runs_resume() -> int:
    """Advance every run that is not finished, and have what waits picked up; returns how many runs."""
    now = timezone.now()
    runs = PredictionRun.objects.filter(state__in=OPEN_STATES, created_at__lt=now - RESUME_AFTER).order_by("created_at")
    advanced = 0
    for run_id in list(runs.values_list("id", flat=True)):
        try:
            run = run_advance(run_id=run_id)
        except Exception:  # one run that cannot go on must not hold up the others
            logger.exception("prediction run %s cannot go on", run_id)
        else:
            if run.state == WorkState.PENDING and run.kind == RunKind.ADDRESS and not _is_leased(run):
                nudge(FETCH_ADDRESS, run.id)
        advanced += 1
    if Prediction.objects.filter(state=WorkState.PENDING, leased_until__lte=now).exists():
        nudge(PREDICT_PENDING)
    return advanced


def run_settle(run: PredictionRun, result: "crawler.SearchResult") -> PredictionRun:
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
        return run_fix_listings(run, [listing.id for listing in result.listings])
    run.refresh_from_db()
    return run


def run_fix_listings(run: PredictionRun, listing_ids: list[str]) -> PredictionRun:
    """Say which listings a run that waits for them is about, and have them predicted."""
    fixed = list(dict.fromkeys(listing_ids))
    total = len(fixed) * (2 if run.other_model_id else 1)
    PredictionRun.objects.filter(id=run.id, state=WorkState.PENDING).update(
        state=WorkState.RUNNING, listing_ids=fixed, total=total
    )
    return run_advance(run_id=run.id)


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
    """The model of these runs cannot be used: fail what waits for it, saying why and what to do.

    A run that compares two versions goes on with the other one.
    """
    name = model.name if model else model_id
    text = _("The model “%(name)s” cannot be loaded: %(reason)s. Use another model or train again, then test again.")
    error = (text % {"name": name, "reason": reason.rstrip(". ")[:300]})[:500]
    now = timezone.now()
    running = PredictionRun.objects.filter(state=WorkState.RUNNING)
    running.filter(model_id=model_id, other_model_id="").update(state=WorkState.FAILED, error=error, finished_at=now)
    compared = [*running.filter(model_id=model_id).exclude(other_model_id=""), *running.filter(other_model_id=model_id)]
    PredictionRun.objects.filter(id__in=[run.id for run in compared]).update(error=error)
    Prediction.objects.filter(model_id=model_id, state=WorkState.PENDING).update(
        state=WorkState.FAILED, error=reason[:300], predicted_at=now
    )
    for run in compared:
        run_finish(run_id=run.id)


def _is_leased(run: PredictionRun) -> bool:
    return run.leased_until is not None and run.leased_until > timezone.now()
