"""The contract that the pages build on: `search`, `crawl_result`."""

import contextlib
import threading
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from crawler import locks, services
from crawler.images import read_image
from crawler.models import Crawl, ImageState, Listing, SearchPage, WorkState
from crawler.selectors import cached_page, listings_by_ids
from crawler.services import crawl_result, crawl_retry, crawl_run, crawls_resume, search
from mmproject import queue
from tests.crawler.conftest import good_of
from tests.shop import HOSTILE_TITLE

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def expire(page: SearchPage) -> None:
    long_ago = timezone.now() - timedelta(seconds=1)
    SearchPage.objects.filter(id=page.id).update(fresh_until=long_ago, stale_until=long_ago)


def test_a_first_search_is_pending_and_then_ready(shop, goods, requests_seen):
    first = search(keyword="juice", requested_by="ann")
    assert (first.state, first.listings, first.from_cache, first.page) == ("pending", [], False, 1)
    assert first.crawl.requested_by == "ann"
    assert crawl_result(crawl_id=first.crawl.id).state == "pending"
    crawl_run(crawl_id=first.crawl.id)
    result = crawl_result(crawl_id=first.crawl.id)
    assert result.state == "ready"
    assert len(result.listings) == 20
    assert result.has_next
    assert result.search_page.total > 100
    assert (result.crawl.images_done, result.crawl.images_total) == (20, 20)
    assert requests_seen("pictures") == 20
    for listing in result.listings:
        good = good_of(goods, listing.item_id)
        assert (listing.title, listing.price, listing.currency) == (good.title, good.price, good.currency)
        assert listing.shop_name == good.shop.name
        assert listing.url == f"{shop.address}/items/{good.item_id}"
        assert listing.image_state == ImageState.DONE
        assert read_image(listing.image_sha256)[:3] == b"\xff\xd8\xff"


def test_a_second_search_comes_from_the_cache(crawled, requests_seen):
    ready = crawled("orange juice")
    again = search(keyword="  ORANGE　juice ")
    assert (again.state, again.from_cache, again.crawl) == ("ready", True, None)
    assert [one.id for one in again.listings] == [one.id for one in ready.listings]
    assert (again.has_next, again.error) == (ready.has_next, "")
    assert requests_seen("search") == 1


def test_pages_are_cached_each(shop, crawled):
    first, second = crawled("juice"), crawled("juice", page=2)
    assert not {one.id for one in first.listings} & {one.id for one in second.listings}
    assert search(keyword="juice", page=2).from_cache
    assert cached_page(keyword="Juice", page=2, source="demo-shop").page == 2


