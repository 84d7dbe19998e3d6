"""What annotators asked for when the project began, wish by wish. Each is seen in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Label
from crawler.models import Crawl, Listing
from crawler.services import crawl_run
from tests.annotation.factories import make_product

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

DESK, PHONE = {"width": 1280, "height": 720}, {"width": 390, "height": 844}
SEARCH = "/annotation/?keyword=honey"


@pytest.fixture
def listings(shop, crawled_page) -> list[Listing]:
    make_product()
    return crawled_page("honey")


def submit_button(page: Page):
    return page.get_by_role("button", name="Submit the ticked pictures")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_the_submit_button_floats_and_is_always_in_reach(visit, listings, viewport):
    page = visit("annotator", SEARCH, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollHeight > 2 * innerHeight")
    for place in ("0", "document.documentElement.scrollHeight / 2", "document.documentElement.scrollHeight"):
        page.evaluate(f"scrollTo(0, {place})")
        expect(submit_button(page)).to_be_in_viewport(ratio=1)
        # nothing lies over it
        box = submit_button(page).bounding_box()
        middle = [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2]
        assert page.evaluate("([x, y]) => document.elementFromPoint(x, y).textContent.trim()", middle).startswith(
            "Submit"
        )


def test_every_listing_has_the_link_of_its_shop_and_of_the_offer_and_they_open_safely(visit, listings):
    page = visit("annotator", SEARCH)
    card = page.locator(f"#listing-{listings[0].id}")
    assert page.locator(".card .shop a").count() == len(listings)
    for link, address in ((card.locator(".links a"), listings[0].url), (card.locator(".shop a"), listings[0].shop_url)):
        expect(link).to_have_attribute("href", address)
        with page.context.expect_page() as opened:
            link.click()
        assert opened.value.evaluate("window.opener") is None
        assert opened.value.evaluate("document.referrer") == ""
        expect(opened.value).to_have_url(address)
    expect(page.locator(".tick:checked")).to_have_count(0)  # a link is no tick


def test_a_success_is_told_and_clears_the_search_box_and_the_shop_is_stored(visit, listings):
    page = visit("annotator", SEARCH)
    page.locator(f"#listing-{listings[3].id} .picture").click()
    page.get_by_label("Product of our catalogue").fill("Alpha Orange Juice")
    submit_button(page).click()
    expect(page.locator("#messages")).to_contain_text("Saved: 1 label for Alpha Orange Juice.")
    expect(page.get_by_label("Keyword to search for")).to_have_value("")
    expect(page.locator(".card")).to_have_count(0)
    label = Label.objects.get()
    assert (label.listing_id, label.shop_url, label.url) == (listings[3].id, listings[3].shop_url, listings[3].url)
    assert label.shop_url.startswith("http")


def test_a_failure_is_told_and_keeps_what_was_typed_and_ticked(visit, listings):
    page = visit("annotator", SEARCH)
    page.locator(".card .picture").first.click()
    page.get_by_label("Product of our catalogue").fill("No such product")
    submit_button(page).click()
    expect(page.locator("#messages [role=alert]")).to_contain_text("“No such product” is not in the catalogue")
    expect(page.get_by_label("Product of our catalogue")).to_have_value("No such product")
    expect(page.get_by_label("Keyword to search for")).to_have_value("honey")
    expect(page.locator(".tick:checked")).to_have_count(1)
    assert not Label.objects.exists()


def test_submitting_without_a_product_is_caught(visit, listings):
    page = visit("annotator", SEARCH)
    page.locator(".card .picture").first.click()
    submit_button(page).click()
    expect(page.locator("#messages [role=alert]")).to_contain_text("Choose the product")
    expect(page.locator(".tick:checked")).to_have_count(1)
    assert not Label.objects.exists()


def test_a_server_that_fails_is_told_and_the_search_can_be_repeated(visit, listings):
    page = visit("annotator", "/annotation/")
    page.route("**/annotation/?*", lambda route: route.fulfill(status=500, body="oops"))
    page.get_by_label("Keyword to search for").fill("honey")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#messages")).to_contain_text("Something went wrong on the server. Nothing is lost; try again.")
    page.unroute("**/annotation/?*")
    expect(page.get_by_label("Keyword to search for")).to_have_value("honey")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".card .tick")).to_have_count(20)


def test_an_empty_keyword_is_answered_with_an_example_that_can_be_searched(visit, listings):
    product = make_product("Beta Honey", keywords="honey, bees")
    page = visit("annotator", "/annotation/")
    page.get_by_role("button", name="Search").click()
    example = page.locator("#example")
    expect(example).to_have_text(product.keywords.split(",")[0])
    expect(page.get_by_label("Keyword to search for")).to_have_attribute("placeholder", re.compile("honey"))
    example.click()
    expect(page.locator(".card .tick")).to_have_count(20)


def test_a_click_on_a_picture_toggles_it_on_every_page(visit, shop, crawled_page):
    for number in (1, 2):
        crawled_page("juice", page=number)
    page = visit("annotator", "/annotation/?keyword=juice")
    page.locator(".card .picture").nth(1).click()
    page.get_by_role("button", name="Show more").click()
    expect(page.locator(".card .tick")).to_have_count(40)
    expect(page.locator(".tick").nth(1)).to_be_checked()
    for place in (2, 25):  # of the first page, after paging, and of the second
        page.locator(".card .picture").nth(place).click()
        expect(page.locator(".tick").nth(place)).to_be_checked()
        page.locator(".card .picture").nth(place).click()
        expect(page.locator(".tick").nth(place)).not_to_be_checked()
    expect(page.locator(".tick:checked")).to_have_count(1)


def test_a_page_that_was_opened_at_its_second_page_toggles_too(visit, shop, crawled_page):
    crawled_page("juice", page=2)
    page = visit("annotator", "/annotation/?keyword=juice&page=2")
    page.locator(".card .picture").first.click()
    expect(page.locator(".tick").first).to_be_checked()


def test_no_results_are_told_kindly_with_the_offer_of_a_forced_crawl(visit, shop, crawled_page):
    assert crawled_page("zzz nothing like it") == []
    page = visit("annotator", "/annotation/?keyword=zzz nothing like it")
    expect(page.get_by_text("The shop shows nothing for “zzz nothing like it”.")).to_be_visible()
    page.get_by_role("link", name="Crawl afresh").click()
    expect(page.get_by_text("Queued").or_(page.get_by_text("Searching the shop"))).to_be_visible()
    assert Crawl.objects.count() == 2


def test_crawl_afresh_floats_beside_the_age_of_the_result(visit, listings, shop):
    page = visit("annotator", SEARCH)
    bar = page.locator(".floating")
    expect(bar).to_contain_text("from the cache, fetched")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(bar.get_by_role("link", name="Crawl afresh")).to_be_in_viewport(ratio=1)
    bar.get_by_role("link", name="Crawl afresh").click()
    expect(page.get_by_text("Queued").or_(page.get_by_text("Searching the shop"))).to_be_visible()
    crawl_run(crawl_id=Crawl.objects.latest("created_at").id)
    expect(page.locator(".floating")).to_contain_text("fetched just now")
    expect(page).to_have_url(re.compile("spider=true"))


def test_spider_in_the_address_does_the_same(visit, listings):
    page = visit("annotator", f"{SEARCH}&spider=true")
    expect(page.get_by_text("Queued").or_(page.get_by_text("Searching the shop"))).to_be_visible()
    assert Crawl.objects.count() == 2
