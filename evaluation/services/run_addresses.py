"""The worker's part of a run that waits for the page of a pasted address."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crawler.errors import SourceError
from crawler.item_pages import listing_fetch
from crawler.models import WorkState
from evaluation.models import PredictionRun, RunKind
from evaluation.services.runs import run_fix_listings

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=90)  # a page and its picture take a minute at most
MAX_ATTEMPTS = 3


def address_fetch(*, run_id: str) -> None:
    """Read the page that the run waits for, unless it is read already or another worker is at it.

    What keeps it from being read ends the run, in words for its user; anything else is tried again, MAX_ATTEMPTS times.
    """
    run = PredictionRun.objects.filter(id=run_id, kind=RunKind.ADDRESS, state=WorkState.PENDING).first()
    now = timezone.now()
    if run is None or (run.leased_until is not None and run.leased_until > now):
        return
    with translation.override(run.language or settings.LANGUAGE_CODE):
        if run.attempts >= MAX_ATTEMPTS:
            _fail(run, _("Reading this page was given up after %(count)d attempts.") % {"count": run.attempts})
            return
        # Whoever raises the number of attempts has it: one conditional update of one document.
        if not _held(run).update(attempts=run.attempts + 1, leased_until=now + LEASE):
            return
        run.attempts += 1
        try:
            listing = listing_fetch(address=run.address)
        except SourceError as error:
            logger.info("the page of run %s, %s, cannot be read: %s", run.id, run.address, error)
            _fail(run, str(error))
        except Exception:
            logger.exception("the page of run %s, %s, attempt %d", run.id, run.address, run.attempts)
            _held(run).update(leased_until=None)
        else:
            if _held(run).update(source=listing.source):
                run_fix_listings(run, [listing.id])


def _fail(run: PredictionRun, error: str) -> None:
    _held(run).update(state=WorkState.FAILED, error=error[:500], finished_at=timezone.now())


def _held(run: PredictionRun) -> QuerySet:
    """The run, as long as this attempt is the one that counts."""
    return PredictionRun.objects.filter(id=run.id, state=WorkState.PENDING, attempts=run.attempts)
