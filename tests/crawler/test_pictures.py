"""A picture that failed: shown with the reason, and fetched once more on request."""

from datetime import timedelta

import pytest
from celery import current_app
from django.utils import timezone, translation

from crawler.images import read_image
from crawler.models import ImageState, Listing, Source
from crawler.pictures import picture_fetch, picture_retry, pictures_resume
from crawler.services import crawl_run, search
from tests.workers import eventually, worker

pytestmark = pytest.mark.django_db(databases=["default", "mongo"], transaction=True)


@pytest.fixture
def failed(shop, crawled, behave) -> Listing:
    """A listing whose picture was missing; by now the shop behaves."""
    behave(pictures="missing")
    (listing,) = crawled("hostile").listings
    assert listing.image_state == ImageState.FAILED
    behave()
    return listing


@pytest.fixture
def queued(monkeypatch) -> list[str]:
    ids: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **options: ids.append(args[0]))
    return ids


def now_of(listing: Listing) -> Listing:
    return Listing.objects.get(id=listing.id)


def test_it_is_fetched_again(failed, queued):
    assert picture_retry(listing_id=failed.id)
    assert queued == [failed.id]
    assert (now_of(failed).image_state, now_of(failed).image_error) == (ImageState.PENDING, "")
    picture_fetch(listing_id=failed.id)
    listing = now_of(failed)
    assert (listing.image_state, listing.image_retry_at, len(listing.phash)) == (ImageState.DONE, None, 16)
    assert read_image(listing.image_sha256)


def test_asked_twice_it_is_fetched_once(failed, queued, requests_seen):
    assert picture_retry(listing_id=failed.id)
    assert not picture_retry(listing_id=failed.id)
    before = requests_seen("pictures")
    picture_fetch(listing_id=failed.id)
    picture_fetch(listing_id=failed.id)  # the task delivered twice
    assert requests_seen("pictures") == before + 1


def test_what_another_worker_fetches_is_left_to_it(failed, queued, requests_seen):
    picture_retry(listing_id=failed.id)
    Listing.objects.filter(id=failed.id).update(image_retry_at=timezone.now() + timedelta(seconds=60))
    before = requests_seen("pictures")
    picture_fetch(listing_id=failed.id)
    assert requests_seen("pictures") == before
    assert pictures_resume() == 0


def test_a_retry_whose_worker_died_is_queued_again(failed, queued):
    picture_retry(listing_id=failed.id)
    queued.clear()
    assert pictures_resume() == 0  # queued a moment ago
    Listing.objects.filter(id=failed.id).update(image_retry_at=timezone.now() - timedelta(seconds=6))
    assert pictures_resume() == 1
    assert queued == [failed.id]


def test_it_may_fail_again(failed, queued, behave):
    behave(pictures="html")
    picture_retry(listing_id=failed.id)
    picture_fetch(listing_id=failed.id)
    assert "not a JPEG" in now_of(failed).image_error
    assert picture_retry(listing_id=failed.id)


def test_a_source_that_is_gone_is_told(failed, queued):
    Source.objects.all().delete()
    picture_retry(listing_id=failed.id)
    picture_fetch(listing_id=failed.id)
    assert "not configured" in now_of(failed).image_error


@pytest.mark.parametrize("values", [{"image_state": ImageState.DONE}, {"image_url": ""}])
def test_what_did_not_fail_or_has_no_address_is_not_fetched(failed, queued, values):
    Listing.objects.filter(id=failed.id).update(**values)
    assert not picture_retry(listing_id=failed.id)
    assert not picture_retry(listing_id="unknown")
    assert queued == []


def test_a_new_picture_that_fails_leaves_the_one_of_before(shop, crawled, behave):
    (before,) = crawled("hostile").listings
    Listing.objects.filter(id=before.id).update(image_url=f"{shop.address}/pictures/another.jpg")  # the shop changed it
    behave(pictures="missing")
    (after,) = crawled("hostile", force_update=True).listings
    assert (after.image_state, after.image_sha256, after.phash) == ("failed", before.image_sha256, before.phash)
    assert "404" in after.image_error
    behave()
    assert crawled("hostile", force_update=True).listings[0].image_state == ImageState.DONE


def test_a_real_worker_fetches_it(failed):
    with worker("crawl"):
        picture_retry(listing_id=failed.id)
        eventually(lambda: now_of(failed).image_state == ImageState.DONE, what="the picture")


def test_the_reason_is_told_in_the_language_of_who_asked(shop, behave):
    """The threads that fetch have no language of their own."""
    behave(pictures="html")
    with translation.override("zh-hans"):
        crawl = search(keyword="hostile").crawl
    crawl_run(crawl_id=crawl.id)
    assert "不是" in Listing.objects.get().image_error
