"""What a source is: something that finds listings by keyword, a page at a time."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from crawler.fetching import Fetched


@dataclass(frozen=True, kw_only=True)
class FoundListing:
    """A listing as the source shows it; texts are what the seller wrote, addresses are absolute."""

    item_id: str
    title: str
    url: str
    price: float | None
    currency: str
    shop_name: str
    shop_url: str
    image_url: str


@dataclass(frozen=True, kw_only=True)
class FoundPage:
    listings: list[FoundListing]
    has_next: bool
    total: int | None  # of all pages, when the source tells


class Source(Protocol):
    """An adapter. Its methods raise SourceError with a message for users; `close` gives its connections back."""

    name: str

    def search(self, keyword: str, page: int) -> FoundPage:
        """Page `page` (from 1) of what the source finds for `keyword`."""

    def picture(self, url: str) -> Fetched:
        """The picture at `url`, as the source sent it, not yet looked into."""

    def close(self) -> None: ...


def source_names() -> dict[str, str]:
    """The configured sources: key → name for people, in the settings' order."""
    return {key: str(options.get("name", key)) for key, options in settings.CRAWLER_SOURCES.items()}


def default_source() -> str:
    """The first configured source. Raises LookupError when there is none."""
    try:
        return next(iter(settings.CRAWLER_SOURCES))
    except StopIteration:
        raise LookupError(
            "no source is configured: CRAWLER_SOURCES is empty (DEMO_SHOP_URL adds the demo shop)"
        ) from None


def get_source(key: str) -> Source:
    """A new adapter for the source `key`; close it when done. Raises LookupError for an unknown one."""
    if key not in settings.CRAWLER_SOURCES:
        raise LookupError(
            f"source {key!r} is not configured: use one of {', '.join(settings.CRAWLER_SOURCES) or '(none)'}"
        )
    options: dict[str, Any] = dict(settings.CRAWLER_SOURCES[key])
    adapter = import_string(options.pop("adapter"))
    return adapter(**options)
