"""The search that everybody calls: from the cache while it is good, else by a crawl in the background."""

import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crawler import traffic
from crawler.crawling import QUEUE_AGAIN_AFTER, crawl_run
from crawler.keywords import normalized
from crawler.locks import one_at_a_time
from crawler.models import Crawl, CrawlReason, Listing, SearchPage, WorkState
from crawler.selectors import OPEN_STATES, crawl_by_id, enabled_sources, last_crawl, listings_by_ids, open_crawl
from mmproject.queue import nudge

__all__ = [
    "SearchResult",
    "checked_keyword",
    "crawl_cancel",
    "crawl_result",
    "crawl_retry",
    "crawl_run",
    "crawls_resume",
    "search",
]

RUN_CRAWL = "crawler.tasks.run_crawl"
MAX_KEYWORD = 200  # characters
MAX_PAGE = 1000
# A crawl just made is queued by its maker: only when nobody has taken it for so long is it queued again.
TAKEN_WITHIN = timedelta(seconds=5)
# Whoever waits longer than this gets what the cache has, however old, with a note.
PATIENCE = timedelta(seconds=20)
# A stale page whose refresh failed is not asked for again at every look.
REFRESH_AFTER_FAILURE = timedelta(seconds=60)
_RESUMED_AT_ONCE = 500
_POLL_S = 0.1


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What is known of a search now. `listings` are in the page's order, and may be old ones unless `ready`.

    `ready` may be stale, too: then `stale_reason` says, for users, how old it is and why it is shown.
    """

    state: Literal["ready", "pending", "failed"]
    keyword: str
    page: int
    source: str
    listings: list[Listing] = field(default_factory=list)
    search_page: SearchPage | None = None
    crawl: Crawl | None = None
    from_cache: bool = False
    stale_reason: str = ""
    has_next: bool = False
    error: str = ""


def search(
    *,
    keyword: str,
    page: int = 1,
    source: str | None = None,
    force_update: bool = False,
    requested_by: str = "",
    wait_s: float = 0.0,
    reason: str = str(CrawlReason.SEARCH),
) -> SearchResult:
    """What `source` (the first enabled one when None) shows for `keyword` on page `page` (from 1).

    Fresh in the cache: `ready`. Stale: `ready` with a `stale_reason`, while a crawl behind it fetches it again.
    Neither, or with `force_update`: a crawl is queued, or one that already waits or runs is joined, and after `wait_s`
    seconds at most the answer is its outcome, or `pending` with what the cache had; then poll `crawl_result`.
    Raises ValidationError, keyed by field, for a keyword, page or source that cannot be searched.
    """
    shown, key, source = _checked(keyword=keyword, page=page, source=source)
    page_id = SearchPage.make_id(source=source, normalized_keyword=key, page=page)
    known: dict[str, Any] = {"keyword": shown, "page": page, "source": source}
    cached = SearchPage.objects.filter(id=page_id).first()
    now = timezone.now()
    if cached is not None and not force_update:
        if cached.fresh_until > now:
            traffic.count(source, "hit")
            return _result("ready", **known, search_page=cached, from_cache=True)
        if cached.stale_until is not None and cached.stale_until > now:
            traffic.count(source, "stale")
            crawl = _refreshing(cached, requested_by=requested_by)
            note = _stale_note(cached, crawl)
            return _result("ready", **known, search_page=cached, crawl=crawl, from_cache=True, stale_reason=note)
    traffic.count(source, "forced" if force_update else "miss")
    if force_update and reason == CrawlReason.SEARCH:
        reason = str(CrawlReason.FORCED)
    crawl, cached = _queued(page_id, **known, requested_by=requested_by, force_update=force_update, reason=reason)
    if crawl is None:
        return _result("ready", **known, search_page=cached, from_cache=True)
    if wait_s > 0:
        return _waited(crawl, wait_s)
    return _result("pending", **known, search_page=cached, crawl=crawl)


def crawl_result(*, crawl_id: str) -> SearchResult:
    """Where a crawl stands: `pending` while it waits or runs, then `ready`, or `failed` with what the cache had before.

    Once it takes longer than PATIENCE and there is an older page, that one is the result, with a `stale_reason`.
    An unknown id is `failed` as well, with an error that says so.
    """
    crawl = crawl_by_id(crawl_id)
    if crawl is None:
        error = _("This search is not known any more: search again.")
        return SearchResult(state="failed", keyword="", page=1, source="", error=error)
    cached = SearchPage.objects.filter(id=crawl.search_page_id).first()
    known: dict[str, Any] = {"keyword": crawl.keyword, "page": crawl.page, "source": crawl.source, "crawl": crawl}
    if crawl.state in OPEN_STATES:
        if cached is not None and timezone.now() - crawl.created_at > PATIENCE:
            note = _stale_note(cached, crawl)
            return _result("ready", **known, search_page=cached, from_cache=True, stale_reason=note)
        return _result("pending", **known, search_page=cached)
    if crawl.state == WorkState.DONE and cached is not None:
        return _result("ready", **known, search_page=cached)
    if crawl.state == WorkState.DONE:
        error = _("The result of this search was deleted: search again.")
    elif crawl.state == WorkState.CANCELLED:
        error = _("The search was cancelled.")
    else:
        error = crawl.error or _("The search failed.")
    return _result("failed", **known, search_page=cached, error=error)


def crawls_resume() -> int:
    """Queue again what waits untaken or whose worker is gone (its lease ran out); returns how many crawls."""
    now = timezone.now()
    queued = 0
    for state in OPEN_STATES:
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


def crawl_cancel(*, crawl: Crawl) -> bool:
    """End a crawl that waits or runs; whether there was something to end. Its worker notices at its next step."""
    open_ones = Crawl.objects.filter(id=crawl.id, state__in=OPEN_STATES)
    return bool(open_ones.update(state=WorkState.CANCELLED, finished_at=timezone.now()))


def _queued(
    page_id: str, *, keyword: str, page: int, source: str, requested_by: str, force_update: bool, reason: str
) -> tuple[Crawl | None, SearchPage | None]:
    """The open crawl of this page, made and queued unless there was one, and what the cache has.

    No crawl when the one that would have been joined has ended meanwhile and left a fresh page.
    """
    with one_at_a_time(f"crawl-of-{page_id}"):
        crawl = open_crawl(search_page_id=page_id)
        cached = SearchPage.objects.filter(id=page_id).first()
        if crawl is not None:
            return crawl, cached
        now = timezone.now()
        if not force_update and cached is not None and cached.fresh_until > now:
            return None, cached
        crawl = Crawl(
            source=source,
            keyword=keyword,
            page=page,
            search_page_id=page_id,
            reason=reason,
            requested_by=requested_by[:150],
            language=get_language() or "",
            created_at=now,
            leased_until=now + TAKEN_WITHIN,
        )
        crawl.save(force_insert=True)
    nudge(RUN_CRAWL, crawl.id)
    return crawl, cached


def _refreshing(page: SearchPage, *, requested_by: str) -> Crawl | None:
    """The crawl that fetches a stale page again; the failed one when that was a moment ago."""
    last = last_crawl(search_page_id=page.id)
    failed_at = last.finished_at if last is not None and last.state == WorkState.FAILED else None
    if failed_at is not None and timezone.now() - failed_at < REFRESH_AFTER_FAILURE:
        return last
    known: dict[str, Any] = {"keyword": page.keyword, "page": page.page, "source": page.source}
    crawl, _cached = _queued(
        page.id, **known, requested_by=requested_by, force_update=False, reason=str(CrawlReason.REFRESH)
    )
    return crawl


def _stale_note(page: SearchPage, crawl: Crawl | None) -> str:
    values = {"age": timesince(page.fetched_at)}
    if crawl is None:
        return ""
    if crawl.state == WorkState.FAILED:
        text = _("Fetched %(age)s ago; fetching it again failed: %(error)s")
        return text % (values | {"error": crawl.error})
    if crawl.reason == CrawlReason.REFRESH:
        return _("Fetched %(age)s ago; it is being fetched again.") % values
    return _("Fetched %(age)s ago; the source takes long to answer, so this is what there was before.") % values


def _waited(crawl: Crawl, wait_s: float) -> SearchResult:
    """The outcome of `crawl`, or `pending` when that does not come within `wait_s` seconds."""
    deadline = time.monotonic() + wait_s
    while True:
        result = crawl_result(crawl_id=crawl.id)
        if result.state != "pending" or time.monotonic() >= deadline:
            return result
        time.sleep(_POLL_S)


def checked_keyword(keyword: str) -> tuple[str, str]:
    """The keyword as it is shown, and the cache's key of it. Raises ValidationError, keyed `keyword`."""
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
    return shown, key


def _checked(*, keyword: str, page: int, source: str | None) -> tuple[str, str, str]:
    """The keyword as shown, the cache's key of it, and the source. Raises ValidationError."""
    shown, key = checked_keyword(keyword)
    if not 1 <= page <= MAX_PAGE:
        message = _("There is no page %(value)s: pages go from 1 to %(max)d.")
        raise ValidationError({"page": message % {"value": page, "max": MAX_PAGE}})
    sources = [one.id for one in enabled_sources()]
    if not sources:
        raise ValidationError({"source": _("No source is configured: an operator adds one in the admin.")})
    if source is not None and source not in sources:
        message = _("The source “%(value)s” is unknown: use one of %(known)s.")
        raise ValidationError({"source": message % {"value": source[:64], "known": ", ".join(sources)}})
    return shown, key, source or sources[0]


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
