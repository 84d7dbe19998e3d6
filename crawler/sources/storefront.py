"""A web shop, read as people see it: its search page by CSS selectors, and by schema.org data where there is some.

`config`: see docs/sources.md. A selector is CSS, optionally with the attribute to read: `a.title`, `img@data-src`,
`@data-id` (an attribute of the card itself); of several, the first that finds something counts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from crawler.errors import LayoutError
from crawler.fetching import Fetcher
from crawler.models import Source
from crawler.responses import Fetched
from crawler.sources.base import (
    MOST_LISTINGS,
    ConfigReader,
    FoundListing,
    FoundPage,
    search_address,
    web_address,
)
from crawler.sources.structured import products
from crawler.sources.values import LONGEST, shown_price

PAGE_BYTES = 4 * 1024 * 1024
# A parser of HTML takes quadratic time for elements within elements: 800,000 of them, which fit into PAGE_BYTES, would
# keep a worker busy for hours. Real search pages have some thousands.
MOST_ELEMENTS = 30_000
_START_TAG = re.compile(r"<[a-zA-Z]")
# Of elements times formatting elements open at once, which a parser makes of a page (WHATWG HTML, section 13.2.4.3).
MOST_REPEATED = 1_000_000
_FORMATTING_TAG = re.compile(r"<(/?)(?:a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)\b", re.IGNORECASE)
PAGE_TYPES = ("text/html", "application/xhtml+xml")
_OF_PAGE = {"card", "results", "empty", "total", "next"}
_OF_CARD = {"item_id", "title", "link", "price", "shop_name", "shop_link", "picture"}


@dataclass(frozen=True)
class Selector:
    """CSS and the attribute to read; `css` empty is the card itself, `attribute` empty is the text."""

    css: str
    attribute: str

    @classmethod
    def parse(cls, text: str) -> "Selector":
        """Raises ValueError for CSS that cannot be parsed."""
        css, at, attribute = text.rpartition("@")
        if not at or not re.fullmatch(r"[\w:.-]+", attribute):
            css, attribute = text, ""
        css = css.strip()
        if css:
            try:
                LexborHTMLParser("<p></p>").css(css)
            except (SelectolaxError, ValueError) as error:
                raise ValueError(str(error)) from error
        return cls(css, attribute)

    def __str__(self) -> str:
        return f"{self.css}@{self.attribute}" if self.attribute else self.css

    def value_in(self, node: LexborNode) -> str:
        found = node.css_first(self.css) if self.css else node
        if found is None:
            return ""
        text = (found.attributes.get(self.attribute) or "") if self.attribute else found.text()
        return text.strip()[:LONGEST]


Selectors = tuple[Selector, ...]


@dataclass(frozen=True, kw_only=True)
class StorefrontConfig:
    search_url: str
    encoding: str
    page_size: int
    currency: str
    item_id_pattern: re.Pattern[str] | None
    selectors: dict[str, Selectors]

    @classmethod
    def parse(cls, values: Any) -> "StorefrontConfig":
        """Raises ConfigError naming what is wrong."""
        known = {"search_url", "encoding", "page_size", "currency", "item_id_pattern", "selectors"}
        reader = ConfigReader(values, known=known)
        search_url = reader.text("search_url")
        if "{keyword}" not in search_url:
            raise reader.wrong("search_url", _("it does not say where the {keyword} goes."))
        selectors = _selectors(reader.part("selectors", known=_OF_PAGE | _OF_CARD))
        if "card" in selectors and not {"item_id", "title"} <= selectors.keys():
            raise reader.wrong("selectors", _("with a card, item_id and title are needed, too."))
        return cls(
            search_url=search_url,
            encoding=reader.encoding("encoding"),
            page_size=reader.number("page_size", 20, lowest=1, highest=MOST_LISTINGS),
            currency=reader.text("currency", ""),
            item_id_pattern=_pattern(reader),
            selectors=selectors,
        )


def _selectors(reader: ConfigReader) -> dict[str, Selectors]:
    selectors = {}
    for name in sorted(_OF_PAGE | _OF_CARD):
        try:
            chosen = tuple(Selector.parse(text) for text in reader.texts(name))
        except ValueError as error:
            raise reader.wrong(name, str(error)) from error
        if name in _OF_PAGE and not all(selector.css for selector in chosen):
            raise reader.wrong(name, _("there is no card yet whose attribute could be read."))
        if chosen:
            selectors[name] = chosen
    return selectors


def _pattern(reader: ConfigReader) -> re.Pattern[str] | None:
    if "item_id_pattern" not in reader:
        return None
    try:
        pattern = re.compile(reader.text("item_id_pattern"))
    except (re.error, RecursionError, OverflowError) as error:
        raise reader.wrong("item_id_pattern", str(error)) from error
    if pattern.groups != 1:
        raise reader.wrong("item_id_pattern", _("it needs one group, which is the id."))
    return pattern


class Storefront:
    """The adapter of one web shop."""

    def __init__(self, source: Source, fetcher: Fetcher) -> None:
        self._config = StorefrontConfig.parse(source.config)
        self._base_url = source.base_url
        self._timeout_s = source.timeout_s
        self._fetcher = fetcher

    def search(self, keyword: str, page: int) -> FoundPage:
        config = self._config
        address = search_address(
            config.search_url,
            base_url=self._base_url,
            keyword=keyword,
            page=page,
            page_size=config.page_size,
            encoding=config.encoding,
        )
        fetched = self._fetcher.get(
            address, accept=PAGE_TYPES, max_bytes=PAGE_BYTES, total_seconds=float(self._timeout_s)
        )
        return read_page(fetched, config)


def read_page(fetched: Fetched, config: StorefrontConfig) -> FoundPage:
    """The listings of a search page in its order.

    At most MOST_LISTINGS of them. Raises LayoutError, which carries the page, naming the selector that found nothing.
    """
    tree = page_tree(fetched)
    root = tree.root
    assert root is not None
    structured = products(tree, url=fetched.url)
    total = _total(root, config)
    _require(fetched, root, config, "results")
    if "card" in config.selectors:
        cards = [card for one in config.selectors["card"] for card in tree.css(one.css)]
        listings = _listings(cards[:MOST_LISTINGS], structured, fetched, config)
    else:
        listings = structured
    if not listings and total != 0:
        if "empty" in config.selectors or "card" not in config.selectors:
            _require(fetched, root, config, "empty")
        else:
            _require(fetched, root, config, "card")
    return FoundPage(
        listings=listings,
        has_next=_finds(root, config.selectors["next"]) if "next" in config.selectors else bool(listings),
        total=total,
    )


def page_tree(fetched: Fetched) -> LexborHTMLParser:
    """The parsed page. Raises LayoutError for one whose parsing would keep a worker busy for long."""
    text = fetched.text()
    elements = len(_START_TAG.findall(text))
    if elements > MOST_ELEMENTS or elements * _most_open(text) > MOST_REPEATED:
        message = _("The page has more than %(max)d elements: it was not read.")
        raise LayoutError(message % {"max": MOST_ELEMENTS}, page=fetched)
    return LexborHTMLParser(text)


def _most_open(text: str) -> int:
    """How many formatting elements are open at once: HTML has a parser repeat all of them in every paragraph."""
    most = open_now = 0
    for closing in _FORMATTING_TAG.findall(text):
        open_now = max(0, open_now - 1) if closing else open_now + 1
        most = max(most, open_now)
    return most


def _total(root: LexborNode, config: StorefrontConfig) -> int | None:
    digits = re.sub(r"[\s,.]", "", _value(root, config.selectors.get("total", ())))
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else None


def _require(fetched: Fetched, root: LexborNode, config: StorefrontConfig, name: str) -> None:
    selectors = config.selectors.get(name, ())
    if name == "results" and not selectors:
        return
    if not _finds(root, selectors):
        what = " || ".join(map(str, selectors)) or "schema.org/Product"
        raise LayoutError(
            _("The page no longer matches: “%(what)s” (%(name)s) found nothing.") % {"what": what, "name": name},
            page=fetched,
        )


def _finds(node: LexborNode, selectors: Sequence[Selector]) -> bool:
    return any(node.css_first(selector.css) is not None for selector in selectors if selector.css)


def _value(node: LexborNode, selectors: Sequence[Selector]) -> str:
    for selector in selectors:
        if value := selector.value_in(node):
            return value
    return ""


def _listings(
    cards: Sequence[LexborNode], structured: Sequence[FoundListing], fetched: Fetched, config: StorefrontConfig
) -> list[FoundListing]:
    """One listing a card; a card without an id or a title (an advertisement) is left out, unless all are."""
    known = {listing.item_id: listing for listing in structured}
    found: dict[str, FoundListing] = {}
    for card in cards:
        item_id = _item_id(card, config)
        title = _value(card, config.selectors["title"])
        if item_id and (title or item_id in known):
            found.setdefault(item_id, _listing(card, item_id, title, known.get(item_id), fetched.url, config))
    if cards and not found:
        name = "title" if any(_item_id(card, config) for card in cards) else "item_id"
        message = _("The page no longer matches: “%(what)s” (%(name)s) found nothing.")
        what = " || ".join(map(str, config.selectors[name]))
        raise LayoutError(message % {"what": what, "name": name}, page=fetched)
    return list(found.values())


def _item_id(card: LexborNode, config: StorefrontConfig) -> str:
    value = _value(card, config.selectors["item_id"])
    if config.item_id_pattern is None or not value:
        return value
    match = config.item_id_pattern.search(value)
    return (match[1] or "") if match else ""


def _listing(
    card: LexborNode, item_id: str, title: str, data: FoundListing | None, url: str, config: StorefrontConfig
) -> FoundListing:
    """What the schema.org data says of the item, else what the card shows."""
    value = {name: _value(card, config.selectors.get(name, ())) for name in _OF_CARD}
    price, currency = shown_price(value["price"])
    return FoundListing(
        item_id=item_id,
        title=(data and data.title) or title,
        url=(data and data.url) or web_address(url, value["link"]),
        price=data.price if data and data.price is not None else price,
        currency=((data and data.currency) or config.currency or currency)[:8],
        shop_name=(data and data.shop_name) or value["shop_name"],
        shop_url=(data and data.shop_url) or web_address(url, value["shop_link"]),
        image_url=(data and data.image_url) or web_address(url, value["picture"]),
    )
