"""A demo shop of this session, with what tests do to it."""

from collections.abc import Callable

import pytest
import tenacity

from crawler import fetching
from crawler.demo_shop.behaviour import Behaviour
from crawler.demo_shop.catalog import DemoCatalog, DemoGood
from crawler.demo_shop.server import ShopServer
from crawler.services import SearchResult, crawl_result, crawl_run, search
from tests.crawler.unharmed import again, before, hurried

__all__ = ["again", "before", "hurried"]


@pytest.fixture
def behave(shop: ShopServer) -> Callable[..., None]:
    """`behave(fail_next=2)`: how the shop is from now on; nothing given is well."""
    return lambda **values: shop.conduct.behave(Behaviour.parse(values))


@pytest.fixture
def requests_seen(shop: ShopServer) -> Callable[[str], int]:
    """`requests_seen("search")`: how often the shop was asked for a search, or "pictures"."""
    return lambda area: shop.conduct.stats()["requests"].get(area, 0)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch) -> None:
    """No pauses between tries: the tests of the pauses set their own."""
    monkeypatch.setattr(fetching, "_backoff", tenacity.wait_none())


@pytest.fixture
def crawled() -> Callable[..., SearchResult]:
    """`crawled("juice", page=2)`: search, do the crawl here as a worker would, and tell the outcome."""

    def do(keyword: str, **options) -> SearchResult:
        result = search(keyword=keyword, **options)
        assert result.crawl is not None, "answered from the cache"
        crawl_run(crawl_id=result.crawl.id)
        return crawl_result(crawl_id=result.crawl.id)

    return do


def good_of(goods: DemoCatalog, item_id: str) -> DemoGood:
    return next(good for good in goods.goods if good.item_id == item_id)
