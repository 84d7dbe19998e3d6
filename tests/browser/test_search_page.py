"""What the annotators' page makes of look-alikes, failed pictures, old results and several sources."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from crawler.demo_shop.behaviour import Behaviour
from crawler.models import Listing, SearchPage, Source
from tests.annotation.factories import make_product
from tests.workers import worker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]


@pytest.fixture
def listings(shop, crawled_page) -> list[Listing]:
    return crawled_page("honey")


def test_look_alikes_are_ticked_together(visit, listings):
    alike = [listings[index].id for index in (2, 5, 9)]
    Listing.objects.filter(id__in=alike).update(phash="0123456789abcdef")
    page = visit("annotator", "/annotation/?keyword=honey")
    button = page.get_by_role("button", name="3 look alike")
    button.click()
    expect(page.locator(".tick:checked")).to_have_count(3)
    assert {box.get_attribute("value") for box in page.locator(".tick:checked").all()} == set(alike)
    page.locator(".tick:checked").last.uncheck()
    button.click()
    expect(page.locator(".tick:checked")).to_have_count(3)
    button.click()
    expect(page.locator(".tick:checked")).to_have_count(0)


def test_a_failed_picture_is_fetched_again_and_can_then_be_ticked(visit, shop, crawled_page):
    make_product()
    shop.conduct.behave(Behaviour.parse({"pictures": "missing"}))
    (hostile,) = crawled_page("hostile")
    shop.conduct.behave(Behaviour())
    crawled_page("honey")  # and there among others
    SearchPage.objects.update(listing_ids=[hostile.id, *SearchPage.objects.get(keyword="honey").listing_ids])
    page = visit("annotator", "/annotation/?keyword=hostile")
    card = page.locator(f"#listing-{hostile.id}")
    expect(card.locator(".tick")).to_be_disabled()
    expect(page.get_by_text("404 Not Found")).to_be_visible()
    page.get_by_role("button", name="Fetch the picture again").click()
    expect(page.get_by_text("Fetching the picture again")).to_be_visible()
    with worker("crawl"):
        expect(card.locator("img.picture")).to_be_visible(timeout=30_000)
    card.locator("img.picture").click()
    expect(card.locator(".tick")).to_be_checked()
    expect(page.locator(".card .tick")).to_have_count(21)


def test_an_old_result_is_shown_with_its_age_while_it_is_fetched_again(visit, listings):
    now = timezone.now()
    SearchPage.objects.update(
        fetched_at=now - timedelta(days=3), fresh_until=now - timedelta(days=2), stale_until=now + timedelta(days=2)
    )
    page = visit("annotator", "/annotation/?keyword=honey")
    expect(page.get_by_text("Fetched 3 days ago; it is being fetched again.")).to_be_visible()
    expect(page.locator(".card .tick")).to_have_count(20)


def test_another_source_can_be_chosen(visit, source, shop):
    Source(
        id="other", name="Other shop", kind=source.kind, base_url=source.base_url, config=source.config, position=2
    ).save()
    page = visit("annotator", "/annotation/")
    page.get_by_label("Source").select_option("other")
    page.get_by_label("Keyword to search for").fill("honey")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_text("Searching the shop").or_(page.get_by_text("Queued"))).to_be_visible()
    with worker("crawl", pool="threads", concurrency=4):
        expect(page.locator(".card").first).to_be_visible(timeout=60_000)
    expect(page.locator(".floating")).to_contain_text("Other shop")
