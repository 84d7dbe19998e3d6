"""How much of a search is shown at first: its first page, and as many more of the cache as the annotator wants."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from annotation.cards import Card, cards
from annotation.selectors import labelled_products
from annotation.suggestions import Suggestions
from crawler.models import Listing
from crawler.selectors import listings_by_ids, pages_after
from crawler.services import SearchResult

MAX_PAGES = 10  # out of the cache at once


@dataclass(frozen=True)
class Shown:
    result: SearchResult  # of the last page that is shown, with what was said of the first
    cards: list[Card]
    count: int  # listings that are shown then, those of before included
    suggestions: Suggestions  # what the model says of these
    goes_on: bool  # the next page is searched without being asked for, because fewer than wanted are shown


def shown_pages(
    result: SearchResult, *, wanted: int, before: int | None, suggest: Callable[[Sequence[Listing]], Suggestions]
) -> Shown:
    """What to show of `result`, and of the pages that follow it in the cache, until `wanted` listings are shown.

    `before` listings are shown already; with None it is this page alone that somebody asked for.
    Three queries at most, however many pages and listings, and those of `suggest`, which gets all of them at once.
    """
    # While a crawl is under way the page only waits: ticks on an older result would be swapped away.
    pages = [(result.page, [] if result.state == "pending" else result.listings)]
    known = 0 if before is None else before
    missing = 0 if before is None else wanted - before - len(pages[0][1])
    grows = result.state == "ready" and bool(result.listings)
    if grows and missing > 0 and result.has_next and result.search_page:
        more = pages_after(result.search_page, count=min(MAX_PAGES, math.ceil(missing / len(result.listings))))
        found = {one.id: one for one in listings_by_ids([key for page in more for key in page.listing_ids])}
        pages += [(page.page, [found[key] for key in page.listing_ids if key in found]) for page in more]
        if more:
            result = replace(result, page=more[-1].page, has_next=more[-1].has_next)
    pages = _each_once(pages)
    shown = [listing for _page, listings in pages for listing in listings]
    labelled = labelled_products(listing.id for listing in shown)
    suggestions = suggest(shown)
    made = [
        card
        for page, listings in pages
        for card in cards(suggestions.ordered(listings), page=page, labelled=labelled, suggested=suggestions.ticks)
    ]
    goes_on = grows and before is not None and result.has_next and known + len(shown) < wanted
    count = known + len(shown)
    return Shown(result=result, cards=made, count=count, suggestions=suggestions, goes_on=goes_on)


def _each_once(pages: list[tuple[int, list[Listing]]]) -> list[tuple[int, list[Listing]]]:
    """A listing that moved to the next page between two crawls is shown where it comes first."""
    seen: set[str] = set()
    left = []
    for page, listings in pages:
        left.append((page, [one for one in listings if one.id not in seen]))
        seen |= {one.id for one in listings}
    return left
