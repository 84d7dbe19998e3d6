"""Scheduled searches: keywords that are crawled again and again, so that people find them fresh."""

import logging
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone

from crawler.keywords import normalized
from crawler.models import CrawlReason, ScheduledSearch, SearchPage
from crawler.services import search

logger = logging.getLogger(__name__)

REQUESTED_BY = "schedule"
# Whoever claims a turn queues its crawls within this, or is gone: then the turn is due again.
CLAIM = timedelta(minutes=5)
_AT_ONCE = 200


def scheduled_crawls_queue() -> int:
    """Queue the crawls of every scheduled search that is due; returns of how many searches.

    A turn belongs to whoever moves its `next_at` from the time that was read: one conditional update, so that of two
    beats at once only one queues. It is moved a little at first, and to the next turn when all is queued: after a crash
    in between, the turn is due again, and joins the crawls that are queued already. Missed turns are not made up for.
    """
    now = _milliseconds(timezone.now())
    due = ScheduledSearch.objects.filter(enabled=True, next_at__lte=now).order_by("next_at")
    queued = 0
    for scheduled in due[:_AT_ONCE]:
        claimed = now + CLAIM
        turn = ScheduledSearch.objects.filter(id=scheduled.id, enabled=True, next_at=scheduled.next_at)
        if not turn.update(next_at=claimed):
            continue
        queued += bool(_search_pages(scheduled))
        # Unless an operator has said otherwise meanwhile.
        ScheduledSearch.objects.filter(id=scheduled.id, next_at=claimed).update(next_at=_next_turn(scheduled, now))
    return queued


def scheduled_crawl_now(*, scheduled: ScheduledSearch) -> int:
    """Queue its crawls now, enabled or not, and count the time to the next turn from here.

    Returns how many pages are asked for; none when it cannot be searched, which is logged.
    """
    pages = _search_pages(scheduled)
    later = _milliseconds(timezone.now()) + timedelta(hours=scheduled.every_hours)
    ScheduledSearch.objects.filter(id=scheduled.id).update(next_at=later)
    return pages


def _search_pages(scheduled: ScheduledSearch) -> int:
    pages = _pages_to_ask(scheduled)
    try:
        for page in range(1, pages + 1):
            search(
                keyword=scheduled.keyword,
                page=page,
                source=scheduled.source,
                force_update=True,
                requested_by=REQUESTED_BY,
                reason=str(CrawlReason.SCHEDULED),
            )
    except ValidationError as error:  # its source was switched off or removed
        logger.warning("the scheduled search of %r was left out: %s", scheduled.keyword, " ".join(error.messages))
        return 0
    return pages


def _pages_to_ask(scheduled: ScheduledSearch) -> int:
    """Its pages, but none beyond the one that was the last when it was fetched: shops answer those in odd ways."""
    key = normalized(scheduled.keyword)
    numbers = {
        SearchPage.make_id(source=scheduled.source, normalized_keyword=key, page=page): page
        for page in range(1, scheduled.pages + 1)
    }
    ends = SearchPage.objects.filter(id__in=list(numbers), has_next=False).values_list("page", flat=True)
    return min([scheduled.pages, *ends])


def _next_turn(scheduled: ScheduledSearch, now: datetime) -> datetime:
    """The first turn after `now`, in step with the one that was due."""
    every = timedelta(hours=max(1, scheduled.every_hours))
    missed = max(0, (now - scheduled.next_at) // every)
    return scheduled.next_at + every * (missed + 1)


def _milliseconds(moment: datetime) -> datetime:
    """As MongoDB keeps it: what is compared later must be the same to the last digit."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
