"""The contract that the pages build on: `search`, `crawl_result`."""

import contextlib
import threading
import time
from datetime import timedelta

import pytest
import redis
from celery import current_app
from django.core.exceptions import ValidationError
from django.db import connections
from django.utils import timezone
from kombu.exceptions import OperationalError

from crawler import crawling, locks, services, traffic
from crawler.images import read_image
from crawler.models import Crawl, CrawlReason, ImageState, Listing, SearchPage, Source, WorkState
from crawler.selectors import cached_page, listings_by_ids
from crawler.services import crawl_cancel, crawl_result, crawl_retry, crawl_run, crawls_resume, search
from mmproject import queue
from tests.crawler.conftest import good_of
from tests.shop import HOSTILE_TITLE
from tests.workers import eventually

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


def make_stale(page: SearchPage) -> None:
    now = timezone.now()
    SearchPage.objects.filter(id=page.id).update(
        fetched_at=now - timedelta(days=2), fresh_until=now - timedelta(days=1), stale_until=now + timedelta(days=1)
    )


def test_an_expired_page_is_waited_for(shop, crawled, requests_seen):
    old = crawled("honey")
    expire(old.search_page)
    result = search(keyword="honey")
    assert (result.state, result.stale_reason) == ("pending", "")
    assert [one.id for one in result.listings] == [one.id for one in old.listings]
    crawl_run(crawl_id=result.crawl.id)
    assert search(keyword="honey").state == "ready"
    assert requests_seen("search") == 2


def test_a_stale_page_is_served_at_once_while_it_is_fetched_again(shop, crawled, requests_seen):
    old = crawled("honey")
    make_stale(old.search_page)
    result = search(keyword="honey")
    assert (result.state, result.from_cache, len(result.listings)) == ("ready", True, 20)
    assert result.stale_reason == "Fetched 2\xa0days ago; it is being fetched again."
    assert result.crawl.reason == CrawlReason.REFRESH
    assert search(keyword="honey").crawl.id == result.crawl.id  # looked at twice, fetched once
    crawl_run(crawl_id=result.crawl.id)
    fresh = search(keyword="honey")
    assert (fresh.state, fresh.crawl, fresh.stale_reason) == ("ready", None, "")
    assert requests_seen("search") == 2


def test_a_stale_page_whose_refresh_failed_says_so_and_is_not_asked_for_at_every_look(
    shop, crawled, behave, requests_seen
):
    make_stale(crawled("honey").search_page)
    behave(fail_next=100, status=403)
    crawl_run(crawl_id=search(keyword="honey").crawl.id)
    result = search(keyword="honey")
    assert (result.state, len(result.listings)) == ("ready", 20)
    assert "fetching it again failed: 127.0.0.1 answered 403" in result.stale_reason
    assert Crawl.objects.count() == 2
    Crawl.objects.filter(id=result.crawl.id).update(finished_at=timezone.now() - timedelta(minutes=2))
    assert search(keyword="honey").crawl.id != result.crawl.id


def test_whoever_waits_too_long_gets_the_old_page_with_a_note(shop, crawled):
    old = crawled("honey")
    crawl = search(keyword="honey", force_update=True).crawl
    assert crawl_result(crawl_id=crawl.id).state == "pending"
    Crawl.objects.filter(id=crawl.id).update(created_at=timezone.now() - services.PATIENCE - timedelta(seconds=1))
    result = crawl_result(crawl_id=crawl.id)
    assert (result.state, result.from_cache) == ("ready", True)
    assert [one.id for one in result.listings] == [one.id for one in old.listings]
    assert "takes long to answer" in result.stale_reason


def test_without_an_old_page_one_goes_on_waiting(shop):
    crawl = search(keyword="honey").crawl
    Crawl.objects.filter(id=crawl.id).update(created_at=timezone.now() - timedelta(hours=1))
    assert crawl_result(crawl_id=crawl.id).state == "pending"


def test_one_may_wait_for_the_outcome(shop):
    def work() -> None:
        try:
            crawl_run(crawl_id=eventually(Crawl.objects.first, what="the crawl").id)
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)
    worker.start()
    result = search(keyword="honey", wait_s=30)
    worker.join()
    assert (result.state, len(result.listings)) == ("ready", 20)


def test_waiting_ends_in_time(shop):
    began = time.monotonic()
    assert search(keyword="honey", wait_s=0.3).state == "pending"
    assert 0.3 <= time.monotonic() - began < 5


def test_a_crawl_tells_what_it_cost_and_why_it_was_made(shop, crawled):
    first = crawled("honey").crawl
    assert (first.requests, first.reason, first.attempts) == (21, CrawlReason.SEARCH, 1)
    assert first.created_at <= first.started_at <= first.finished_at
    forced = crawled("honey", force_update=True).crawl
    assert (forced.requests, forced.reason) == (1, CrawlReason.FORCED)


def test_answers_are_counted_by_source(shop, crawled):
    before = traffic.answers("demo-shop", hours=2)
    page = crawled("honey").search_page
    search(keyword="honey")
    crawled("honey", force_update=True)
    make_stale(page)
    search(keyword="honey")
    assert traffic.answers("demo-shop", hours=2) - before == {"miss": 1, "hit": 1, "forced": 1, "stale": 1}


def test_a_cancelled_crawl_writes_nothing_more(shop, monkeypatch):
    crawl = search(keyword="honey").crawl
    real = crawling.listings_write

    def cancelled_meanwhile(**options):
        assert crawl_cancel(crawl=crawl)
        return real(**options)

    monkeypatch.setattr(crawling, "listings_write", cancelled_meanwhile)
    crawl_run(crawl_id=crawl.id)
    assert Crawl.objects.get().state == WorkState.CANCELLED
    assert not SearchPage.objects.exists()
    assert not crawl_cancel(crawl=crawl)  # nothing is left to end
    assert "cancelled" in crawl_result(crawl_id=crawl.id).error


def test_sources_are_cached_apart_and_the_first_enabled_one_is_asked(shop, source, crawled):
    crawled("honey")
    Source(id="other", name="Other", kind=source.kind, base_url=source.base_url, config=source.config, position=2,
           rate="5000/second", robots=False).save()  # fmt: skip
    assert search(keyword="honey").from_cache
    assert crawled("honey", source="other").listings[0].source == "other"
    assert Listing.objects.count() == 40
    source.enabled = False
    source.save()
    assert search(keyword="honey").source == "other"
    with pytest.raises(ValidationError, match="“demo-shop” is unknown: use one of other"):
        search(keyword="honey", source="demo-shop")


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
