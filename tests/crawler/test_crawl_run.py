"""Leases: who may work on a crawl, and what happens after a worker died."""

from datetime import timedelta

import pytest
import tenacity
from celery import current_app
from django.db import OperationalError as DjangoOperationalError
from django.utils import timezone, translation
from kombu.exceptions import OperationalError

from crawler import crawling
from crawler.crawling import LEASE, MAX_ATTEMPTS, crawl_run
from crawler.models import Crawl, Listing, SearchPage, Source, WorkState
from crawler.services import crawl_result, crawls_resume, search

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def queued(monkeypatch) -> list[str]:
    """The ids handed to the workers; nothing is really queued."""
    ids: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: ids.append(args[0]))
    return ids


def set_crawl(crawl: Crawl, **values) -> None:
    Crawl.objects.filter(id=crawl.id).update(**values)


def ago(**values) -> object:
    return timezone.now() - timedelta(**values)


class Killed(BaseException):
    """The worker ends here, as by SIGKILL: no handler of ours may see it and tidy up."""


def killed_at(monkeypatch, step: str, crawl: Crawl) -> None:
    """Run `crawl` until `step` of crawling, where the worker dies, and let its lease run out."""

    def die(*args, **kwargs):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(crawling, step, die)
        with pytest.raises(Killed):
            crawl_run(crawl_id=crawl.id)
    assert Crawl.objects.get(id=crawl.id).state == WorkState.RUNNING
    set_crawl(crawl, leased_until=ago(seconds=1))


@pytest.mark.parametrize("step", ["open_source", "listings_write", "pictures_fetch", "_write_page", "_finish"])
def test_a_crawl_whose_worker_died_is_finished_by_another(shop, queued, monkeypatch, step):
    crawl = search(keyword="honey").crawl
    killed_at(monkeypatch, step, crawl)
    assert crawl_result(crawl_id=crawl.id).state == "pending"
    queued.clear()
    assert crawls_resume() == 1
    assert queued == [crawl.id]
    crawl_run(crawl_id=crawl.id)
    result = crawl_result(crawl_id=crawl.id)
    assert (result.state, len(result.listings), result.crawl.attempts) == ("ready", 20, 2)
    assert (Listing.objects.count(), SearchPage.objects.count(), Crawl.objects.count()) == (20, 1, 1)


@pytest.mark.parametrize("state", [WorkState.PENDING, WorkState.RUNNING])
def test_of_two_workers_at_the_same_moment_one_takes_it(source, queued, monkeypatch, state):
    """The other one comes between the look and the write, in the narrowest gap there is."""
    crawl = search(keyword="honey").crawl
    set_crawl(crawl, state=state, leased_until=ago(seconds=1))
    others, real_now = [], timezone.now

    def now():
        monkeypatch.setattr(timezone, "now", real_now)
        others.append(crawling._take(crawl.id))
        return real_now()

    monkeypatch.setattr(timezone, "now", now)
    mine = crawling._take(crawl.id)
    assert [one.attempts for one in others] == [1]
    assert mine is None
    assert Crawl.objects.get(id=crawl.id).attempts == 1


def test_nothing_is_done_while_another_worker_holds_the_lease(shop, queued, requests_seen):
    crawl = search(keyword="honey").crawl
    set_crawl(crawl, state=WorkState.RUNNING, attempts=1, leased_until=timezone.now() + LEASE)
    crawl_run(crawl_id=crawl.id)
    assert crawls_resume() == 0
    assert requests_seen("search") == 0


@pytest.mark.parametrize("state", [WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED])
def test_what_is_over_is_not_done_again(shop, queued, requests_seen, state):
    crawl = search(keyword="honey").crawl
    set_crawl(crawl, state=state, leased_until=ago(hours=1))
    crawl_run(crawl_id=crawl.id)
    assert crawls_resume() == 0
    assert requests_seen("search") == 0


def test_an_unknown_crawl_is_nothing_to_do():
    crawl_run(crawl_id="no-such-crawl")


def test_a_worker_that_lost_its_lease_writes_no_outcome(shop, queued, monkeypatch):
    """It was away so long that another one took over, and comes back with its pictures."""
    crawl = search(keyword="honey").crawl

    def stall(**kwargs):
        set_crawl(crawl, attempts=2, leased_until=timezone.now() + LEASE)

    monkeypatch.setattr(crawling, "pictures_fetch", stall)
    crawl_run(crawl_id=crawl.id)
    now = Crawl.objects.get(id=crawl.id)
    assert (now.state, now.attempts) == (WorkState.RUNNING, 2)
    assert not SearchPage.objects.exists()


