"""A shop's search page, read by selectors and by its schema.org data."""

import json

import pytest

from crawler.errors import ConfigError, LayoutError
from crawler.models import Source
from crawler.responses import Fetched
from crawler.sources import open_source
from crawler.sources.presets import DEMO_SHOP
from crawler.sources.storefront import StorefrontConfig, read_page

URL = "http://shop.example/search?q=x"


def fetched(html: str | bytes, *, charset: str = "utf-8") -> Fetched:
    body = html.encode(charset) if isinstance(html, str) else html
    return Fetched(url=URL, content_type="text/html", charset=charset, body=body)


def page(cards: str = "", *, data: str = "", total: str = "3") -> str:
    return f'<p><span id="total">{total}</span></p><ol class="results">{cards}</ol>{data}'


def card(item="7", *, title="Tea", price="¥3.50", link="/items/7", picture="/pictures/7.jpg") -> str:
    return (
        f'<li class="card" data-item="{item}"><img src="{picture}"><a class="title" href="{link}">{title}</a>'
        f'<span class="price">{price}</span><a class="shop" href="/shops/s1">Corner</a></li>'
    )


def found(html: str | bytes, *, charset: str = "utf-8", **changes):
    return read_page(fetched(html, charset=charset), StorefrontConfig.parse({**DEMO_SHOP, **changes}))


def parsed(html: str, **changes):
    return found(html, **changes).listings


def json_ld(data: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
def test_it_reads_the_goods_of_the_shop(shop, goods):
    with open_source("demo-shop") as source:
        found = source.search("橙汁 果汁", 2)
        assert source.requests == 1
    assert len(found.listings) == 20
    truth = {good.item_id: good for good in goods.goods}
    for one in found.listings:
        good = truth[one.item_id]
        assert (one.title, one.price, one.currency) == (good.title, good.price, good.currency)
        assert (one.shop_name, one.shop_url) == (good.shop.name, f"{shop.address}/shops/{good.shop.id}")
        assert one.image_url == f"{shop.address}/pictures/{good.item_id}.jpg"


@pytest.mark.parametrize("data", ["", '<script type="application/ld+json">{nope</script>', json_ld([1])])
def test_the_cards_are_enough_where_the_json_ld_is_broken(data):
    (one,) = parsed(page(card(), data=data))
    assert (one.title, one.price, one.currency, one.shop_name) == ("Tea", 3.5, "¥", "Corner")
    assert one.url == "http://shop.example/items/7"


@pytest.mark.parametrize("price", ["", "ask us", "NaN"])
def test_a_price_that_is_none_is_none(price):
    assert parsed(page(card(price=price)))[0].price is None


@pytest.mark.parametrize("price", ["NaN", "-1", "1e999", None, []])
def test_an_offer_whose_price_is_no_price_has_none(price):
    data = json_ld({"@type": "Product", "sku": "7", "name": "Tea", "offers": {"price": price}})
    assert parsed(page(card(price=""), data=data))[0].price is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "", "http://[bad"])
def test_only_web_addresses_become_links(link):
    (one,) = parsed(page(card(link=link, picture=link)))
    assert (one.url, one.image_url) == ("", "")


def test_an_item_shown_twice_is_one_listing():
    assert len(parsed(page(card() + card(title="Tea again")))) == 1


def test_an_advertisement_between_the_cards_is_left_out():
    assert [one.item_id for one in parsed(page('<li class="card">Buy!</li>' + card()))] == ["7"]


def test_an_empty_page_is_no_error():
    nothing = found(page(total="0"))
    assert (nothing.listings, nothing.has_next, nothing.total) == ([], False, 0)


@pytest.mark.parametrize(
    ("html", "selector"),
    [
        ("", r"ol\.results"),
        (page(""), r"li\.card"),
        (page('<li class="card"><a class="title">x</a></li>'), "@data-item"),
        (page('<li class="card" data-item="7"></li>'), r"a\.title"),
    ],
)
def test_a_page_that_changed_shape_says_which_selector_found_nothing_and_carries_the_page(html, selector):
    with pytest.raises(LayoutError, match=f"no longer matches: “.*{selector}") as error:
        found(html)
    assert error.value.page.body == html.encode()


