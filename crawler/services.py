"""The search that everybody calls: the cache when it is fresh, else a crawl in the background."""

import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crawler.crawling import QUEUE_AGAIN_AFTER, crawl_run
from crawler.keywords import normalized
from crawler.locks import one_at_a_time
from crawler.models import Crawl, Listing, SearchPage, WorkState
from crawler.selectors import crawl_by_id, listings_by_ids, open_crawl
from crawler.sources import default_source, source_names
from mmproject.queue import nudge

__all__ = ["SearchResult", "crawl_result", "crawl_retry", "crawl_run", "crawls_resume", "search"]

logger = logging.getLogger(__name__)

RUN_CRAWL = "crawler.tasks.run_crawl"
MAX_KEYWORD = 200  # characters
MAX_PAGE = 1000
# A crawl just made is queued by its maker: only when nobody has taken it for so long is it queued again.
TAKEN_WITHIN = timedelta(seconds=5)
_RESUMED_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What is known of a search now. `listings` are in the page's order, and may be old ones unless `ready`."""

    state: Literal["ready", "pending", "failed"]
    keyword: str
    page: int
    source: str
    listings: list[Listing] = field(default_factory=list)
    search_page: SearchPage | None = None
    crawl: Crawl | None = None
    from_cache: bool = False
    has_next: bool = False
    error: str = ""


def search(
    *,
    keyword: str,
    page: int = 1,
    source: str | None = None,
    force_update: bool = False,
    requested_by: str = "",
) -> SearchResult:
    """What `source` (the first one configured when None) shows for `keyword` on page `page` (from 1).

    From the cache when it is fresh and `force_update` is not set: `ready`. Otherwise a crawl is queued, or one that
    already waits or runs is joined: `pending`, with what the cache had; poll `crawl_result` with the crawl's id.
    Raises ValidationError, keyed by field, for a keyword, page or source that cannot be searched.
    """
    shown, key, source = _checked(keyword=keyword, page=page, source=source)
    page_id = SearchPage.make_id(source=source, normalized_keyword=key, page=page)
    cached = SearchPage.objects.filter(id=page_id).first()
    if not force_update and _is_fresh(cached):
        return _result("ready", keyword=shown, page=page, source=source, search_page=cached, from_cache=True)
    with one_at_a_time(f"crawl-of-{page_id}"):
        crawl = open_crawl(search_page_id=page_id)
        joined = crawl is not None
        if crawl is None:
            # The crawl that would have been joined may have ended while this waited for the lock.
            cached = SearchPage.objects.filter(id=page_id).first()
            if not force_update and _is_fresh(cached):
                return _result("ready", keyword=shown, page=page, source=source, search_page=cached, from_cache=True)
            now = timezone.now()
            crawl = Crawl(
                source=source,
                keyword=shown,
                page=page,
                search_page_id=page_id,
                requested_by=requested_by[:150],
                language=get_language() or "",
                created_at=now,
                leased_until=now + TAKEN_WITHIN,
            )
            crawl.save(force_insert=True)
    if not joined:
        nudge(RUN_CRAWL, crawl.id)
    return _result("pending", keyword=shown, page=page, source=source, search_page=cached, crawl=crawl)


def crawl_result(*, crawl_id: str) -> SearchResult:
    """Where a crawl stands: `pending` while it waits or runs, then `ready`, or `failed` with what the cache had before.

    An unknown id is `failed` as well, with an error that says so.
    """
    crawl = crawl_by_id(crawl_id)
    if crawl is None:
        error = _("This search is not known any more: search again.")
        return SearchResult(state="failed", keyword="", page=1, source="", error=error)
    cached = SearchPage.objects.filter(id=crawl.search_page_id).first()
    state: Literal["ready", "pending", "failed"] = "pending"
    error = ""
    if crawl.state == WorkState.DONE and cached is not None:
        state = "ready"
    elif crawl.state == WorkState.DONE:
        state, error = "failed", _("The result of this search was deleted: search again.")
    elif crawl.state == WorkState.FAILED:
        state, error = "failed", crawl.error or _("The search failed.")
    elif crawl.state == WorkState.CANCELLED:
        state, error = "failed", _("The search was cancelled.")
    return _result(
        state,
        keyword=crawl.keyword,
        page=crawl.page,
        source=crawl.source,
        search_page=cached,
        crawl=crawl,
        error=error,
    )


def crawls_resume() -> int:
    """Queue again what waits untaken or whose worker is gone (its lease ran out); returns how many crawls."""
    now = timezone.now()
    queued = 0
    for state in (WorkState.PENDING, WorkState.RUNNING):
        left = Crawl.objects.filter(state=state, leased_until__lt=now).order_by("leased_until")[:_RESUMED_AT_ONCE]
        for crawl in left:
            if state == WorkState.PENDING:
                # Not again at every beat: a long queue must not be made longer.
                later = now + QUEUE_AGAIN_AFTER
                if not Crawl.objects.filter(id=crawl.id, state=state, leased_until__lt=now).update(leased_until=later):
                    continue
            queued += nudge(RUN_CRAWL, crawl.id)
    return queued


def crawl_retry(*, crawl: Crawl) -> SearchResult:
    """The same search once more, whatever came of it."""
    return search(
        keyword=crawl.keyword,
        page=crawl.page,
        source=crawl.source,
        force_update=True,
        requested_by=crawl.requested_by,
    )


def _checked(*, keyword: str, page: int, source: str | None) -> tuple[str, str, str]:
    """The keyword as shown, the cache's key of it, and the source. Raises ValidationError."""
    shown = " ".join(keyword.split())
    key = normalized(shown)
    if not key:
        raise ValidationError(
            {"keyword": _("Type what to search for: the keyword “%(value)s” is empty.") % {"value": shown}}
        )
    if len(shown) > MAX_KEYWORD or len(key) > 4 * MAX_KEYWORD:
        message = _("The keyword “%(value)s…” is too long: %(length)d characters, at most %(max)d.")
        values = {"value": shown[:40], "length": len(shown), "max": MAX_KEYWORD}
        raise ValidationError({"keyword": message % values})
    if not _is_text(shown):
        raise ValidationError(
            {"keyword": _("The keyword “%(value)s” holds characters that are not text.") % {"value": ascii(shown)}}
        )
    if not 1 <= page <= MAX_PAGE:
        message = _("There is no page %(value)s: pages go from 1 to %(max)d.")
        raise ValidationError({"page": message % {"value": page, "max": MAX_PAGE}})
    sources = source_names()
    if not sources:
        raise ValidationError({"source": _("No source is configured.")})
    if source is not None and source not in sources:
        message = _("The source “%(value)s” is unknown: use one of %(known)s.")
        raise ValidationError({"source": message % {"value": source[:64], "known": ", ".join(sources)}})
    return shown, key, source or default_source()


def _is_fresh(page: SearchPage | None) -> bool:
    return page is not None and page.fresh_until > timezone.now()


def _is_text(text: str) -> bool:
    """No control characters, and nothing that UTF-8 cannot carry (half a surrogate pair)."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return not any(ord(character) < 32 or ord(character) == 127 for character in text)


def _result(
    state: Literal["ready", "pending", "failed"], *, search_page: SearchPage | None, **values: Any
) -> SearchResult:
    return SearchResult(
        state=state,
        listings=listings_by_ids(search_page.listing_ids) if search_page else [],
        search_page=search_page,
        has_next=search_page.has_next if search_page else False,
        **values,
    )