def test_the_lease_is_renewed_while_pictures_come(shop, queued, monkeypatch):
    crawl = search(keyword="honey").crawl
    leases = []

    def watch(*, listings, source, progress):
        set_crawl(crawl, leased_until=ago(seconds=0))
        progress(5)
        now = Crawl.objects.get(id=crawl.id)
        leases.append((now.leased_until > timezone.now() + LEASE / 2, now.images_done, now.images_total))

    monkeypatch.setattr(crawling, "pictures_fetch", watch)
    crawl_run(crawl_id=crawl.id)
    assert leases == [(True, 5, 20)]


def test_a_fault_of_ours_is_tried_again_and_given_up_in_the_end(shop, queued, monkeypatch, caplog):
    def broken(**kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr(crawling, "listings_write", broken)
    crawl = search(keyword="honey").crawl
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert crawl_result(crawl_id=crawl.id).state == "pending"
        crawl_run(crawl_id=crawl.id)
        assert Crawl.objects.get(id=crawl.id).attempts == attempt
    result = crawl_result(crawl_id=crawl.id)
    assert result.state == "failed"
    assert f"given up after {MAX_ATTEMPTS} attempts" in result.error
    assert "a bug" in caplog.text
    assert "a bug" not in result.error


def test_a_crawl_whose_database_went_away_is_released_once_it_is_back(shop, queued, monkeypatch):
    away = iter(range(3))
    real = crawling.timezone.now

    def now():
        if next(away, None) is not None:
            raise DjangoOperationalError("still no server")
        return real()

    def broken(**kwargs):
        patch.setattr(crawling.timezone, "now", now)
        raise DjangoOperationalError("no server")

    crawl = search(keyword="honey").crawl
    with monkeypatch.context() as patch:
        patch.setattr(crawling, "listings_write", broken)
        patch.setattr(crawling._release.retry, "wait", tenacity.wait_none())
        crawl_run(crawl_id=crawl.id)
    assert next(away, None) is None
    assert Crawl.objects.get().state == WorkState.PENDING
    crawl_run(crawl_id=crawl.id)
    assert crawl_result(crawl_id=crawl.id).state == "ready"


def test_a_crawl_that_kills_every_worker_is_given_up(shop, queued, requests_seen):
    crawl = search(keyword="honey").crawl
    set_crawl(crawl, state=WorkState.RUNNING, attempts=MAX_ATTEMPTS, leased_until=ago(seconds=1))
    assert crawls_resume() == 1
    crawl_run(crawl_id=crawl.id)
    assert "given up" in crawl_result(crawl_id=crawl.id).error
    assert requests_seen("search") == 0


def test_a_source_that_was_taken_away_is_told(shop, queued):
    crawl = search(keyword="honey").crawl
    Source.objects.all().delete()
    crawl_run(crawl_id=crawl.id)
    assert "not configured any more" in crawl_result(crawl_id=crawl.id).error


def test_what_was_never_queued_is_queued_later_and_not_at_every_beat(source, queued):
    crawl = search(keyword="honey").crawl
    queued.clear()
    assert crawls_resume() == 0  # its maker queued it a moment ago
    set_crawl(crawl, leased_until=ago(seconds=1))
    assert crawls_resume() == 1
    assert crawls_resume() == 0
    assert queued == [crawl.id]
    set_crawl(crawl, leased_until=ago(seconds=1))
    assert crawls_resume() == 1


def test_resuming_without_a_broker_is_no_error(source, queued, monkeypatch):
    crawl = search(keyword="honey").crawl
    set_crawl(crawl, leased_until=ago(seconds=1))

    def away(*args, **kwargs):
        raise OperationalError("refused")

    monkeypatch.setattr(current_app, "send_task", away)
    assert crawls_resume() == 0
    assert Crawl.objects.get(id=crawl.id).state == WorkState.PENDING


def test_what_went_wrong_is_told_in_the_language_of_who_asked(shop, behave, queued):
    behave(fail_next=100, status=404)
    with translation.override("zh-hans"):
        crawl = search(keyword="honey").crawl
    crawl_run(crawl_id=crawl.id)
    assert "返回 404" in Crawl.objects.get(id=crawl.id).error
