"""Reads: sources, listings, cached pages, crawls."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from crawler.keywords import normalized
from crawler.models import Crawl, Listing, SearchPage, Source, WorkState
from mmproject.remembered import forget, remembered

OPEN_STATES = (WorkState.PENDING, WorkState.RUNNING)


def enabled_sources() -> list[Source]:
    """The sources that people may search, in their order; the first is the default.

    Every search asks, so a process keeps the answer for two seconds; one that saves a source forgets it at once.
    """
    sources = Source.objects.filter(enabled=True).order_by("position", "id")
    return list(remembered("enabled sources", lambda: list(sources), seconds=2))


def forget_sources(**_signal: Any) -> None:
    """Have `enabled_sources` look again; a receiver of Source's signals."""
    forget("enabled sources")


def last_crawl(*, search_page_id: str) -> Crawl | None:
    """The crawl of this search page that was asked for last."""
    return Crawl.objects.filter(search_page_id=search_page_id).order_by("-created_at").first()


def listings_by_ids(ids: Iterable[str]) -> list[Listing]:
    """The listings in the order of `ids`, in one query; unknown ids are left out."""
    wanted = list(ids)
    if not wanted:
        return []
    found = {listing.id: listing for listing in Listing.objects.filter(id__in=list(dict.fromkeys(wanted)))}
    return [found[one] for one in wanted if one in found]


def crawl_by_id(crawl_id: str) -> Crawl | None:
    return Crawl.objects.filter(id=crawl_id).first()


def crawls_page(
    *, keyword: str, source: str, state: str | None, requested_by: str, page: int, size: int
) -> tuple[list[Crawl], bool]:
    """Page `page` (from 1) of the crawls, the newest first, and whether there are more. Empty values do not filter."""
    wanted = {"keyword": keyword, "source": source, "state": state, "requested_by": requested_by}
    crawls = Crawl.objects.filter(**{name: value for name, value in wanted.items() if value}).order_by("-created_at")
    found = list(crawls[(page - 1) * size : page * size + 1])
    return found[:size], len(found) > size


def cached_page(*, keyword: str, page: int = 1, source: str) -> SearchPage | None:
    """What the cache holds for this search, fresh or not."""
    page_id = SearchPage.make_id(source=source, normalized_keyword=normalized(keyword), page=page)
    return SearchPage.objects.filter(id=page_id).first()


def pages_after(page: SearchPage, *, count: int) -> list[SearchPage]:
    """The pages that follow `page` in the cache, `count` at most, up to the first that is missing or not fresh."""
    key = normalized(page.keyword)
    ids = [
        SearchPage.make_id(source=page.source, normalized_keyword=key, page=number)
        for number in range(page.page + 1, page.page + 1 + count)
    ]
    found = {one.id: one for one in SearchPage.objects.filter(id__in=ids, fresh_until__gt=timezone.now())}
    following: list[SearchPage] = []
    for one in ids:
        if one not in found or not (following[-1] if following else page).has_next:
            break
        following.append(found[one])
    return following


def open_crawl(*, search_page_id: str) -> Crawl | None:
    """The crawl of this search page that waits or runs, the oldest when there are several."""
    crawls = Crawl.objects.filter(search_page_id=search_page_id, state__in=OPEN_STATES)
    return crawls.order_by("created_at").first()
