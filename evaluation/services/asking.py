"""Asking a model about listings that are there already, crawled or sent: a run without a crawl."""

import time
from collections.abc import Sequence

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone
from django.utils.translation import gettext as _

from crawler.models import Listing, WorkState
from evaluation.models import ModelVersion, PredictionRun, RunKind
from evaluation.selectors.models import active_model, models_to_choose
from evaluation.services.runs import OPEN_STATES, predictions_create, run_advance, run_finish
from mmproject.ids import new_id

MAX_LISTINGS = 1000
_POLL_S = 0.1


def listings_ask(
    *,
    listing_ids: Sequence[str],
    user: AbstractBaseUser,
    model_id: str = "",
    kind: str = RunKind.LISTINGS,
    run_id: str = "",
) -> PredictionRun:
    """Ask a model version (by default the active one) what these listings show.

    `run_id`, made by the caller, makes it safe to ask again: the same run is returned, and advanced.
    Raises ValidationError, keyed `listings` for none, too many or unknown ones, `model` where there is no such model
    that can answer, `run` where that run is somebody else's or about something else; nothing is written then.
    """
    ids = list(dict.fromkeys(listing_ids))
    if run_id and (existing := PredictionRun.objects.filter(id=run_id).first()):
        return _same_again(existing, listing_ids=ids, user=user)
    model = _model(model_id)
    source = _source_of(ids)
    run = PredictionRun(
        id=run_id or new_id(),
        model_id=model.id,
        model_name=model.name,
        kind=kind,
        source=source,
        page=1,
        state=WorkState.RUNNING,
        listing_ids=ids,
        total=len(ids),
        started_by_id=user.pk,
        started_by=user.get_username(),
        created_at=timezone.now(),
    )
    try:
        run.save(force_insert=True)
    except IntegrityError:  # the same question, a moment ago, in another process
        return _same_again(PredictionRun.objects.get(id=run.id), listing_ids=ids, user=user)
    predictions_create(run)
    run_finish(run_id=run.id)  # where no listing has a picture there is nothing to wait for
    run.refresh_from_db()
    return run


def run_wait(*, run_id: str, seconds: float) -> PredictionRun:
    """The run when it is finished, or as it is after so many seconds. Raises PredictionRun.DoesNotExist."""
    deadline = time.monotonic() + seconds
    while True:
        run = run_advance(run_id=run_id)
        left = deadline - time.monotonic()
        if run.state not in OPEN_STATES or left <= 0:
            return run
        time.sleep(min(_POLL_S, left))


def _same_again(run: PredictionRun, *, listing_ids: list[str], user: AbstractBaseUser) -> PredictionRun:
    if run.started_by_id != user.pk or run.listing_ids != listing_ids:
        raise ValidationError({"run": _("“%(id)s” is taken by another question.") % {"id": run.id}}, code="conflict")
    return run_advance(run_id=run.id)


def _model(model_id: str) -> ModelVersion:
    if not model_id:
        model = active_model()
        if model is None:
            raise ValidationError({"model": _("There is no model to test yet: a training has to finish first.")})
        return model
    found = {model.id: model for model in models_to_choose()}.get(model_id)
    if found is None:
        message = _("There is no model “%(id)s” that can answer: it is unknown, retired or only pre-trained.")
        raise ValidationError({"model": message % {"id": model_id}})
    return found


def _source_of(ids: list[str]) -> str:
    """The source that all of the listings have, or "" where they have several."""
    if not ids:
        raise ValidationError({"listings": _("Name at least one listing.")})
    if len(ids) > MAX_LISTINGS:
        message = _("These are %(count)d listings: at most %(max)d at once.")
        raise ValidationError({"listings": message % {"count": len(ids), "max": MAX_LISTINGS}})
    sources = dict(Listing.objects.filter(id__in=ids).values_list("id", "source"))
    unknown = [one for one in ids if one not in sources]
    if unknown:
        raise ValidationError({"listings": _("There is no listing “%(id)s”.") % {"id": unknown[0][:100]}})
    first, *others = set(sources.values())
    return "" if others else first
