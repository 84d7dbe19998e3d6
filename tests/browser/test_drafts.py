"""Ticks that outlive a reload, a lost network and an expired login."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Label
from tests.annotation.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

PRODUCT = "Product of our catalogue"


@pytest.fixture
def ticked(shop, crawled_page, visit) -> Page:
    """The annotators' page with a product and two ticks."""
    crawled_page("honey")
    make_product()
    page = visit("annotator", "/annotation/?keyword=honey")
    for place in (1, 4):
        page.locator(".card .tick").nth(place).check()
    page.get_by_label(PRODUCT).fill("Alpha Orange Juice")
    page.get_by_label(PRODUCT).blur()
    return page


def ticks(page: Page, count: int) -> None:
    expect(page.locator(".tick:checked")).to_have_count(count)


def test_a_reload_brings_back_ticks_and_product(ticked):
    ticked.reload()
    expect(ticked.locator("#restored")).to_contain_text("Ticks and marks restored: 2")
    ticks(ticked, 2)
    expect(ticked.get_by_label(PRODUCT)).to_have_value("Alpha Orange Juice")


def test_the_same_search_again_brings_them_back(ticked):
    ticked.get_by_role("button", name="Search").click()
    expect(ticked.locator("#restored")).to_be_visible()
    ticks(ticked, 2)


def test_they_can_be_discarded_for_good(ticked):
    ticked.reload()
    ticked.get_by_role("button", name="Discard").click()
    ticks(ticked, 0)
    ticked.reload()
    expect(ticked.locator("#restored")).to_be_hidden()
    ticks(ticked, 0)


def test_a_submit_clears_them(ticked):
    ticked.get_by_role("button", name="Submit the ticked pictures").click()
    expect(ticked.locator("#messages")).to_contain_text("Saved: 2 labels")
    ticked.goto("/annotation/?keyword=honey")
    expect(ticked.locator("#restored")).to_be_hidden()
    ticks(ticked, 0)


def test_an_expired_login_is_told_and_loses_nothing(ticked):
    ticked.context.clear_cookies()
    ticked.get_by_role("button", name="Submit the ticked pictures").click()
    expect(ticked.locator("#messages")).to_contain_text("You have been signed out")
    ticks(ticked, 2)
    assert not Label.objects.exists()


def test_a_lost_network_is_told_and_loses_nothing(ticked):
    ticked.context.set_offline(True)
    ticked.get_by_role("button", name="Submit the ticked pictures").click()
    expect(ticked.locator("#messages")).to_contain_text("The server cannot be reached")
    ticked.context.set_offline(False)
    ticked.reload()
    ticks(ticked, 2)


def test_after_signing_in_in_another_tab_the_submit_goes_through(ticked, visit, sign_in):
    page = ticked
    address = page.url
    page.context.clear_cookies()
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("You have been signed out")
    cookies = sign_in("annotator").cookies
    page.context.add_cookies([{"name": name, "value": cookies[name].value, "url": address} for name in cookies])
    visit("annotator", "/annotation/")  # another tab, which brings another CSRF token
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("Saved: 2 labels")
