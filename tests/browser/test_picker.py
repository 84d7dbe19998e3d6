"""The product picker by keyboard, the page size, the tour, and a keyword that was not searched yet."""

import pytest
from playwright.sync_api import Page, expect

from annotation.models import AnnotatorSettings
from annotation.preferences import preferences_change
from crawler.models import Crawl
from crawler.services import crawl_run
from tests.annotation.factories import make_product
from tests.workers import eventually

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

WIDE = {"width": 1400, "height": 900}


def field(page: Page):
    return page.get_by_role("combobox", name="Product of our catalogue")


def listed(page: Page):
    """The options of the picker's list, while it is open."""
    return page.get_by_role("listbox", name="Products").get_by_role("option")


def test_a_product_is_chosen_by_pinyin_and_keyboard_alone(visit, source):
    make_product("可口可乐", guidelines="The can only.", brand="")
    make_product("可口可乐 Zero", brand="")
    make_product("Beta Milk", brand="Beta")
    page = visit("annotator", "/annotation/", viewport=WIDE)
    box = field(page)
    expect(box).to_have_attribute("aria-expanded", "false")
    box.press_sequentially("kkkl")
    options = listed(page)
    expect(options).to_have_count(2)
    expect(box).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_role("status").filter(has_text="2 products found")).to_be_attached()
    expect(options.first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    expect(box).to_have_attribute("aria-activedescendant", options.nth(1).get_attribute("id"))
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(box).to_have_value("可口可乐")
    expect(box).to_be_focused()
    expect(options).to_have_count(0)
    expect(page.get_by_text("The can only.")).to_be_visible()
    box.fill("milk")
    expect(options).to_have_count(1)
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    expect(box).to_have_value("milk")
    page.keyboard.press("ArrowDown")
    options.first.click()
    expect(box).to_have_value("Beta Milk")
    expect(page.get_by_text("The can only.")).to_have_count(0)
    box.fill("nothing like it")
    expect(page.get_by_text("No product is found by this")).to_be_visible()
    expect(box).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Tab")
    expect(page.get_by_text("No product is found by this")).to_have_count(0)


def test_half_a_syllable_of_an_input_method_is_not_searched_for(visit, source):
    make_product("可口可乐", brand="")
    page = visit("annotator", "/annotation/")
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "/products/?" in request.url else None)
    field(page).focus()
    method = page.context.new_cdp_session(page)
    for text in ("k", "ke", "ke k"):
        method.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
    method.send("Input.insertText", {"text": "可口"})
    expect(listed(page)).to_have_count(1)
    assert len(asked) == 1


def test_a_phone_has_the_guidelines_closed_above_the_grid(visit, source):
    make_product(guidelines="The can only.")
    page = visit("annotator", "/annotation/?product=Alpha+Orange+Juice", viewport={"width": 390, "height": 844})
    expect(page.get_by_text("The can only.")).to_be_hidden()
    page.get_by_role("heading", name="What counts").click()
    expect(page.get_by_text("The can only.")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_sixty_listings_at_first_are_three_pages_of_the_cache(visit, shop, crawled_page):
    for number in (1, 2, 3):
        crawled_page("tea", page=number)
    page = visit("annotator", "/annotation/?keyword=tea")
    expect(page.locator(".card .tick")).to_have_count(20)
    page.get_by_label("Show at first").select_option("60")
    expect(page.locator("#messages")).to_contain_text("60 listings are shown at first")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".card .tick")).to_have_count(60)


def test_pages_that_are_not_cached_come_by_themselves(visit, shop, crawled_page, person):
    crawled_page("tea")
    preferences_change(annotator=person("annotator"), page_size=40)
    page = visit("annotator", "/annotation/?keyword=tea")
    expect(page.locator(".card .tick")).to_have_count(20)
    crawl = eventually(lambda: Crawl.objects.filter(page=2).first(), what="the crawl of page 2")
    crawl_run(crawl_id=crawl.id)
    expect(page.locator(".card .tick")).to_have_count(40)
    ids = page.locator(".card").evaluate_all("cards => cards.map((card) => card.id)")
    assert len(ids) == len(set(ids))


def test_the_tour_comes_once_and_never_again(visit, source):
    page = visit("annotator", "/annotation/", tour=True)
    tour = page.get_by_role("dialog", name="A short tour")
    expect(tour.get_by_role("heading", name="Choose the product")).to_be_visible()
    page.keyboard.press("Enter")
    expect(tour.get_by_role("heading", name="Search the shop")).to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(tour.get_by_role("heading", name="Choose the product")).to_be_visible()
    with page.expect_response("**/tour-seen/"):
        page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    assert AnnotatorSettings.objects.get().tour_seen_at
    page.reload()
    expect(page.get_by_role("button", name="Keys")).to_be_visible()
    expect(tour).to_have_count(0)
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Show the tour again").click()
    for _ in range(4):
        tour.get_by_role("button", name="Continue").click()
    tour.get_by_role("button", name="Start").click()
    expect(tour).to_have_count(0)


def test_a_typed_keyword_survives_a_reload_until_it_is_searched(visit, shop, crawled_page):
    crawled_page("honey")
    page = visit("annotator", "/annotation/")
    keyword = page.get_by_label("Keyword to search for")
    keyword.fill("honey")
    page.reload()
    expect(keyword).to_have_value("honey")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".card .tick")).to_have_count(20)
    keyword.fill("milk")
    page.reload()
    expect(keyword).to_have_value("milk")
    page.goto("/annotation/")
    expect(keyword).to_have_value("")
