"""Pages made to harm whoever reads them: none raises anything but LayoutError, or keeps a worker busy for long."""

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import LayoutError
from crawler.responses import Fetched
from crawler.sources.base import MOST_LISTINGS, FoundPage
from crawler.sources.presets import DEMO_SHOP
from crawler.sources.storefront import MOST_ELEMENTS, PAGE_BYTES, StorefrontConfig, read_page

SHOP = StorefrontConfig.parse(DEMO_SHOP)
CARD = '<li class="card" data-item="{}"><a class="title" href="/items/{}">Tea</a>'


def read(body: bytes, *, charset: str = "utf-8") -> FoundPage:
    return read_page(Fetched(url="http://shop.example/s", content_type="text/html", charset=charset, body=body), SHOP)


# Pieces of what the reader looks at, in any order and nesting, between any bytes.
pieces = st.sampled_from(
    [
        *("<ol class=results>", "</ol>", CARD.format(1, 1), CARD.format("", ""), "</li>", "<p id=total>", "3", "</p>"),
        *("<a class=title>", "<span class=price>", "-1", "9" * 400, "¥", "<img src=//[>", "<a class=next>", "&#xD800;"),
        *('<script type="application/ld+json">', "</script>", '{"@type":"Product","name":"\\ud800","sku":"\\udfff"'),
        *(',"image":[[]]', ',"offers":{"price":1e999}', "}", "[", "]", "<svg>", "<!--", "<![CDATA[", "<plaintext>"),
        *('<div itemscope itemtype="http://schema.org/Product">', "<b itemprop=name>", "<i itemprop=sku content=1>"),
        *("<meta charset=idna>", "<template>", "<table>", "<select>", "\0"),
    ]
).map(str.encode)


@given(st.lists(pieces | st.binary(max_size=12), max_size=30).map(b"".join), st.sampled_from(["", "utf-8", "gbk"]))
def test_any_page_is_listings_or_a_changed_page(body, charset):
    listings, kept = [], None
    try:
        listings = read(body, charset=charset).listings
    except LayoutError as error:
        kept = error.page.body
    assert kept in (None, body)
    for one in listings:
        assert one.item_id
        assert one.title
        repr(one).encode()  # nothing that a document could not hold
        assert one.price is None or 0 <= one.price < float("inf")


def nested(start: str) -> str:
    return start * (PAGE_BYTES // len(start))


@pytest.mark.parametrize(
    "html",
    [
        nested("<div>"),
        nested('<ol class="results"><li class="card">'),
        '<div itemscope itemtype="http://schema.org/Product">' + nested("<p>"),
        '<ol class="results">' + CARD.format(1, 1) + '<span class="price">' + "1" * 3_000_000,
        '<ol class="results">' + nested(CARD.format(1, 1)),
        "<div>" * (MOST_ELEMENTS // 2) + '<p itemscope itemtype="http://schema.org/Product">' * 10_000,
    ],
    ids=["nested", "nested lists", "many properties", "long price", "same card", "deep and wide"],
)
def test_a_page_that_is_costly_to_read_is_given_up_in_seconds(html):
    """Without the bounds the parser alone takes hours for some of them."""
    began = time.monotonic()
    with contextlib.suppress(LayoutError):
        read(html.encode())
    assert time.monotonic() - began < 10


def test_a_page_of_too_many_elements_says_so():
    with pytest.raises(LayoutError, match="more than 30000 elements"):
        read(nested("<div>").encode())


def test_a_small_page_that_a_parser_makes_millions_of_elements_of_is_not_read():
    """Every open formatting element is repeated in every paragraph: 3 million from 60 kilobytes."""
    html = "".join(f"<b id={number}>" for number in range(1000)) + "<p>" * 3000
    with pytest.raises(LayoutError, match="elements"):
        read(html.encode())


def test_a_sloppy_page_with_a_few_open_elements_is_read():
    html = f"{'<font>' * 30}<ol class=results>{CARD.format(1, 1)}</ol>"
    assert len(read(html.encode()).listings) == 1


def test_of_a_page_that_never_ends_only_so_many_listings_are_taken():
    cards = "".join(CARD.format(number, number) for number in range(2000))
    assert len(read(f'<ol class="results">{cards}</ol>'.encode()).listings) == MOST_LISTINGS
