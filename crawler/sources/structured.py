"""The schema.org products of a page: JSON-LD and microdata, which many shops carry for search engines.

Small on purpose: only Product with its Offer. The library for all vocabularies, extruct, brings an RDF engine along.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.sources.base import MOST_LISTINGS, FoundListing, web_address
from crawler.sources.values import json_text, number

_LINK_ATTRIBUTES = ("content", "href", "src", "datetime", "value")
_MAX_DEPTH = 12
# What is read of them; of all else not even the text is taken, which each time may be that of the whole page.
_PROPERTIES = {
    *("sku", "productID", "name", "url", "image", "contentUrl"),
    *("offers", "price", "lowPrice", "priceCurrency", "seller"),
}


def products(tree: LexborHTMLParser, *, url: str) -> list[FoundListing]:
    """The products of the page at `url`, each once, in its order; what cannot be read is left out.

    No more than MOST_LISTINGS of each way to write them are looked at.
    """
    found: dict[str, FoundListing] = {}
    for data in [*islice(_json_ld(tree), MOST_LISTINGS), *islice(_microdata(tree), MOST_LISTINGS)]:
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
    waiting = [*scope.iter()][::-1]  # a stack: the next node of the page is its last
    while waiting:
        node = waiting.pop()
        nested = "itemscope" in node.attributes
        if names := _PROPERTIES.intersection((node.attributes.get("itemprop") or "").split()) - data.keys():
            value = _properties(node, depth + 1) if nested and depth < _MAX_DEPTH else _value(node)
            data.update(dict.fromkeys(names, value))
        if not nested:
            waiting.extend([*node.iter()][::-1])
    return data


def _value(node: LexborNode) -> str:
    for name in _LINK_ATTRIBUTES:
        if value := node.attributes.get(name):
            return value
    return node.text(strip=True)


def _listing(data: dict[str, Any], *, url: str) -> FoundListing | None:
    offer = _first_dict(data.get("offers"))
    seller = _first_dict(offer.get("seller"))
    link = web_address(url, json_text(data.get("url")) or json_text(offer.get("url")))
    item_id = json_text(data.get("sku")) or json_text(data.get("productID")) or link
    title = json_text(data.get("name"))
    if not item_id or not title:
        return None
    return FoundListing(
        item_id=item_id,
        title=title,
        url=link,
        price=_price(offer),
        currency=json_text(offer.get("priceCurrency"))[:8],
        shop_name=json_text(seller.get("name")),
        shop_url=web_address(url, json_text(seller.get("url"))),
        image_url=web_address(url, _picture(data.get("image"))),
    )


def _price(offer: dict[str, Any]) -> float | None:
    for name in ("price", "lowPrice"):
        if (price := number(offer.get(name))) is not None:
            return price
    return None


def _picture(value: Any) -> str:
    """An address, or the first of several, or an ImageObject."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("url") or value.get("contentUrl")
    return json_text(value)


def _names(value: Any) -> list[str]:
    return [str(name).rpartition("/")[2] for name in (value if isinstance(value, list) else [value])]


def _first_dict(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}