def test_a_page_that_says_it_is_empty_is_no_error():
    selectors = {**DEMO_SHOP["selectors"], "empty": ".none"}
    assert parsed(page('<p class="none">Nothing</p>'), selectors=selectors) == []
    with pytest.raises(LayoutError, match=r"\.none"):
        found(page(), selectors=selectors)


def test_of_several_selectors_the_first_that_finds_something_counts():
    selectors = {**DEMO_SHOP["selectors"], "picture": ["img@data-src", "img@src"]}
    lazy = card().replace("<img ", '<img data-src="/lazy.jpg" ')
    assert parsed(page(lazy), selectors=selectors)[0].image_url == "http://shop.example/lazy.jpg"
    assert parsed(page(card()), selectors=selectors)[0].image_url == "http://shop.example/pictures/7.jpg"


def test_the_id_is_taken_out_of_a_link():
    selectors = {**DEMO_SHOP["selectors"], "item_id": "a.title@href"}
    changes = {"selectors": selectors, "item_id_pattern": r"[?&]id=(\d+)"}
    assert parsed(page(card(link="/item.htm?spm=1&id=6543")), **changes)[0].item_id == "6543"


PRODUCT = {
    "@type": "Product",
    "sku": "9",
    "name": "Green tea",
    "image": ["/a.jpg", "/b.jpg"],
    "url": "/items/9",
    "offers": [{"@type": "Offer", "price": "12.5", "priceCurrency": "EUR", "seller": {"name": "Tea house"}}],
}


@pytest.mark.parametrize(
    "wrapped",
    [
        PRODUCT,
        [PRODUCT],
        {"@graph": [{"@type": "WebSite"}, PRODUCT]},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": PRODUCT}]},
        {**PRODUCT, "@type": ["http://schema.org/Product"]},
    ],
)
def test_schema_org_data_alone_is_enough(wrapped):
    (one,) = parsed(
        json_ld({"@context": "https://schema.org", **wrapped} if isinstance(wrapped, dict) else wrapped), selectors={}
    )
    assert (one.item_id, one.title, one.price, one.currency, one.shop_name) == (
        "9",
        "Green tea",
        12.5,
        "EUR",
        "Tea house",
    )
    assert (one.url, one.image_url) == ("http://shop.example/items/9", "http://shop.example/a.jpg")


def test_microdata_is_read():
    html = """
      <div itemscope itemtype="https://schema.org/Product"><meta itemprop="sku" content="5">
        <a itemprop="url" href="/items/5"><h2 itemprop="name">Oolong</h2><img itemprop="image" src="/5.jpg"></a>
        <div itemprop="offers" itemscope itemtype="https://schema.org/Offer"><span itemprop="price">8.90</span>
          <meta itemprop="priceCurrency" content="CNY">
          <i itemprop="seller" itemscope itemtype="https://schema.org/Organization"><b itemprop="name">Lu Yu</b></i>
        </div></div>"""
    (one,) = parsed(html, selectors={})
    assert (one.item_id, one.title, one.price, one.currency, one.shop_name) == ("5", "Oolong", 8.9, "CNY", "Lu Yu")
    assert (one.url, one.image_url) == ("http://shop.example/items/5", "http://shop.example/5.jpg")


@pytest.mark.parametrize("depth", [50, 5000])
def test_data_nested_without_end_is_left_out(depth):
    html = f'<script type="application/ld+json">{"[" * depth}{"]" * depth}</script>'
    assert len(parsed(page(card(), data=html))) == 1


@pytest.mark.parametrize("said", ["", "gbk", "gb2312"])
def test_a_page_in_gbk_is_read_whether_it_says_so_or_not(said):
    (one,) = parsed_bytes(page(card(title="龙井绿茶 碧螺春 一级 特价", price="￥3")).encode("gbk"), charset=said)
    assert one.title == "龙井绿茶 碧螺春 一级 特价"


def test_a_page_may_name_its_encoding_itself():
    html = '<meta charset="gbk">' + page(card(title="龙井", price="￥3"))
    assert parsed_bytes(html.encode("gbk"), charset="")[0].title == "龙井"


