"""Marks and skips by keyboard, undo that puts everything back, and a second annotator at the same work."""

import os

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Claim, Label, Submission
from tests.annotation.factories import make_product
from tests.evaluation.factories import make_cached_page

pytestmark = [pytest.mark.browser, pytest.mark.django_db(databases=["default", "mongo"], transaction=True)]

PRODUCT = "Product of our catalogue"
JUICE = "Alpha Orange Juice"
ADDRESS = "/annotation/?keyword=honey&product=Alpha%20Orange%20Juice"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def grid(shop, crawled_page, visit):
    """`grid()`: the annotators' page with a product and the twenty listings of a search."""
    crawled_page("honey")
    make_product()

    def go(role: str = "annotator", **options) -> Page:
        page = visit(role, ADDRESS, **options)
        expect(page.locator(".card .tick")).to_have_count(20)
        page.evaluate("document.activeElement.blur()")
        return page

    return go


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def places(page: Page, kind: str) -> list[int]:
    """The places of the cards that are ticked, or marked."""
    return [place for place, box in enumerate(page.locator(f".card .{kind}").all()) if box.is_checked()]


def said(page: Page) -> tuple[list[int], list[int], list[int]]:
    return places(page, "tick"), places(page, "refused"), places(page, "unsure")


def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_marks_by_keyboard_exclude_one_another_and_outlive_a_reload(grid):
    page = grid()
    press(page, "l", "x", "l", "q", "l", " ")
    assert said(page) == ([2], [0], [1])
    shoot(page, "marks")
    press(page, "x")  # the ticked one
    assert said(page) == ([], [0, 2], [1])
    press(page, "q", "h", "q")  # changes its mind, and takes the other one's mark back
    assert said(page) == ([], [0], [2])
    press(page, "h", " ")
    assert said(page) == ([0], [], [2])
    page.locator(".card .mark", has_text="No match").nth(5).click()
    page.reload()
    expect(page.locator("#restored")).to_contain_text("Ticks and marks restored: 3")
    assert said(page) == ([0], [5], [2])
    page.evaluate("document.activeElement.blur()")
    press(page, "a")
    assert said(page) == (list(range(20)), [], [])
    press(page, "n", "l", "x", "n")
    assert said(page) == ([], [], [])


def test_the_large_picture_is_marked_too(grid):
    page = grid()
    press(page, "l", "v", "x")
    expect(page.get_by_role("dialog").locator("output")).to_have_text("No match")
    press(page, "l", "q", "Escape")
    assert said(page) == ([], [0], [1])


def test_a_search_is_skipped_by_keyboard_but_not_with_ticks(grid):
    page = grid()
    press(page, "l", " ", "b")
    dialog = page.get_by_role("dialog", name="Skip “honey”")
    expect(dialog.get_by_text("Take the ticks back first")).to_be_visible()
    expect(dialog.get_by_role("button", name="Skip")).to_be_disabled()
    press(page, "Escape", " ", "b", "5")
    note = dialog.get_by_label("Note")
    expect(note).to_be_focused()
    shoot(page, "skip")
    dialog.get_by_role("button", name="Skip").click()
    assert note.evaluate("note => note.validity.valueMissing")
    press(page, "1")  # is typed there
    note.fill("the shop is closed")
    press(page, "Tab", "Enter")
    expect(page.locator("#messages")).to_contain_text("Skipped: “honey” for Alpha Orange Juice (other).")
    made = Submission.objects.get()
    assert (made.skip_reason, made.skip_note, len(made.shown_listing_ids)) == ("other", "the shop is closed", 20)


def test_a_shop_that_shows_nothing_is_skipped_and_a_problem_is_told_in_the_dialog(visit, source):
    make_cached_page("nothing", [])
    make_product()
    page = visit("annotator", "/annotation/?keyword=nothing", viewport=PHONE)
    page.get_by_role("button", name="Skip …").click()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    expect(page.locator("#skip-problems")).to_contain_text("Choose the product")
    shoot(page, "skip-390")
    page.keyboard.press("Escape")
    page.get_by_label(PRODUCT).fill(JUICE)
    page.evaluate("document.activeElement.blur()")
    press(page, "b", "2", "Enter")
    expect(page.locator("#messages")).to_contain_text("Skipped: “nothing”")
    assert Submission.objects.get().skip_reason == "keyword"


def test_undo_puts_ticks_and_marks_back(grid, crawled_page):
    crawled_page("honey", page=2)
    page = grid()
    press(page, "m")
    expect(page.locator(".card .tick")).not_to_have_count(20)
    count = page.locator(".card .tick").count()
    press(page, "l", " ", "l", "x", "l", "q")
    page.locator(".card .tick").nth(count - 1).check()
    page.evaluate("document.activeElement.blur()")
    press(page, "s")
    expect(page.locator("#messages")).to_contain_text("Saved: 2 labels for Alpha Orange Juice.")
    shoot(page, "saved")
    press(page, "u")
    expect(page.locator("#messages")).to_contain_text("Taken back: “honey”")
    expect(page.get_by_label("Keyword to search for")).to_have_value("honey")
    expect(page.get_by_label(PRODUCT)).to_have_value(JUICE)
    assert said(page) == ([0, count - 1], [1], [2])
    assert not Label.objects.exists()
    shoot(page, "undone")
    page.locator(".card .tick").first.uncheck()
    page.reload()  # what was changed since counts, not what was submitted
    expect(page.locator(".card .tick")).to_have_count(20)
    assert said(page) == ([], [1], [2])


def test_a_second_annotator_is_told_and_may_still_submit(grid):
    first = grid()
    expect(first.locator("#claim")).to_contain_text("Yours until")
    shoot(first, "claim")
    second = grid("reviewer")
    expect(second.locator("#claim")).to_contain_text("annotator has been at this since")
    second.locator(".card .tick").nth(3).check()
    second.get_by_role("button", name="Submit the ticked pictures").click()
    expect(second.locator("#messages")).to_contain_text("annotator has been at this since")
    shoot(second, "claimed")
    assert places(second, "tick") == [3]
    assert not Submission.objects.exists()
    second.get_by_role("button", name="Submit as a second opinion").click()
    expect(second.locator("#messages")).to_contain_text("Saved: 1 label")
    assert Submission.objects.get().annotator_name == "reviewer"


def test_another_product_frees_the_claim(grid):
    make_product("Beta Milk", brand="Beta")
    page = grid()
    expect(page.locator("#claim")).to_contain_text("Yours until")
    page.get_by_label(PRODUCT).fill("Beta Milk")
    page.evaluate("document.activeElement.blur()")
    juice = Claim.objects.get(product_name=JUICE).id
    expect(page.locator("#claim [data-claim]")).not_to_have_attribute("data-claim", juice)
    page.get_by_label(PRODUCT).fill("")
    page.evaluate("document.activeElement.blur()")
    expect(page.locator("#claim [data-claim]")).to_have_count(0)
    expect(grid("reviewer").locator("#claim")).to_contain_text("Yours until")


def test_marks_work_without_a_script(grid):
    page = grid(java_script_enabled=False)
    page.locator(".card .mark", has_text="Unsure").first.click()
    page.get_by_role("button", name="Submit the ticked pictures").click()
    expect(page.locator("#messages")).to_contain_text("Saved for Alpha Orange Juice, without a label: 1 unsure.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".card .unsure").first).to_be_checked()
