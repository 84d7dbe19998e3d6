"""One crawl from lease to cache: fetch the page, write the listings, fetch the pictures, write the cached page.

Every step can be repeated, so a worker that dies leaves a crawl that the next one runs again from the start.
Only who holds the lease writes the outcome: the number of the attempt is the lease's name.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

import tenacity
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from crawler import raw_pages
from crawler.errors import LayoutError, SourceError
from crawler.imports.cached_pages import pages_expire_if_imported
from crawler.listings import listings_stored, listings_write
from crawler.models import Crawl, ErrorKind, Listing, SearchPage, WorkState
from crawler.pictures import pictures_fetch
from crawler.sources import FoundPage, OpenSource, open_source

logger = logging.getLogger(__name__)

# Longer than the longest step between two renewals: fetching the page, 45 s.
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 3
QUEUE_AGAIN_AFTER = timedelta(seconds=60)
_STORE_PATIENCE_S = 40.0


class LeaseLostError(Exception):
    """Another worker has taken the crawl over, or it was cancelled: this one must write no more of it."""


def crawl_run(*, crawl_id: str) -> None:
    """Do the crawl `crawl_id` unless it is done, unknown, or in the hands of another worker.

    A source that fails ends it as failed, with an error for users; the cache then keeps what it had. Anything else
    that goes wrong is logged and leaves it pending for another attempt, of which there are MAX_ATTEMPTS.
    """
    crawl = _take(crawl_id)
    if crawl is None:
        return
    with translation.override(crawl.language or settings.LANGUAGE_CODE):
        try:
            with open_source(crawl.source) as source:
                _work(crawl, source)
        except SourceError as error:
            logger.info("crawl %s of %r failed: %s", crawl.id, crawl.keyword, error)
            _fail(crawl, str(error), kind=error.kind, raw_page=_kept(crawl, error))
        except LeaseLostError:
            logger.warning("crawl %s was cancelled, or taken over by another worker", crawl.id)
        except Exception:
            logger.exception("crawl %s of %r, attempt %d", crawl.id, crawl.keyword, crawl.attempts)
            _release(crawl)


def _work(crawl: Crawl, source: OpenSource) -> None:
    try:
        asked_at = timezone.now()
        found = source.search(crawl.keyword, crawl.page)
        take = listings_stored if found.stored else listings_write
        listings = take(source=crawl.source, found=found.listings)
        _renew(crawl, images_total=len(listings), images_done=0)
        pictures_fetch(listings=listings, source=source, progress=lambda done: _renew(crawl, images_done=done))
        _renew(crawl, images_done=len(listings))
        _write_page(crawl, source, found, listings)
        if found.stored:
            pages_expire_if_imported(source=crawl.source, since=asked_at)
    finally:
        crawl.requests += source.requests
    _finish(crawl, state=str(WorkState.DONE))


def _write_page(crawl: Crawl, source: OpenSource, found: FoundPage, listings: Sequence[Listing]) -> None:
    now = timezone.now()
    rules = source.source
    fresh_until = now + timedelta(seconds=rules.fresh_s if listings else rules.empty_fresh_s)
    SearchPage(
        id=crawl.search_page_id,
        source=crawl.source,
        keyword=crawl.keyword,
        page=crawl.page,
        listing_ids=[listing.id for listing in listings],
        has_next=found.has_next,
        total=found.total,
        fetched_at=now,
        fresh_until=fresh_until,
        # Nobody is served yesterday's "nothing found" while it is looked for again.
        stale_until=fresh_until + timedelta(seconds=rules.stale_s if listings else 0),
    ).save()


def _take(crawl_id: str) -> Crawl | None:
    """The crawl with the lease on it, or None when there is nothing to do or it is not ours to do."""
    crawl = Crawl.objects.filter(id=crawl_id).first()
    now = timezone.now()
    if crawl is None or crawl.state not in (WorkState.PENDING, WorkState.RUNNING):
        return None
    if crawl.state == WorkState.RUNNING and crawl.leased_until > now:
        return None
    if crawl.attempts >= MAX_ATTEMPTS:
        _give_up(crawl)
        return None
    # Whoever raises the number of attempts has it: one conditional update of one document, which MongoDB does at once.
    taken = Crawl.objects.filter(id=crawl.id, state=crawl.state, attempts=crawl.attempts).update(
        state=WorkState.RUNNING, attempts=crawl.attempts + 1, started_at=now, leased_until=now + LEASE
    )
    if not taken:
        return None
    crawl.state, crawl.attempts, crawl.leased_until = WorkState.RUNNING, crawl.attempts + 1, now + LEASE
    return crawl


def _renew(crawl: Crawl, **changes: int) -> None:
    """Hold the lease for another while. Raises LeaseLostError when it is not ours any more."""
    held = Crawl.objects.filter(id=crawl.id, state=WorkState.RUNNING, attempts=crawl.attempts)
    if not held.update(leased_until=timezone.now() + LEASE, **changes):
        raise LeaseLostError(crawl.id)


@tenacity.retry(
    retry=tenacity.retry_if_exception_type(DatabaseError),
    stop=tenacity.stop_after_delay(_STORE_PATIENCE_S),
    wait=tenacity.wait_fixed(0.5),
    reraise=True,
)
def _release(crawl: Crawl) -> None:
    """Leave it for another attempt a little later, or give up.

    What went wrong may be that MongoDB is away; then it is waited for, lest the lease has to run out first.
    """
    if crawl.attempts >= MAX_ATTEMPTS:
        _give_up(crawl)
        return
    held = Crawl.objects.filter(id=crawl.id, state=WorkState.RUNNING, attempts=crawl.attempts)
    held.update(state=WorkState.PENDING, leased_until=timezone.now(), requests=crawl.requests)


def _kept(crawl: Crawl, error: SourceError) -> str:
    """The name under which the page that could not be read is kept, or "" when there is none."""
    if not isinstance(error, LayoutError) or error.page is None:
        return ""
    try:
        return raw_pages.keep(crawl.id, error.page)
    except OSError:
        logger.exception("the page of crawl %s cannot be kept", crawl.id)
        return ""


def _give_up(crawl: Crawl) -> None:
    text = _("The search was given up after %(count)d attempts.") % {"count": crawl.attempts}
    _fail(crawl, text, kind=str(ErrorKind.GIVEN_UP))


def _fail(crawl: Crawl, error: str, *, kind: str, raw_page: str = "") -> None:
    _finish(crawl, state=str(WorkState.FAILED), error=error[:500], error_kind=kind, raw_page=raw_page)


def _finish(crawl: Crawl, *, state: str, error: str = "", error_kind: str = "", raw_page: str = "") -> None:
    """Write the outcome, if this attempt still is the one that counts."""
    held = Crawl.objects.filter(id=crawl.id, state=crawl.state, attempts=crawl.attempts)
    held.update(
        state=state,
        error=error,
        error_kind=error_kind,
        raw_page=raw_page,
        requests=crawl.requests,
        finished_at=timezone.now(),
    )