def test_bytes_that_are_no_text_become_replacement_characters():
    (one,) = parsed_bytes(page(card(title="Tea")).encode().replace(b"Tea", b"T\xff\xfea"), charset="utf-8")
    assert one.title.startswith("T\ufffd")
    assert one.title.endswith("a")


def test_an_encoding_that_does_not_exist_is_passed_over():
    assert parsed_bytes(page(card(title="Thé")).encode(), charset="klingon")[0].title == "Thé"


def parsed_bytes(body: bytes, *, charset: str):
    one = Fetched(url=URL, content_type="text/html", charset=charset, body=body)
    return read_page(one, StorefrontConfig.parse(DEMO_SHOP)).listings


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ([], "config should be a JSON object"),
        ({}, "search_url=None should be a text"),
        ({"search_url": "search"}, "keyword"),
        ({"search_url": "s?q={keyword}", "colour": 1}, "colour is unknown here"),
        ({"search_url": "s?q={keyword}", "encoding": "klingon"}, "encoding='klingon'"),
        ({"search_url": "s?q={keyword}", "page_size": 0}, "page_size=0 should be a whole number from 1"),
        ({"search_url": "s?q={keyword}", "page_size": True}, "page_size=True"),
        ({"search_url": "s?q={keyword}", "item_id_pattern": "("}, r"item_id_pattern='\('"),
        ({"search_url": "s?q={keyword}", "item_id_pattern": "x"}, "needs one group"),
        ({"search_url": "s?q={keyword}", "selectors": "x"}, "selectors should be a JSON object"),
        ({"search_url": "s?q={keyword}", "selectors": {"colour": "b"}}, "selectors.colour is unknown"),
        ({"search_url": "s?q={keyword}", "selectors": {"card": "p["}}, r"selectors\.card='p\['"),
        ({"search_url": "s?q={keyword}", "selectors": {"card": "li"}}, "item_id and title are needed"),
        ({"search_url": "s?q={keyword}", "selectors": {"card": [""]}}, "selectors.card"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_key_and_value(config, told):
    with pytest.raises(ConfigError, match=told) as error:
        StorefrontConfig.parse(config)
    assert error.value.field == "config"


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
class TestOpening:
    def test_an_unknown_source_is_told(self):
        with pytest.raises(ConfigError, match="“nowhere” is not configured"):
            open_source("nowhere")

    def test_a_source_that_is_switched_off_is_told(self, source):
        Source.objects.update(enabled=False)
        with pytest.raises(ConfigError, match="is switched off"):
            open_source(source.id)

    @pytest.mark.parametrize(
        ("field", "value", "told"),
        [
            ("rate", "often", "“often” is no rate"),
            ("rate", "0/second", "“0/second” is no rate"),
            ("headers", ["x"], "JSON object of texts"),
            ("headers", {"X": 1}, "JSON object of texts"),
            ("headers", {"a b": "x"}, "“a b” cannot be sent"),
            ("headers", {"X": "a\r\nHost: evil"}, "cannot be sent"),
            ("headers", {"X": "é"}, "cannot be sent"),
            ("headers", {"HOST": "evil"}, "“HOST” is set by the crawler itself"),
            ("headers", {"User-Agent": "Mozilla/5.0"}, "“User-Agent” is set by the crawler itself"),
            ("headers", {"X": "${SECRET_KEY}"}, "CRAWLER_SECRET_"),
            ("base_url", "http://x:port/", "not an address"),
        ],
    )
    def test_a_field_that_cannot_be_used_is_named(self, source, field, value, told):
        setattr(source, field, value)
        source.save()
        with pytest.raises(ConfigError, match=told) as error:
            open_source(source.id)
        assert error.value.field == field

    def test_secrets_come_from_the_environment(self, source, shop, monkeypatch):
        from crawler.sources import opening

        monkeypatch.setenv("CRAWLER_SECRET_SESSION", "s3cr3t")
        assert opening._headers({"X": " ${CRAWLER_SECRET_SESSION}\n"}) == {"X": "s3cr3t"}  # as files end
        assert opening._headers({"Cookie": "id=${CRAWLER_SECRET_SESSION}; x"}) == {"Cookie": "id=s3cr3t; x"}
