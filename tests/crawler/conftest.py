"""A demo shop of this session, with what tests do to it."""

from collections.abc import Callable

import pytest
import tenacity

from crawler import fetching
from crawler.demo_shop.behaviour import Behaviour
from crawler.demo_shop.catalog import DemoCatalog, DemoGood
from crawler.demo_shop.server import ShopServer
from crawler.models import Source
from crawler.services import SearchResult, crawl_result, crawl_run, search
from mmproject.queue import impatient_redis
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
def own_store(settings, tmp_path) -> None:
    """An empty storage for pictures and raw pages."""
    settings.MEDIA_ROOT = str(tmp_path)


@pytest.fixture
def nothing_counted() -> None:
    """Redis without the searches, breakers and heartbeats of other tests."""
    redis = impatient_redis()
    for pattern in ("searches:*", "breaker:*", "heartbeat:*"):
        if keys := list(redis.scan_iter(pattern)):
            redis.delete(*keys)


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


@pytest.fixture
def files_source(transactional_db: None, settings, tmp_path) -> Source:
    """A source of files, and a store of pictures and uploads of its own."""
    settings.MEDIA_ROOT = str(tmp_path / "media")
    source = Source(id="files", name="Files", kind="files", rate="5000/second", robots=False)
    source.save()
    return source