def test_the_last_page_has_no_next(shop, crawled):
    total = crawled("marovela orange juice").search_page.total
    last = crawled("marovela orange juice", page=-(-total // 20))
    assert not last.has_next
    assert last.listings


def test_an_expired_page_is_shown_while_it_is_fetched_again(shop, crawled, requests_seen):
    old = crawled("honey")
    expire(old.search_page)
    result = search(keyword="honey")
    assert result.state == "pending"
    assert [one.id for one in result.listings] == [one.id for one in old.listings]
    crawl_run(crawl_id=result.crawl.id)
    assert search(keyword="honey").state == "ready"
    assert requests_seen("search") == 2


def test_force_update_asks_the_shop_though_the_cache_is_fresh(shop, crawled, requests_seen):
    crawled("honey")
    pictures = requests_seen("pictures")
    forced = search(keyword="honey", force_update=True)
    assert forced.state == "pending"
    assert forced.listings
    crawl_run(crawl_id=forced.crawl.id)
    assert requests_seen("search") == 2
    assert requests_seen("pictures") == pictures  # unchanged addresses: stored pictures are shared
    assert Listing.objects.filter(source="demo-shop").count() == 20


def test_a_picture_whose_file_is_gone_is_fetched_again(shop, crawled, requests_seen, settings, tmp_path):
    listing = crawled("honey").listings[0]
    settings.MEDIA_ROOT = str(tmp_path)
    crawled("honey", force_update=True)
    assert read_image(listing.image_sha256)


def test_a_search_that_runs_already_is_joined(shop, requests_seen):
    one, other = search(keyword="honey"), search(keyword="HONEY", force_update=True)
    assert one.crawl.id == other.crawl.id
    crawl_run(crawl_id=one.crawl.id)
    crawl_run(crawl_id=one.crawl.id)  # the task delivered twice
    assert requests_seen("search") == 1


def test_many_at_once_ask_the_shop_once(shop, requests_seen, monkeypatch):
    crawls, errors = [], []
    # Were it not for the lock, all would look for a crawl to join before any has made one.
    meeting, real = threading.Barrier(12), services.open_crawl

    def look(**options):
        found = real(**options)
        with contextlib.suppress(threading.BrokenBarrierError):
            meeting.wait(timeout=1)
        return found

    monkeypatch.setattr(services, "open_crawl", look)

    def ask():
        try:
            result = search(keyword="honey")
            if result.crawl:  # on a busy machine the first may be through before the last has come
                crawls.append(result.crawl.id)
                crawl_run(crawl_id=result.crawl.id)
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert len(set(crawls)) == 1
    assert Crawl.objects.count() == 1
    assert requests_seen("search") == 1
    assert crawl_result(crawl_id=crawls[0]).state == "ready"


def test_who_waited_for_the_lock_finds_what_was_crawled_meanwhile(shop, monkeypatch, requests_seen):
    """The crawl that it would have joined is made and done between its look at the cache and its turn."""
    real = services.open_crawl

    def late(**options):
        monkeypatch.setattr(services, "open_crawl", real)
        other = Crawl.objects.create(
            source="demo-shop",
            keyword="honey",
            page=1,
            created_at=timezone.now(),
            leased_until=timezone.now(),
            **options,
        )
        crawl_run(crawl_id=other.id)
        return real(**options)

    monkeypatch.setattr(services, "open_crawl", late)
    result = search(keyword="honey")
    assert (result.state, result.from_cache, len(result.listings)) == ("ready", True, 20)
    assert (requests_seen("search"), Crawl.objects.count()) == (1, 1)


def test_nothing_found_is_ready_and_cached_briefly(shop, crawled, requests_seen):
    result = crawled("zzzzunknown")
    assert (result.state, result.listings, result.has_next) == ("ready", [], False)
    page = result.search_page
    assert page.stale_until - page.fetched_at == page.fresh_until - page.fetched_at == timedelta(seconds=300)
    assert search(keyword="zzzzunknown").from_cache
    assert requests_seen("search") == 1


def test_a_failure_keeps_what_the_cache_had(shop, crawled, behave):
    good = crawled("honey")
    behave(fail_next=100, status=503, applies_to="search")
    failed = crawled("honey", force_update=True)
    assert failed.state == "failed"
    assert "503" in failed.error
    assert [one.id for one in failed.listings] == [one.id for one in good.listings]
    after = search(keyword="honey")
    assert (after.state, after.from_cache) == ("ready", True)
    assert after.search_page.fetched_at == good.search_page.fetched_at


def test_a_first_search_that_fails_says_why(shop, crawled, behave):
    behave(fail_next=1, status=403)
    result = crawled("honey")
    assert (result.state, result.listings, result.search_page) == ("failed", [], None)
    assert "403 Forbidden" in result.error
    assert result.crawl.finished_at is not None


def test_after_a_failure_the_next_search_tries_again(shop, crawled, behave):
    behave(fail_next=1, status=403)
    assert crawled("honey").state == "failed"
    assert crawled("honey").state == "ready"


def test_a_shop_that_stumbles_is_asked_again_within_the_crawl(shop, crawled, behave, requests_seen):
    behave(fail_next=2, status=429, applies_to="search")
    assert crawled("honey").state == "ready"
    assert requests_seen("search") == 3


def test_a_hostile_title_is_stored_as_it_is(shop, crawled):
    assert crawled("hostile").listings[0].title == HOSTILE_TITLE


def test_without_redis_a_search_is_quick_and_kept_for_later(shop, monkeypatch):
    nowhere = redis.Redis(port=1, socket_connect_timeout=1)
    monkeypatch.setattr(locks, "impatient_redis", lambda: nowhere)
    monkeypatch.setattr(queue, "impatient_redis", lambda: nowhere)
    sent = []
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: sent.append(args))
    result = search(keyword="honey")
    assert (result.state, sent) == ("pending", [])
    assert search(keyword="honey").crawl.id == result.crawl.id
    monkeypatch.undo()
    Crawl.objects.filter(id=result.crawl.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    assert crawls_resume() == 1


def test_without_a_broker_the_crawl_is_kept_for_later(shop, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("Error 111 connecting to Redis. Connection refused.")

    monkeypatch.setattr(current_app, "send_task", away)
    result = search(keyword="honey")
    assert result.state == "pending"
    assert Crawl.objects.get(id=result.crawl.id).state == WorkState.PENDING


@pytest.mark.parametrize(
    ("wrong", "field", "told"),
    [
        ({"keyword": ""}, "keyword", "empty"),
        ({"keyword": " \t\u3000"}, "keyword", "empty"),
        ({"keyword": "x" * 201}, "keyword", "201 characters"),
        ({"keyword": "a\0b"}, "keyword", "not text"),
        ({"keyword": "a\ud800"}, "keyword", "not text"),
        ({"keyword": "x", "page": 0}, "page", "no page 0"),
        ({"keyword": "x", "page": -1}, "page", "no page -1"),
        ({"keyword": "x", "page": 1001}, "page", "1001"),
        ({"keyword": "x", "source": "nowhere"}, "source", "“nowhere” is unknown"),
        ({"keyword": "x", "source": ""}, "source", "unknown"),
    ],
)
def test_what_cannot_be_searched_is_refused(source, wrong, field, told):
    with pytest.raises(ValidationError) as error:
        search(**wrong)
    assert told in error.value.message_dict[field][0]
    assert not Crawl.objects.exists()


def test_without_any_source_it_says_so():
    with pytest.raises(ValidationError, match="No source is configured"):
        search(keyword="x")


def test_an_unknown_crawl_is_a_failure_that_says_so():
    result = crawl_result(crawl_id="no-such-crawl")
    assert result.state == "failed"
    assert "search again" in result.error


def test_a_cancelled_crawl_is_a_failure_that_says_so(source):
    crawl = search(keyword="honey").crawl
    Crawl.objects.filter(id=crawl.id).update(state=WorkState.CANCELLED)
    assert "cancelled" in crawl_result(crawl_id=crawl.id).error


def test_a_retry_is_a_crawl_of_its_own(shop, crawled, behave):
    behave(fail_next=1, status=403)
    failed = crawled("honey").crawl
    again = crawl_retry(crawl=failed)
    assert again.crawl.id != failed.id
    crawl_run(crawl_id=again.crawl.id)
    assert crawl_result(crawl_id=again.crawl.id).state == "ready"


def test_listings_come_in_the_order_asked_for(shop, crawled, django_assert_num_queries):
    ids = [one.id for one in crawled("honey").listings]
    asked = [ids[3], "unknown", ids[0], ids[7]]
    with django_assert_num_queries(1, using="mongo"):
        assert [one.id for one in listings_by_ids(asked)] == [ids[3], ids[0], ids[7]]
    assert listings_by_ids([]) == []
