"""Whatever an operator types into a source's configuration: it works, or it is told what is wrong."""

from urllib.parse import unquote_to_bytes, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.errors import ConfigError
from crawler.sources.base import ConfigReader, search_address, web_address
from crawler.sources.storefront import Selector, StorefrontConfig

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda part: st.lists(part, max_size=3) | st.dictionaries(st.text(max_size=8), part, max_size=3),
    max_leaves=8,
)
NAMES = ["search_url", "encoding", "page_size", "currency", "item_id_pattern", "selectors"]
css_pieces = st.sampled_from(["a", ".b", "#c", "[d", "]", "=", '"', ":not(", ")", *">~+*,.: @é"])


def tried(read):
    """What `read` returns, or the ConfigError that it raises; anything else is a bug."""
    try:
        return read(), None
    except ConfigError as error:
        return None, error


@given(anything, st.sampled_from(NAMES))
@example({"encoding": "undefined"}, "encoding")
@example({"encoding": "utf\0"}, "encoding")
@example({"encoding": "\ud800"}, "encoding")
def test_any_json_is_read_or_told_with_its_key(values, name):
    known = {*NAMES, *(values if isinstance(values, dict) else ())}
    reader, error = tried(lambda: ConfigReader(values, known=known))
    assert (error is None) == isinstance(values, dict)
    for key in [name, *values] if reader else ():
        for read in (reader.text, reader.texts, reader.encoding):
            tried(lambda key=key, read=read: read(key))
        tried(lambda key=key: reader.number(key, 1))
        tried(lambda key=key: reader.part(key, known=set()))


@given(st.dictionaries(st.sampled_from(NAMES), anything | st.text(max_size=30)))
@example({"search_url": "s?q={keyword}", "selectors": {"card": "@data-id", "item_id": "a", "title": "a"}})
@example({"search_url": "s?q={keyword}", "item_id_pattern": "(" * 5000})
def test_any_storefront_is_usable_or_a_configuration_error(values):
    tried(lambda: StorefrontConfig.parse(values))


@given(st.text(max_size=30) | st.lists(css_pieces, max_size=8).map("".join))
@example("@data-id")
@example("a\0@b")
@example("\ud800")
def test_a_selector_is_refused_or_finds_something_or_nothing(text):
    from selectolax.lexbor import LexborHTMLParser

    try:
        selector = Selector.parse(text)
    except ValueError:
        return
    assert Selector.parse(str(selector)) == selector
    assert isinstance(selector.value_in(LexborHTMLParser("<a class=b d=e>x</a>").root), str)


@pytest.mark.parametrize("name", ["card", "results", "next", "total", "empty"])
def test_an_attribute_of_the_card_cannot_be_looked_for_in_the_page(name):
    selectors = {"card": "li", "item_id": "@data-id", "title": "a", name: "@data-id"}
    with pytest.raises(ConfigError, match=f"selectors.{name}='@data-id'"):
        StorefrontConfig.parse({"search_url": "s?q={keyword}", "selectors": selectors})


@given(
    st.text(max_size=20),
    st.integers(1, 1000),
    st.sampled_from(["utf-8", "gbk", "gb18030", "latin-1"]),
)
def test_the_keyword_reaches_the_shop_as_it_was_typed(keyword, page, encoding):
    """Or with question marks where the shop's encoding does not know a character; it never becomes part of the rest."""
    address = search_address(
        "list?q={keyword}&s={offset}&p={page}#{keyword}",
        base_url="https://shop.example/a/",
        keyword=keyword,
        page=page,
        page_size=60,
        encoding=encoding,
    )
    parts = urlsplit(address)
    assert (parts.netloc, parts.path) == ("shop.example", "/a/list")
    typed, offset, number = parts.query.split("&")
    assert (offset, number) == (f"s={(page - 1) * 60}", f"p={page}")
    sent = unquote_to_bytes(typed.removeprefix("q=").replace("+", " "))
    assert sent == keyword.encode(encoding, errors="replace")


@given(st.text(max_size=40), st.text(max_size=40))
@example("http://[{keyword}", "")
@example("//[::1", "http://a/")
def test_any_template_makes_an_address_or_a_configuration_error(template, base):
    values = {"base_url": base, "keyword": "茶 a", "page": 2, "page_size": 5, "encoding": "gbk"}
    tried(lambda: search_address(template, **values))


link_pieces = st.sampled_from(["http", "https", "javascript", "//", "shop.example", *":/[]@\\ \n\0"])
links = st.text(max_size=40) | st.lists(link_pieces, max_size=8).map("".join)


@given(links)
@example("http:")
@example("https:///x")
@example("JaVaScRiPt:alert(1)")
def test_a_link_is_a_web_address_or_nothing(link):
    address = web_address("https://shop.example/search", link)
    if address:
        assert urlsplit(address).scheme in ("http", "https")
        assert urlsplit(address).hostname
    assert not address.lower().startswith("javascript")
