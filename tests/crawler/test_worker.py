"""Through a real worker process, and after one was killed in the middle of a crawl."""

from datetime import timedelta

import pytest
from django.utils import timezone

from crawler.models import Crawl, Listing, WorkState
from crawler.services import crawl_result, crawls_resume, search
from tests.workers import eventually, worker

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


def test_a_worker_does_the_crawl(shop):
    with worker("crawl"):
        crawl = search(keyword="honey").crawl
        eventually(lambda: crawl_result(crawl_id=crawl.id).state == "ready", what="the crawl")
    assert len(crawl_result(crawl_id=crawl.id).listings) == 20


def test_a_crawl_whose_worker_was_killed_is_finished_by_the_next(shop, behave, requests_seen):
    behave(delay_s=0.5, applies_to="pictures")
    with worker("crawl") as process:
        crawl = search(keyword="honey").crawl
        eventually(lambda: requests_seen("pictures"), what="the first picture")
        process.kill()
        process.wait()
    assert Crawl.objects.get(id=crawl.id).state == WorkState.RUNNING
    behave()
    # The minute of the lease passes at once.
    Crawl.objects.filter(id=crawl.id).update(leased_until=timezone.now() - timedelta(seconds=1))
    with worker("crawl"):
        assert crawls_resume() == 1
        eventually(lambda: crawl_result(crawl_id=crawl.id).state == "ready", what="the second attempt")
    assert Crawl.objects.get(id=crawl.id).attempts == 2
    assert Listing.objects.count() == 20
