"""The schema.org products of a page: JSON-LD and microdata, which many shops carry for search engines.

Small on purpose: only Product with its Offer. The library for all vocabularies, extruct, brings an RDF engine along.
"""

import json
import math
from collections.abc import Iterator
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.sources.base import FoundListing, web_address

_LINK_ATTRIBUTES = ("content", "href", "src", "datetime", "value")
_MAX_DEPTH = 12


def products(tree: LexborHTMLParser, *, url: str) -> list[FoundListing]:
    """The products of the page at `url`, each once, in its order; what cannot be read is left out."""
    found: dict[str, FoundListing] = {}
    for data in [*_json_ld(tree), *_microdata(tree)]:
        listing = _listing(data, url=url)
        if listing:
            found.setdefault(listing.item_id, listing)
    return list(found.values())


def _json_ld(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            data = json.loads(script.text())
        except (ValueError, RecursionError):
            continue
        yield from _products_in(data)


def _products_in(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Every Product, however it is wrapped (a list, `@graph`, `ItemList` of `ListItem`)."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(data, list):
        for part in data:
            yield from _products_in(part, depth + 1)
    elif isinstance(data, dict):
        if "Product" in _names(data.get("@type")):
            yield data
        else:
            for name in ("@graph", "mainEntity", "itemListElement", "item"):
                yield from _products_in(data.get(name), depth + 1)


def _microdata(tree: LexborHTMLParser) -> Iterator[dict[str, Any]]:
    """Microdata (WHATWG HTML section 5) in the shape of JSON-LD."""
    for scope in tree.css('[itemscope][itemtype$="schema.org/Product"]'):
        yield _properties(scope)


def _properties(scope: LexborNode, depth: int = 0) -> dict[str, Any]:
    data: dict[str, Any] = {}
    waiting = list(scope.iter())
    while waiting:
        node = waiting.pop(0)
        nested = "itemscope" in node.attributes
        if names := (node.attributes.get("itemprop") or "").split():
            value = _properties(node, depth + 1) if nested and depth < _MAX_DEPTH else _value(node)
            for name in names:
                data.setdefault(name, value)
        if not nested:
            waiting[:0] = node.iter()
    return data


def _value(node: LexborNode) -> str:
    for name in _LINK_ATTRIBUTES:
        if value := node.attributes.get(name):
            return value
    return node.text(strip=True)


def _listing(data: dict[str, Any], *, url: str) -> FoundListing | None:
    offer = _first_dict(data.get("offers"))
    seller = _first_dict(offer.get("seller"))
    link = web_address(url, _text(data.get("url")) or _text(offer.get("url")))
    item_id = _text(data.get("sku")) or _text(data.get("productID")) or link
    title = _text(data.get("name"))
    if not item_id or not title:
        return None
    return FoundListing(
        item_id=item_id,
        title=title,
        url=link,
        price=_price(offer),
        currency=_text(offer.get("priceCurrency"))[:8],
        shop_name=_text(seller.get("name")),
        shop_url=web_address(url, _text(seller.get("url"))),
        image_url=web_address(url, _picture(data.get("image"))),
    )


def _price(offer: dict[str, Any]) -> float | None:
    for name in ("price", "lowPrice"):
        try:
            price = float(str(offer.get(name, "")))
        except ValueError:
            continue
        if math.isfinite(price) and price >= 0:
            return price
    return None


def _picture(value: Any) -> str:
    """An address, or the first of several, or an ImageObject."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl")
    return _text(value)


def _names(value: Any) -> list[str]:
    return [str(name).rpartition("/")[2] for name in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) else ""


def _first_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}
