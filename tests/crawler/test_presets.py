"""The ready-made sources, against pages made by hand in the layouts that they are for."""

import json
import re
from pathlib import Path

import pytest

from crawler.errors import LayoutError
from crawler.models import Source
from crawler.responses import Fetched
from crawler.sources import check_config
from crawler.sources.base import search_address
from crawler.sources.platform import PlatformConfig
from crawler.sources.presets import DEMO_SHOP, PRESETS
from crawler.sources.storefront import StorefrontConfig, read_page
from mmproject.environment import BASE_DIR

PAGES = Path(__file__).parent / "pages"


def read(name: str, page: str, *, encoding: str, change: tuple[str, str] = ("", "")):
    preset = PRESETS[name]
    html = (PAGES / page).read_text(encoding="utf-8").replace(*change)
    fetched = Fetched(
        url=f"{preset['base_url']}search", content_type="text/html", charset="", body=html.encode(encoding)
    )
    return read_page(fetched, StorefrontConfig.parse(preset["config"]))


@pytest.mark.parametrize("name", PRESETS)
def test_each_is_a_source_that_can_be_opened_and_keeps_to_robots_txt(name):
    source = Source(id=name, **PRESETS[name])
    source.clean_fields()
    check_config(source)
    assert source.robots


def test_the_examples_of_the_documentation_can_be_used():
    text = (BASE_DIR / "docs" / "sources.md").read_text(encoding="utf-8")
    shop, platform = map(json.loads, re.findall(r"```json\n(.*?)```", text, re.DOTALL))
    StorefrontConfig.parse(shop)
    PlatformConfig.parse(platform)


@pytest.mark.parametrize("name", ["tmall", "taobao"])
def test_a_shop_of_strangers_is_asked_slowly_and_nobody_else_is(name):
    preset = PRESETS[name]
    assert preset["rate"] == "6/minute"
    assert preset["hosts"].split() == [
        *("tmall.com", "*.tmall.com", "taobao.com", "*.taobao.com", "alicdn.com", "*.alicdn.com"),
    ]


def test_tmall_is_asked_in_gbk_by_offset():
    config = StorefrontConfig.parse(PRESETS["tmall"]["config"])
    address = search_address(
        config.search_url,
        base_url=PRESETS["tmall"]["base_url"],
        keyword="绿茶 a",
        page=3,
        page_size=config.page_size,
        encoding=config.encoding,
    )
    assert address == "https://list.tmall.com/search_product.htm?q=%C2%CC%B2%E8+a&s=120&sort=s&style=g"


def test_it_reads_tmall():
    found = read("tmall", "tmall.html", encoding="gbk")
    assert (found.total, found.has_next) == (36216, True)
    assert [one.item_id for one in found.listings] == ["610000000001", "610000000002", "610000000003"]
    first, second, third = found.listings
    assert (first.title, first.price, first.currency) == ("明前龙井 绿茶 250g 礼盒装", 39.9, "CNY")
    assert first.url == "https://detail.tmall.com/item.htm?id=610000000001&skuId=41"
    assert first.shop_name == "龙井旗舰店"
    assert first.shop_url == "https://store.taobao.com/search.htm?user_number_id=11"
    assert first.image_url == "https://img.alicdn.com/bao/uploaded/i1/TB1first.jpg_b.jpg"
    assert "碧螺春" in second.title
    assert "特级" in second.title
    assert (second.price, second.shop_name, second.shop_url) == (1288.0, "茶叶专营店", "https://shop2.tmall.com/")
    assert second.image_url == "https://img.alicdn.com/bao/uploaded/i2/TB1second.jpg_b.jpg"
    assert (third.title, third.price, third.shop_name) == ("毛峰 散装", 15.0, "")
    assert third.image_url == "https://img.alicdn.com/bao/uploaded/i3/TB1third.jpg"


def test_the_last_page_of_tmall_has_no_next():
    last = read("tmall", "tmall.html", encoding="gbk", change=('<a class="ui-page-next"', '<b class="ui-page-next"'))
    assert not last.has_next


def test_tmall_may_find_nothing():
    assert read("tmall", "tmall_empty.html", encoding="gbk").listings == []


@pytest.mark.parametrize("name", ["tmall", "taobao"])
def test_a_sign_in_page_is_told_as_a_page_that_does_not_match(name):
    with pytest.raises(LayoutError, match=r"no longer matches: “#.*\(results\)"):
        read(name, "tmall_sign_in.html", encoding="gbk")


def test_it_reads_taobao():
    found = read("taobao", "taobao.html", encoding="utf-8")
    assert (found.has_next, [one.item_id for one in found.listings]) == (True, ["520000000001", "520000000002"])
    first, second = found.listings
    assert (first.title, first.price, first.currency) == ("高山绿茶 500g 袋装", 52.9, "CNY")
    assert (first.shop_name, first.shop_url) == ("山里人家", "https://store.taobao.com/shop.htm?user_number_id=5")
    assert first.image_url == "https://g-search1.alicdn.com/img/bao/first.jpg"
    assert (second.title, second.price, second.shop_name) == ("茉莉花茶 绿茶", 9.9, "花茶小铺")
    assert second.url == "https://item.taobao.com/item.htm?id=520000000002&ns=1"
    assert second.image_url == "https://g-search2.alicdn.com/img/bao/second.jpg"


def test_the_last_page_of_taobao_has_no_next():
    change = ('class="item next"', 'class="item next next-disabled"')
    assert not read("taobao", "taobao.html", encoding="utf-8", change=change).has_next


@pytest.mark.django_db(databases=["default", "mongo"], transaction=True)
class TestDemo:
    @pytest.mark.parametrize("name", ["demo-shop", "platform"])
    def test_those_of_the_demo_shop_find_what_it_sells(self, shop, goods, crawled, name):
        Source.objects.all().delete()
        Source.objects.create(id=name, **{**PRESETS[name], "base_url": shop.address, "rate": "5000/second"})
        result = crawled("橙汁 果汁", page=2)
        assert (result.state, result.error, len(result.listings), result.has_next) == ("ready", "", 20, True)
        truth = {good.item_id: good for good in goods.goods}
        for one in result.listings:
            good = truth[one.item_id]
            assert (one.title, one.price, one.currency) == (good.title, good.price, good.currency)
            assert (one.shop_name, one.shop_url) == (good.shop.name, f"{shop.address}/shops/{good.shop.id}")
            assert one.image_sha256

    def test_the_demo_source_is_the_preset(self, source):
        assert source.config == DEMO_SHOP
