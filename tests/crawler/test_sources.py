import pytest

from crawler.errors import ParseError
from crawler.sources import default_source, get_source, source_names
from crawler.sources.demo_shop import DemoShop, parse_search_page

URL = "http://shop.example/search?q=x"


def page(cards: str = "", *, data: str = "", total: str = "3") -> str:
    return f'<p><span id="total">{total}</span></p><ol class="results">{cards}</ol>{data}'


def card(item="7", *, title="Tea", price="¥3.50", link="/items/7", picture="/pictures/7.jpg") -> str:
    return (
        f'<li class="card" data-item="{item}"><img src="{picture}"><a class="title" href="{link}">{title}</a>'
        f'<span class="price">{price}</span><a class="shop" href="/shops/s1">Corner</a></li>'
    )


def parsed(html: str):
    return parse_search_page(html, url=URL).listings


def test_the_configured_source_is_the_default():
    assert default_source() == "demo-shop"
    assert list(source_names()) == ["demo-shop"]
    assert isinstance(get_source("demo-shop"), DemoShop)


def test_an_unknown_source_is_told():
    with pytest.raises(LookupError, match="'nowhere' is not configured: use one of demo-shop"):
        get_source("nowhere")


def test_without_sources_there_is_no_default(settings):
    settings.CRAWLER_SOURCES = {}
    with pytest.raises(LookupError, match="CRAWLER_SOURCES is empty"):
        default_source()


def test_it_reads_the_goods_of_the_shop(shop, goods):
    source = get_source("demo-shop")
    found = source.search("橙汁 果汁", 2)
    source.close()
    assert len(found.listings) == 20
    truth = {good.item_id: good for good in goods.goods}
    for one in found.listings:
        good = truth[one.item_id]
        assert (one.title, one.price, one.currency) == (good.title, good.price, good.currency)
        assert (one.shop_name, one.shop_url) == (good.shop.name, f"{shop.address}/shops/{good.shop.id}")
        assert one.image_url == f"{shop.address}/pictures/{good.item_id}.jpg"


def test_the_cards_are_enough_where_the_json_ld_is_broken():
    for data in (
        "",
        '<script type="application/ld+json">{nope</script>',
        '<script type="application/ld+json">[1]</script>',
    ):
        (one,) = parsed(page(card(), data=data))
        assert (one.title, one.price, one.currency, one.shop_name) == ("Tea", 3.5, "¥", "Corner")
        assert one.url == "http://shop.example/items/7"


@pytest.mark.parametrize("price", ["", "ask us", "NaN"])
def test_a_price_that_is_none_is_none(price):
    assert parsed(page(card(price=price)))[0].price is None


@pytest.mark.parametrize("offer", ['"NaN"', '"-1"', '"1e999"', "null", "[]"])
def test_an_offer_whose_price_is_no_price_has_none(offer):
    item = '{"item": {"sku": "7", "offers": {"price": %s}}}'
    data = f'<script type="application/ld+json">{{"itemListElement": [{item}]}}</script>'
    assert parsed(page(card(price=""), data=data % offer))[0].price is None


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "", "http://[bad"])
def test_only_web_addresses_become_links(link):
    (one,) = parsed(page(card(link=link, picture=link)))
    assert (one.url, one.image_url) == ("", "")


def test_an_item_shown_twice_is_one_listing():
    assert len(parsed(page(card() + card(title="Tea again")))) == 1


def test_an_empty_page_is_no_error():
    found = parse_search_page(page(total="0"), url=URL)
    assert (found.listings, found.has_next, found.total) == ([], False, 0)


@pytest.mark.parametrize(
    ("html", "selector"),
    [
        ("", "#total"),
        ('<span id="total">3</span>', "ol.results"),
        (page('<li class="card"><a class="title">x</a></li>'), r"li\.card\[data-item\]"),
        (page('<li class="card" data-item="7"></li>'), r"a\.title"),
    ],
)
def test_a_page_laid_out_otherwise_says_what_found_nothing(html, selector):
    with pytest.raises(ParseError, match=selector):
        parse_search_page(html, url=URL)
