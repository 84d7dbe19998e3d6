"""The demo shop (`python -m crawler.demo_shop`), read as a real shop is: HTML cards and their schema.org JSON-LD."""

import json
import math
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from django.utils.translation import gettext as _
from price_parser import Price
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.errors import ParseError
from crawler.fetching import Fetched, Fetcher
from crawler.sources.base import FoundListing, FoundPage

PAGE_BYTES = 2 * 1024 * 1024
PICTURE_BYTES = 8 * 1024 * 1024
PAGE_SECONDS = 40.0
PICTURE_SECONDS = 20.0
_PICTURE_TYPES = ("image/jpeg", "image/png", "image/webp")


class DemoShop:
    """`base_url` is where the shop answers; the rest is the fetcher's."""

    def __init__(
        self,
        *,
        base_url: str,
        name: str = "Demo shop",
        rate: str = "20/second",
        private_hosts: Collection[str] = (),
        hosts: Collection[str] = (),
    ) -> None:
        self.name = name
        self._base_url = base_url.rstrip("/") + "/"
        self._fetcher = Fetcher(rate=rate, private_hosts=private_hosts, hosts=hosts)

    def search(self, keyword: str, page: int) -> FoundPage:
        address = urljoin(self._base_url, f"search?{urlencode({'q': keyword, 'page': page})}")
        fetched = self._fetcher.get(address, accept=("text/html",), max_bytes=PAGE_BYTES, total_seconds=PAGE_SECONDS)
        return parse_search_page(fetched.text(), url=fetched.url)

    def picture(self, url: str) -> Fetched:
        return self._fetcher.get(url, accept=_PICTURE_TYPES, max_bytes=PICTURE_BYTES, total_seconds=PICTURE_SECONDS)

    def close(self) -> None:
        self._fetcher.close()


def parse_search_page(html: str, *, url: str) -> FoundPage:
    """The listings of a search page in its order; `url` is where it came from.

    Raises ParseError naming the selector that found nothing.
    """
    tree = LexborHTMLParser(html)
    total_text = _required(tree, "#total").text(strip=True)
    _required(tree, "ol.results")
    products = _products(tree)
    listings: dict[str, FoundListing] = {}
    for card in tree.css("ol.results > li.card"):
        listing = _listing(card, products, url=url)
        listings.setdefault(listing.item_id, listing)
    total = int(total_text) if total_text.isascii() and total_text.isdigit() else None
    return FoundPage(listings=list(listings.values()), has_next=tree.css_first("a.next") is not None, total=total)


def _listing(card: LexborNode, products: dict[str, dict[str, Any]], *, url: str) -> FoundListing:
    item_id = (card.attributes.get("data-item") or "").strip()
    if not item_id:
        raise ParseError(
            _("The page is not laid out as expected: “%(what)s” found nothing.") % {"what": "li.card[data-item]"}
        )
    title, shop, picture = _required(card, "a.title"), card.css_first("a.shop"), card.css_first("img")
    data = products.get(item_id, {})
    offer = _dict(data.get("offers"))
    seller = _dict(offer.get("seller"))
    price, currency = _price(offer, card)
    return FoundListing(
        item_id=item_id,
        title=_text(data.get("name")) or title.text(),
        url=_web_address(url, title.attributes.get("href")),
        price=price,
        currency=currency,
        shop_name=_text(seller.get("name")) or (shop.text(strip=True) if shop else ""),
        shop_url=_web_address(url, _text(seller.get("url")) or (shop.attributes.get("href") if shop else "")),
        image_url=_web_address(url, _text(data.get("image")) or (picture.attributes.get("src") if picture else "")),
    )


def _products(tree: LexborHTMLParser) -> dict[str, dict[str, Any]]:
    """The schema.org products of the page's JSON-LD by SKU; what cannot be read is left to the cards."""
    products = {}
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            data = _dict(json.loads(script.text()))
        except ValueError:
            continue
        elements = data.get("itemListElement")
        for element in elements if isinstance(elements, list) else []:
            item = _dict(_dict(element).get("item"))
            if sku := _text(item.get("sku")):
                products[sku] = item
    return products


def _price(offer: dict[str, Any], card: LexborNode) -> tuple[float | None, str]:
    """Price and currency code, from the offer or else from the card's text."""
    shown = card.css_first(".price")
    parsed = Price.fromstring(shown.text(strip=True) if shown else "")
    try:
        price = float(str(offer.get("price", "")))
    except ValueError:
        price = float("nan") if parsed.amount is None else float(parsed.amount)
    currency = _text(offer.get("priceCurrency")) or parsed.currency or ""
    return (price if math.isfinite(price) and price >= 0 else None), currency[:8]


def _required(node: LexborHTMLParser | LexborNode, selector: str) -> LexborNode:
    found = node.css_first(selector)
    if found is None:
        raise ParseError(_("The page is not laid out as expected: “%(what)s” found nothing.") % {"what": selector})
    return found


def _web_address(base: str, link: str | None) -> str:
    """An absolute http(s) address, or "" for any other kind of link."""
    try:
        address = urljoin(base, (link or "").strip()) if link else ""
        return address if urlsplit(address).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
