"""Listings that were imported from files: the source is searched in what is stored, nobody is asked."""

from django.db.models import Q

from crawler.fetching import Fetcher
from crawler.keywords import normalized
from crawler.models import Listing, Source
from crawler.sources.base import ConfigReader, FoundListing, FoundPage

PAGE_SIZE = 40
_FIELDS = ("item_id", "title", "url", "price", "currency", "shop_name", "shop_url", "image_url")


class ImportedFiles:
    """The adapter of one source of files. `config`: `page_size`."""

    def __init__(self, source: Source, fetcher: Fetcher) -> None:
        """Raises ConfigError for a configuration that cannot be used."""
        reader = ConfigReader(source.config, known={"page_size"})
        self._page_size = reader.number("page_size", PAGE_SIZE, lowest=1, highest=200)
        self._source = source.id

    def search(self, keyword: str, page: int) -> FoundPage:
        """The listings whose title or shop holds every word, as typed or in its normal form; newest first."""
        found = Listing.objects.filter(source=self._source)
        for word in keyword.split():
            found = found.filter(_holds(word))
        total = found.count()
        start = (page - 1) * self._page_size
        # Many are imported at the same moment: without the key a listing could be on two pages.
        listings = found.order_by("-last_seen_at", "id")[start : start + self._page_size]
        return FoundPage(
            listings=[FoundListing(**{name: getattr(one, name) for name in _FIELDS}) for one in listings],
            has_next=start + self._page_size < total,
            total=total,
            stored=True,
        )


def _holds(word: str) -> Q:
    """`icontains` takes its text literally on both engines: nothing in it is a pattern."""
    holds = Q()
    for form in {word, *normalized(word).split()[:1]}:
        holds |= Q(title__icontains=form) | Q(shop_name__icontains=form)
    return holds
