"""The listing behind an address that somebody pasted: among ours when it was crawled, else read from its page.

A page is read by what it says of itself for search engines and for those who share it: schema.org Product, else
OpenGraph (ogp.me) with the picture that it names. The host's own source, where one is configured, says how it is asked;
any other host must be public, is asked slowly, and gives its listings its name as their source.
"""

import re
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from selectolax.lexbor import LexborHTMLParser

from crawler.addresses import host_and_port
from crawler.errors import ConfigError, LayoutError
from crawler.fetching import Fetcher
from crawler.listings import listings_write
from crawler.models import ImageState, Listing, Source, SourceKind
from crawler.pictures import pictures_fetch
from crawler.responses import Fetched
from crawler.sources import FoundListing
from crawler.sources.base import web_address
from crawler.sources.opening import PICTURE_BYTES, PICTURE_SECONDS, PICTURE_TYPES, fetcher_for
from crawler.sources.storefront import PAGE_BYTES, PAGE_TYPES, page_tree
from crawler.sources.structured import products
from crawler.sources.values import LONGEST, number, shown_price

MAX_ADDRESS = 2000  # characters
PAGE_SECONDS = 30.0
_RATE = "1/second"  # of hosts that no operator has said anything about
# What apps share is a sentence with an address in it, which ends where Chinese text or punctuation goes on.
_ADDRESS = re.compile(r"https?://[^\s<>\"'“”‘’「」『』【】\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]+", re.IGNORECASE)
_BARE = re.compile(r"[\w-]+(\.[\w-]+)+(:\d+)?(/\S*)?")
_PORTS = {"http": 80, "https": 443}


def address_in(text: str) -> str:
    """The web address that `text` is or holds, without its fragment; "" when there is none or it is too long."""
    text = text.strip()
    if re.fullmatch(r"https?://\S+", text, re.IGNORECASE):
        address = text
    elif match := _ADDRESS.search(text):
        address = match[0].rstrip(".,;:!?)")
    elif _BARE.fullmatch(text):
        address = f"https://{text}"
    else:
        return ""
    address = web_address(address, address).partition("#")[0]
    return address if len(address) <= MAX_ADDRESS else ""


def listing_at(address: str) -> Listing | None:
    """The listing of ours that was seen last at this address, with its picture; None: its page has to be read."""
    shown = Listing.objects.filter(url=address, image_state=ImageState.DONE).exclude(image_sha256="")
    return shown.order_by("-last_seen_at").first()


def listing_fetch(*, address: str) -> Listing:
    """Read the page at `address` and keep what it shows as a listing, with its picture.

    Raises SourceError with a message for users: not fetched, no product there, no picture of it.
    """
    with _Visit(address) as visit:
        found = read_item_page(visit.page(address))
        listing = listings_write(source=visit.source_id, found=[found])[0]
        pictures_fetch(listings=[listing], source=visit, progress=lambda done: None)
    listing.refresh_from_db()
    if not listing.image_sha256:
        message = _("The page was read, but not its picture: %(error)s Save the picture and upload it with the title.")
        raise LayoutError(message % {"error": listing.image_error})
    return listing


def read_item_page(fetched: Fetched) -> FoundListing:
    """What the page sells. Raises LayoutError, which says what to do, when it does not tell or shows no picture."""
    tree = page_tree(fetched)
    found = _product(tree, url=fetched.url) or _shared(tree, url=fetched.url)
    if found is None:
        message = _(
            "%(host)s shows no product at this address, or only to those who are signed in: save its picture and "
            "upload it with the title."
        )
        raise LayoutError(message % {"host": urlsplit(fetched.url).hostname}, page=fetched)
    return found


def _product(tree: LexborHTMLParser, *, url: str) -> FoundListing | None:
    """The schema.org product whose own page this is, else the first one that has a picture."""
    shown = [one for one in products(tree, url=url) if one.image_url]
    own = [one for one in shown if one.url.partition("#")[0] == url.partition("#")[0]]
    first = next(iter(own or shown), None)
    return first and FoundListing(**vars(first) | {"url": first.url or url})


def _shared(tree: LexborHTMLParser, *, url: str) -> FoundListing | None:
    """What the page shows where it is shared, with a picture; its own title where OpenGraph names none."""
    picture = web_address(url, _meta(tree, "og:image") or _meta(tree, "og:image:url") or _meta(tree, "twitter:image"))
    page_title = tree.css_first("title")
    title = _meta(tree, "og:title") or (page_title.text(strip=True)[:LONGEST] if page_title else "")
    if not picture or not title:
        return None
    link = web_address(url, _meta(tree, "og:url")) or url
    amount = _meta(tree, "product:price:amount") or _meta(tree, "og:price:amount")
    price = number(amount)
    return FoundListing(
        item_id=link,
        title=title,
        url=link,
        price=shown_price(amount)[0] if price is None and amount else price,
        currency=(_meta(tree, "product:price:currency") or _meta(tree, "og:price:currency"))[:8],
        shop_name=_meta(tree, "og:site_name"),
        shop_url="",
        image_url=picture,
    )


def _meta(tree: LexborHTMLParser, name: str) -> str:
    """The content of a meta element; OpenGraph says `property`, many pages say `name`."""
    for attribute in ("property", "name"):
        node = tree.css_first(f'meta[{attribute}="{name}"][content]')
        if node and (content := (node.attributes.get("content") or "").strip()):
            return content[:LONGEST]
    return ""


class _Visit:
    """The host of one page, for the length of the page and its picture. `source_id`: whose listings these are."""

    def __init__(self, address: str) -> None:
        """Raises ConfigError for a host whose source is switched off."""
        configured = _configured_source(address)
        if configured is not None and not configured.enabled:
            raise ConfigError(_("The source “%(source)s” is switched off.") % {"source": configured.name})
        self.source_id = configured.id if configured else _where(address).removesuffix(":443").removesuffix(":80")[:64]
        # Only where an operator has configured the host may it be one of our own network.
        self._fetcher = fetcher_for(configured) if configured else Fetcher(rate=_RATE, robots=True)

    def page(self, address: str) -> Fetched:
        return self._fetcher.get(address, accept=PAGE_TYPES, max_bytes=PAGE_BYTES, total_seconds=PAGE_SECONDS)

    def picture(self, url: str) -> Fetched:
        return self._fetcher.get(url, accept=PICTURE_TYPES, max_bytes=PICTURE_BYTES, total_seconds=PICTURE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._fetcher.close()


def _configured_source(address: str) -> Source | None:
    """The source of this very host and port; of several, one that is switched on."""
    where = _where(address)
    sources = Source.objects.exclude(base_url="").exclude(kind=SourceKind.FILES)
    same = (source for source in sources.order_by("-enabled", "position", "id") if _where(source.base_url) == where)
    return next(same, None)


def _where(address: str) -> str:
    try:
        parts = urlsplit(address)
        return host_and_port((parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0))
    except ValueError:
        return ""
